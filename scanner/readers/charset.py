"""Which legacy character set bytes are in that are not Unicode: judged by the alphabets they spell.

A wrong guess shows as letters that no single language has together: Czech in cp1250, read as cp1252, mixes
Danish with Italian letters. So each candidate is scored by the language that covers most of its letters
beyond ASCII. Names and short cells are too little text for the frequency models of general detectors, which
are asked only where no alphabet fits.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from functools import cache
from itertools import pairwise

#: Letters beyond ASCII by language, lower case; upper case is derived.
_ALPHABETS: dict[str, str] = {
    "de": "äöüßé",
    "fr": "àâæçéèêëîïôœùûüÿ",
    "es": "áéíñóúü",
    "pt": "áâãàçéêíóôõúü",
    "it": "àèéìíòóùúî",
    "nl": "áéëïóöüèê",
    "nordic": "åäöæøéüáíóúýðþ",
    "ca": "àèéíïòóúüç",
    "pl": "ąćęłńóśźż",
    "cs": "áčďéěíňóřšťúůýžäľĺôŕ",
    "hu": "áéíóöőúüű",
    "hr": "čćđšž",
    "ro": "ăâîșțşţ",
    "tr": "çğıöşüâîûİ",
    "baltic": "āčēģīķļņšūžąęėįųõäöü",
    "vi": "ăâđêôơưàáãèéêìíòóõùúý",
    "ru": "абвгдежзийклмнопрстуфхцчшщъыьэюяё",
    "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюяўыэ",
    "sr": "абвгдђежзијклљмнњопрстћуфхцчџшъщ",
    "el": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",
    "he": "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
    "ar": "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهويىپچژگ",
    "th": "".join(chr(code) for code in range(0x0E01, 0x0E5C) if not 0x0E3B <= code <= 0x0E3E),
}
#: Candidates with the languages written in them, likelier first: a tie goes to the earlier.
_SINGLE_BYTE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cp1252", ("de", "fr", "es", "pt", "it", "nl", "nordic", "ca")),
    ("cp1250", ("pl", "cs", "hu", "hr", "ro", "de")),
    ("cp1251", ("ru", "uk", "sr")),
    ("cp1253", ("el",)),
    ("cp1254", ("tr",)),
    ("cp1257", ("baltic",)),
    ("cp1255", ("he",)),
    ("cp1256", ("ar",)),
    ("cp1258", ("vi",)),
    ("iso8859-2", ("pl", "cs", "hu", "hr", "ro")),
    ("iso8859-5", ("ru", "uk", "sr")),
    ("iso8859-7", ("el",)),
    ("iso8859-16", ("ro", "pl")),
    ("koi8-r", ("ru",)),
    ("koi8-u", ("uk",)),
    ("mac-roman", ("de", "fr", "es", "pt", "it", "nl", "nordic")),
    ("cp850", ("de", "fr", "es", "pt", "it", "nl", "nordic")),
    ("cp852", ("pl", "cs", "hu", "hr")),
    ("cp866", ("ru",)),
    ("tis-620", ("th",)),
)
#: Signs that any language may use: quotes, dashes, currency, degree, ordinals. They speak neither way.
_NEUTRAL = frozenset("\u00a0\u00ad‘’‚“”„–—…•€£§©®°±²³½¼¾ªº«»¡¿·´µ×№™†‰")
_FALLBACK = "cp1252"
_SAMPLE_BYTES = 6_144
_HIGH = re.compile(rb"[\x80-\xff]")
#: Signs that do not stand inside or right before a word, though they are neutral elsewhere.
_MISPLACED = re.compile(r"[‚„“”«»¡¿€£§©®±²³¼½¾¹×†‡‰™•…]+(?<![„“«¡¿£€©§±])[a-zà-ÿ]|\w[‚„“«¡¿£€©§®±]+\w")
#: Runs of letters, to look at the letters that stand side by side in a word.
_WORD = re.compile(r"[^\W\d_]{2,}")
#: First code points of Greek, Cyrillic, Armenian, Hebrew, Arabic, Thai; all before is Latin.
_SCRIPTS = (0x0370, 0x0400, 0x0530, 0x0590, 0x0600, 0x0E00)
_CYRILLIC_VOWELS = frozenset("аеёиоуыэюяіїєАЕЁИОУЫЭЮЯІЇЄ")


def guess(head: bytes) -> str:
    """Python's name of the likeliest legacy character set of bytes that are not Unicode."""
    sample = _sample(head)
    if not sample:
        return _FALLBACK
    return _east_asian(sample) or _single_byte(sample) or _model(sample) or _FALLBACK


def _sample(head: bytes) -> bytes:
    """Lines with bytes beyond ASCII: the others say nothing."""
    pieces: list[bytes] = []
    size = 0
    for line in head.splitlines():
        if (high := _HIGH.search(line)) is not None:
            pieces.append(line[max(0, high.start() - 40) : high.start() + 2048])
            size += len(pieces[-1])
        if size > _SAMPLE_BYTES:
            break
    return b"\n".join(pieces)


@cache
def _letters(language: str) -> frozenset[str]:
    lower = _ALPHABETS[language]
    return frozenset(lower + lower.upper())


def _single_byte(sample: bytes) -> str | None:
    best, best_score = None, 0.0
    for name, languages in _SINGLE_BYTE:
        score = _score(sample, name, languages)
        if score > best_score + 1e-9:
            best, best_score = name, score
        if best_score >= 1.0:
            break
    return best if best_score >= 0.85 else None


def _score(sample: bytes, name: str, languages: tuple[str, ...]) -> float:
    """Share of the letters beyond ASCII that one language has, less what no language does; at most 1."""
    text = sample.decode(name, "replace")
    high = Counter(char for char in text if char >= "\x80" and char not in _NEUTRAL)
    total = high.total()
    misplaced = len(_MISPLACED.findall(text))
    if not total:
        return 0.86 if "\ufffd" not in text and not misplaced else 0.0
    covered = max(
        sum(count for char, count in high.items() if char in _letters(language)) for language in languages
    )
    broken = sum(map(_is_broken, _WORD.findall(text)))
    score = (covered - 2 * (misplaced + broken)) / total
    return score * (0.9 if _lacks_vowels(high) else 1.0)


def _is_broken(word: str) -> bool:
    """True for what no word is: two scripts, a capital after a small letter, a final sigma before the end."""
    if word.isascii():
        return False
    scripts = {_script(char) for char in word}
    flips = any(
        before.islower() and after.isupper() and not (before + after).isascii()
        for before, after in pairwise(word)
    )
    return flips or len(scripts) > 1 or "ς" in word[:-1]


def _script(char: str) -> int:
    """Which script a letter belongs to, coarsely: its range of code points."""
    return bisect_right(_SCRIPTS, ord(char))


def _lacks_vowels(letters: Counter[str]) -> bool:
    """True where Cyrillic letters hold too few or too many vowels to be words."""
    cyrillic = sum(count for char, count in letters.items() if "Ѐ" <= char <= "ӿ")
    vowels = sum(count for char, count in letters.items() if char in _CYRILLIC_VOWELS)
    return cyrillic > 0 and not 0.3 <= vowels / cyrillic <= 0.6


#: Two-byte sets: lead and trail bytes of their commonest characters (level 1, syllables, kana).
_TWO_BYTE: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("euc-jp", re.compile(rb"[\xa4\xa5][\xa1-\xf6]")),
    ("euc-kr", re.compile(rb"[\xb0-\xc8][\xa1-\xfe]")),
    ("gb18030", re.compile(rb"[\xb0-\xd7][\xa1-\xfe]")),
    ("big5", re.compile(rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]")),
    ("shift_jis", re.compile(rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]")),
)
#: Share of all characters that must be common ones. Kana are a part of Japanese text only.
_COMMON_SHARE = {"euc-jp": 0.2, "euc-kr": 0.9, "gb18030": 0.85, "big5": 0.85, "shift_jis": 0.2}


def _east_asian(sample: bytes) -> str | None:
    """A two-byte set in which the sample decodes and most characters are common ones."""
    runs = re.findall(rb"[\x80-\xff]+", sample)
    if sum(map(len, runs)) < 2 * len(runs):
        return None
    for name, common in _TWO_BYTE:
        try:
            text = sample.decode(name)
        except UnicodeDecodeError as error:
            if error.start < len(sample) - 2:
                continue
            text = sample[: error.start].decode(name)
        wide = sum(char >= "\u2e80" for char in text)
        high = sum(char >= "\x80" for char in text)
        if wide and wide >= 0.7 * high and len(common.findall(sample)) >= _COMMON_SHARE[name] * wide:
            return name
    return None


def _model(sample: bytes) -> str | None:
    """What charset-normalizer makes of it."""
    from charset_normalizer import from_bytes

    names = [name.replace("-", "_") for name, _ in _SINGLE_BYTE if name.startswith(("cp125", "iso", "koi8"))]
    match = from_bytes(sample[:4096], cp_isolation=names, enable_fallback=False).best()
    return str(match.encoding) if match is not None else None
