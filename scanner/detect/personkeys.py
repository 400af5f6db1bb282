"""Keys of people: one person gives one key in every file and year, under one installation's key.

A key has 64 bits. Its low half is cut from HMAC-SHA256 of an identifier's kind and its normalised value; its
high half from the keyed hash that `PersonKeyer.members` gives, which costs a twentieth: so it is known which
people a sketch keeps before anything is made of the others. Kinds, strongest first: e-mail address, telephone
number (E.164), an identifier that a state gave, an account's number in the name space of its heading, name
with date of birth, name with address, and then what tells people apart less well.

Values are normalised with Arrow kernels; where these are slow (regular expressions), byte by byte in numpy.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scanner.detect import lexicon, phones
from scanner.detect.cells import repeats
from scanner.detect.hashing import ColumnHasher, Hashes, string_buffers

_BY_TYPE = {
    "EMAIL_ADDRESS": "email",
    "EMAIL": "email",
    "PHONE_NUMBER": "phone",
    "ZA_MOBILE_NUMBER": "phone",
    "ZA_TELEPHONE_NUMBER": "phone",
    "IDENTIFIER": "account",
    "ID": "account",
    "USERNAME": "username",
    "IBAN_CODE": "bank_account",
    "BANK_ACCOUNT": "bank_account",
    "CREDIT_CARD": "credit_card",
    "VEHICLE_IDENTIFICATION_NUMBER": "vin",
    "PERSON": "name",
    "STREET_ADDRESS": "address",
    "IP_ADDRESS": "device",
    "DEVICE_ID": "device",
    "IMEI": "device",
}
_GOVERNMENT = "user.government_id."

_EMAIL = r"(?P<at>[^\s<>,;:\"'()\[\]]+@[^\s<>,;:\"'()\[\]]+)"
_EXTENSION = r"(?i)[\s,;]*(?:x|ext\.?|extension|durchwahl|poste|interno|ramal|#)[\s.:]*[0-9]{1,6}\s*$"
_LEXICONS = lexicon.Lexicons()
_SHORTEST_PHONE = 6
_GENERIC_HEADINGS = frozenset({"id", "nr", "no", "num", "number", "key", "code", "uid", "uuid", "guid", "pk"})
_REGION_PROBE = 256
_FEW = 4096


_LOW = np.uint64(0xFFFFFFFF)
#: Kinds of a name with something else, and what stands between the two in their normal form.
NAMED = frozenset({"name+birth", "name+address"})
_BETWEEN = "\x1f"


def sketch_bound(rank: int) -> int:
    """The nearest bound, not above a rank, that ranks and the keys made of them lie on the same side of."""
    return rank >> 32 << 32


class PersonKeyer:
    """Makes keys under one secret.

    Args:
        key: 32 bytes that only the installation has.
        regions: ISO 3166 codes whose national telephone formats are tried, in order.
    """

    def __init__(self, key: bytes, regions: Sequence[str] = ("US",)) -> None:
        padded = key.ljust(64, b"\0") if len(key) <= 64 else hashlib.sha256(key).digest().ljust(64, b"\0")
        self._inner = hashlib.sha256(padded.translate(bytes(each ^ 0x36 for each in range(256))))
        self._outer = hashlib.sha256(padded.translate(bytes(each ^ 0x5C for each in range(256))))
        self.regions = tuple(regions)
        self._members = _MemberHasher(hashlib.sha256(b"members\0" + key).digest())

    def members(self, identifier: str, values: pa.Array) -> Hashes:
        """A keyed 64-bit hash for each of ``values`` (normal forms): for exact membership, and to sample by.

        Not `keys`, as these cost twenty times as much. The family is universal, not cryptographic, and is
        kept encrypted only.
        """
        salt = np.uint64(int.from_bytes(hashlib.sha256(identifier.encode()).digest()[:8], "little"))
        if identifier not in NAMED:
            return np.asarray(self._members.hash(values) ^ salt, dtype=np.uint64)
        parts = pc.split_pattern(values.cast(pa.large_string()), _BETWEEN)
        return self.named(identifier, self.words(pc.list_element(parts, 0)), pc.list_element(parts, 1))

    def words(self, names: pa.Array) -> Hashes:
        """For each name the sum of its words' hashes, whatever their order."""
        lists = pc.split_pattern(names.cast(pa.large_string()), " ")
        sums = np.zeros(len(lists.values) + 1, dtype=np.uint64)
        np.cumsum(self._members.hash(lists.values), out=sums[1:])
        offsets = lists.offsets.to_numpy()
        return np.asarray(sums[offsets[1:]] - sums[offsets[:-1]], dtype=np.uint64)

    def named(self, identifier: str, words: Hashes, more: pa.Array) -> Hashes:
        """What `members` gives for names with something else, from their words and that."""
        salt = np.uint64(int.from_bytes(hashlib.sha256(identifier.encode()).digest()[:8], "little"))
        encoded = more.dictionary_encode()
        second = self._members.hash(encoded.dictionary)[encoded.indices.to_numpy(zero_copy_only=False)]
        mixed = (words ^ (words >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93) + second
        mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
        return np.asarray((mixed ^ (mixed >> np.uint64(32))) ^ salt, dtype=np.uint64)

    def keys(self, identifier: str, values: pa.Array, ranks: Hashes | None = None) -> Hashes:
        """One key for each of ``values``, normalised strings without nulls.

        The two compressions are taken up from the padded key's state (RFC 2104), which is a third of the
        price of `hmac.digest`.

        Args:
            identifier: the kind.
            values: normal forms.
            ranks: what `members` gives for them, where that is known.
        """
        values = values.cast(pa.large_string())
        encoded = values.dictionary_encode() if repeats(values) else None
        distinct = values if encoded is None else encoded.dictionary
        inner = self._inner.copy()
        inner.update(identifier.encode("utf-8") + b"\0")
        begin, finish = inner.copy, self._outer.copy
        pieces = []
        for value in distinct.cast(pa.large_binary()).to_pylist():
            first = begin()
            first.update(value)
            last = finish()
            last.update(first.digest())
            pieces.append(last.digest())
        hashes = np.frombuffer(b"".join(pieces), dtype="<u8")[:: self._outer.digest_size // 8]
        if encoded is not None:
            hashes = hashes[encoded.indices.to_numpy(zero_copy_only=False)]
        ranks = self.members(identifier, values) if ranks is None else ranks
        return np.asarray((ranks & ~_LOW) | (hashes & _LOW), dtype=np.uint64)

    def key(self, identifier: str, value: str) -> int:
        """The key of one normalised value."""
        return int(self.keys(identifier, pa.array([value], pa.large_string()))[0])


class _MemberHasher(ColumnHasher):
    """The columns' hash under factors that the installation's key gives, so that they can be made again.

    Its values are kept for years, so it must never change; a test holds it to what it gave at first.
    """

    def __init__(self, key: bytes) -> None:
        words = np.frombuffer(hashlib.shake_256(key).digest(4 * 8), dtype="<u8").astype(np.uint64)
        self._salt = words[0]
        odd = words[1:] | np.uint64(1)
        self._second, self._length = odd[:2]
        self._factor = int(odd[2])


def people_key(installation: bytes) -> bytes:
    """The secret for people's keys that an installation's key gives."""
    return hashlib.sha256(b"sharewatch people 1\0" + installation).digest()


def identifier_of(entity_type: str, category: str, heading: str = "", table: str = "") -> str | None:
    """The kind of identifier that values of a type are, with its name space; None where they are none.

    Args:
        entity_type: Presidio's name.
        category: its data category.
        heading: the column's, for the name space of account numbers.
        table: the table's name, where the heading says too little.
    """
    if category.startswith(_GOVERNMENT):
        return category.rpartition(".")[2]
    kind = _BY_TYPE.get(entity_type)
    return f"account:{name_space(heading, table)}" if kind == "account" else kind


def name_space(heading: str, table: str) -> str:
    """What an account's number counts in: its heading's words, with the table's where these say nothing.

    ``customer_id``, ``CustomerID`` and the ``id`` of a table ``customers`` are one name space.
    """
    words = _words(heading)
    if not words or (len(words) == 1 and words[0] in _GENERIC_HEADINGS):
        words = [*_words(table.rpartition(".")[2]), *(words or ["id"])]
    joined = [("id" if word in _GENERIC_HEADINGS else _singular(word)) for word in words]
    return "".join(joined)


def _words(text: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return re.findall(r"[^\W_]+", spaced.casefold())


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


# -- normal forms: string arrays without nulls in, string arrays with nulls for what is no such value out ---


def normal(identifier: str, values: pa.Array, regions: Sequence[str] = ()) -> pa.Array:
    """The normal form of an identifier's values; null where a value is none.

    Args:
        identifier: as `identifier_of` gives it; the parts of a compound have forms of their own.
        values: strings, no nulls.
        regions: for telephone numbers, the countries whose national form is tried.
    """
    kind, _, form = identifier.partition("/")
    values = values.cast(pa.large_string())
    if form:
        return _nonempty(pc.utf8_trim_whitespace(values))
    kind = kind.partition(":")[0]
    if kind == "email":
        return emails(values)
    if kind == "phone":
        return telephone_numbers(values, tuple(regions))
    if kind in ("name", "address"):
        return names(values)
    if kind in ("account", "username"):
        data, offsets = string_buffers(values)
        if len(values) and _SIMPLE[data[offsets[0] : offsets[-1]]].all() and not _empty(values):
            return values
        return _nonempty(pc.utf8_lower(pc.utf8_trim_whitespace(values)))
    return _nonempty(_bytes_mapped(values, _CAPITALS))


def _join(*parts: pa.Array | str, between: str = "") -> pa.Array:
    texts = [pa.scalar(part, pa.large_string()) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*texts, pa.scalar(between, pa.large_string()))


def _empty(values: pa.Array) -> bool:
    return bool(pc.any(pc.equal(pc.binary_length(values), 0)).as_py())


def _nonempty(values: pa.Array) -> pa.Array:
    if not _empty(values):
        return values
    return pc.if_else(pc.equal(pc.binary_length(values), 0), pa.scalar(None, values.type), values)


def _bytes_mapped(values: pa.Array, table: NDArray[np.uint8]) -> pa.Array:
    """Strings (large_string, no nulls, ASCII) with each byte replaced by the table's; zeros are left out."""
    data, offsets = string_buffers(values)
    first = offsets[0]
    mapped = table[data[first : offsets[-1]]]
    return _rebuilt(mapped, offsets - first, mapped != 0)


def _rebuilt(data: NDArray[np.uint8], offsets: NDArray[np.int64], kept: NDArray[np.bool_]) -> pa.Array:
    """A string array of the bytes that are kept; cells end where they did."""
    if not kept.all():
        data, offsets = data[kept], _moved(kept, offsets)
    return _strings(data, offsets)


def _strings(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> pa.Array:
    return pa.LargeStringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(offsets.tobytes()), pa.py_buffer(data.tobytes())
    )


def _moved(kept: NDArray[np.bool_], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where cells begin once only some bytes are kept."""
    before = np.zeros(len(kept) + 1, dtype=np.int32)
    np.cumsum(kept, out=before[1:], dtype=np.int32)
    return before[offsets].astype(np.int64)


def _table(kept: str, to: str = "", otherwise: int = 0) -> NDArray[np.uint8]:
    """For `_bytes_mapped`: what becomes of each byte."""
    out = np.full(256, otherwise, dtype=np.uint8)
    out[np.frombuffer(kept.encode("ascii"), np.uint8)] = np.frombuffer((to or kept).encode("ascii"), np.uint8)
    return out


_DIGITS = _table(digits)
_DIALLED = _table(f"{digits}+")
#: Bytes of a telephone number that nothing but its digits and its plus sign matter of.
_PLAIN_PHONE = _table(f"{digits}+ -./") != 0
_CAPITALS = _table(digits + ascii_letters, digits + ascii_lowercase.upper() + ascii_uppercase)
_WORDS = _table(digits + ascii_letters, digits + ascii_lowercase + ascii_uppercase.lower(), ord(" "))


_SIMPLE = _table(f"{digits}{ascii_lowercase}._-") != 0
_IN_EMAIL = _table(
    f"{digits}{ascii_letters}._%+-@", f"{digits}{ascii_lowercase}{ascii_uppercase.lower()}._%+-@"
)
_LETTER_OR_DIGIT = _table(digits + ascii_letters) != 0


def _plain_emails(values: pa.Array) -> pa.Array | None:
    """The cells in lower case where each is an address and nothing else, of the usual characters."""
    data, offsets = string_buffers(values)
    cells, offsets = _IN_EMAIL[data[offsets[0] : offsets[-1]]], offsets - offsets[0]
    if not len(cells) or int(np.diff(offsets).min()) < 3 or not cells.all():
        return None
    ats = np.flatnonzero(cells == ord("@"))
    if len(ats) != len(values):
        return None
    inside = (ats > offsets[:-1]).all() and (ats < offsets[1:] - 1).all()
    if not inside or not _LETTER_OR_DIGIT[cells[offsets[1:] - 1]].all():
        return None
    return _strings(cells, offsets)


def _ascii(values: pa.Array) -> bool:
    data, offsets = string_buffers(values)
    cells = data[offsets[0] : offsets[-1]]
    return not len(cells) or int(cells.max()) < 0x80


def emails(values: pa.Array) -> pa.Array:
    """The first address in each value, in lower case."""
    if (plain := _plain_emails(values)) is not None:
        return plain
    found = pc.extract_regex(values, _EMAIL)
    inside = pc.struct_field(found, "at")
    return pc.utf8_lower(pc.utf8_rtrim(inside, characters="."))


def telephone_numbers(values: pa.Array, regions: tuple[str, ...]) -> pa.Array:
    """Telephone numbers as E.164; digits as dialled where nothing tells the country.

    National numbers are those of the first of ``regions`` whose numbering plan has most of a probe of them.
    """
    values = values.cast(pa.large_string())
    data, offsets = string_buffers(values)
    if _PLAIN_PHONE[data[offsets[0] : offsets[-1]]].all():
        dialled = _bytes_mapped(values, _DIALLED)
        if _international(dialled):
            short = pc.less_equal(pc.binary_length(dialled), _SHORTEST_PHONE)
            return pc.if_else(short, pa.scalar(None, dialled.type), dialled)
    return _telephone_numbers(values, regions)


def _international(dialled: pa.Array) -> bool:
    """Whether each cell of digits and plus signs begins with its only plus sign."""
    data, offsets = string_buffers(dialled)
    if not len(dialled) or int(np.diff(offsets).min()) == 0:
        return False
    pluses = np.count_nonzero(data[offsets[0] : offsets[-1]] == ord("+"))
    return bool(pluses == len(dialled) and (data[offsets[:-1]] == ord("+")).all())


def _telephone_numbers(values: pa.Array, regions: tuple[str, ...]) -> pa.Array:
    """The same for numbers that may be written in any way."""
    bare = pc.replace_substring_regex(values, _EXTENSION, "")
    bare = pc.replace_substring_regex(bare, r"\(0\)", "")
    plus = pc.match_substring_regex(bare, r"^[^0-9+]*\+")
    digits = _bytes_mapped(bare, _DIGITS)
    abroad = pc.and_(pc.invert(plus), pc.match_substring_regex(digits, r"^(?:00|011)[1-9]"))
    national = pc.invert(pc.or_(plus, abroad))
    rest = pc.replace_substring_regex(digits, r"^(?:00|011)", "")
    whole = _join("+", pc.if_else(abroad, rest, digits))
    if pc.any(national).as_py():
        local = _national(digits.filter(national), regions)
        whole = pc.replace_with_mask(whole, national, local.cast(whole.type))
    return pc.if_else(pc.less(pc.binary_length(digits), _SHORTEST_PHONE), pa.scalar(None, whole.type), whole)


def _national(digits: pa.Array, regions: tuple[str, ...]) -> pa.Array:
    region = _region_of(digits.slice(0, _REGION_PROBE), regions)
    if region is None:
        return digits
    code, trunk = _dialling(region)
    matched = pc.match_substring_regex(digits, phones.phone_pattern(region))
    rest = pc.replace_substring_regex(digits, f"^(?:{trunk})", "") if trunk else digits
    # The trunk prefix is dropped only where what stays is a number: 1 is one and begins others too.
    valid = pc.match_substring_regex(rest, phones.number_pattern(region))
    rest = pc.if_else(valid, rest, digits)
    return pc.if_else(matched, _join(f"+{code}", rest), digits)


def _region_of(digits: pa.Array, regions: tuple[str, ...]) -> str | None:
    best, most = None, 0
    for region in regions:
        count = pc.sum(pc.match_substring_regex(digits, phones.phone_pattern(region))).as_py() or 0
        if count > most:
            best, most = region, count
    return best if most * 2 >= len(digits) else None


@cache
def _dialling(region: str) -> tuple[int, str]:
    """A region's calling code, and the pattern of its trunk prefix."""
    metadata = phones.metadata(region)
    prefix = str(metadata.national_prefix or "")
    return int(metadata.country_code), re.escape(prefix) if prefix.isdigit() else ""


def names(values: pa.Array) -> pa.Array:
    """Names without case, accents, punctuation and order: ``Doe, John`` is ``john doe``."""
    folded = _plain_words(values)
    several = pc.match_substring(folded, " ")
    if pc.any(several).as_py():
        multiple = folded.filter(several)
        ordered = [" ".join(sorted(text.split())) for text in multiple.to_pylist()]
        folded = pc.replace_with_mask(folded, several, pa.array(ordered, folded.type))
    return _nonempty(folded)


def _plain_words(values: pa.Array) -> pa.Array:
    text = values.cast(pa.large_string())
    if repeats(text):
        encoded = text.dictionary_encode()
        plain = _plain_words_of(encoded.dictionary)
        return plain.take(encoded.indices)
    return _plain_words_of(text)


def _plain_words_of(text: pa.Array) -> pa.Array:
    if _ascii(text):
        return _ascii_words(text)
    plain = pc.string_is_ascii(text)
    other = _words_of_any_script(text.filter(pc.invert(plain)))
    easy = _ascii_words(text.filter(plain))
    mask = np.asarray(plain.to_numpy(zero_copy_only=False), dtype=bool)
    place = np.where(mask, np.cumsum(mask) - 1, len(easy) + np.cumsum(~mask) - 1)
    return pa.concat_arrays([easy, other]).take(pa.array(place))


def _words_of_any_script(text: pa.Array) -> pa.Array:
    if len(text) < _FEW:
        # Compiling the classes of characters below costs as much as so many values.
        return pa.array([_foreign_words(each) for each in text.to_pylist()], pa.large_string())
    text = pc.replace_substring_regex(pc.utf8_normalize(text, "NFKD"), r"\p{Mn}", "")
    text = pc.replace_substring_regex(pc.utf8_lower(text), r"[^\pL\pN]+", " ")
    return pc.utf8_trim_whitespace(text)


@lru_cache(1 << 14)
def _foreign_words(text: str) -> str:
    folded = (char for char in unicodedata.normalize("NFKD", text) if unicodedata.category(char) != "Mn")
    spaced = (c if unicodedata.category(c)[0] in "LN" else " " for c in "".join(folded).lower())
    return " ".join("".join(spaced).split())


def _ascii_words(text: pa.Array) -> pa.Array:
    """Letters and digits in lower case; one space for each run of anything else between them."""
    data, offsets = string_buffers(text)
    first = offsets[0]
    mapped, offsets = _WORDS[data[first : offsets[-1]]], offsets - first
    space = mapped == ord(" ")
    if not space.any():
        return _rebuilt(mapped, offsets, ~space)
    ends = np.zeros(len(mapped) + 1, dtype=bool)
    ends[offsets] = True
    followed = np.append(space[1:], True) | ends[1:]
    # Of a run the last space stays, unless the cell ends with it or begins with the run.
    kept = ~(space & followed)
    mapped, offsets = mapped[kept], _moved(kept, offsets)
    begins = offsets[:-1][np.diff(offsets) > 0]
    kept = np.ones(len(mapped), dtype=bool)
    kept[begins[mapped[begins] == ord(" ")]] = False
    return _rebuilt(mapped, offsets, kept)


def joined_names(first: pa.Array, last: pa.Array) -> pa.Array:
    """Given and family names of the same rows (no nulls) as `names` gives them when written together."""
    pair = [each.cast(pa.large_string()).dictionary_encode() for each in (first, last)]
    words = pa.concat_arrays([_plain_words_of(each.dictionary) for each in pair])
    order = pc.sort_indices(words).to_numpy()
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    shift = len(pair[0].dictionary)
    left, right = (
        ranks[each.indices.to_numpy(zero_copy_only=False) + at]
        for each, at in zip(pair, (0, shift), strict=True)
    )
    ordered, more = words.take(pa.array(order)), pc.match_substring(words, " ").to_numpy(zero_copy_only=False)
    several = pa.array(more[order][left] | more[order][right])
    parts = [ordered.take(pa.array(how(left, right))) for how in (np.minimum, np.maximum)]
    together = pc.utf8_trim_whitespace(_join(*parts, between=" "))
    if pc.any(several).as_py():
        ordered = [" ".join(sorted(text.split())) for text in together.filter(several).to_pylist()]
        together = pc.replace_with_mask(together, several, pa.array(ordered, together.type))
    return _nonempty(together)


class NamesWith:
    """Names with something else, of the same rows: what `members` gives without joining their strings.

    Args:
        names: columns of the name (no nulls): the whole of it, or its two parts.
        more: the normal form of what is beside it, null where there is none.
        keyer: hashes.
        identifier: the kind.
    """

    def __init__(
        self, names: Sequence[pa.Array], more: pa.Array, keyer: PersonKeyer, identifier: str
    ) -> None:
        self._names = [each.cast(pa.large_string()) for each in names]
        words = np.zeros(len(more), dtype=np.uint64)
        named = np.zeros(len(more), dtype=bool)
        for each in self._names:
            encoded = each.dictionary_encode()
            plain = _plain_words_of(encoded.dictionary)
            at = encoded.indices.to_numpy(zero_copy_only=False)
            some = pc.greater(pc.binary_length(plain), 0).to_numpy(zero_copy_only=False)
            words += np.where(some, keyer.words(plain), np.uint64(0))[at]
            named |= some[at]
        #: Rows that have both.
        self.valid = named & np.asarray(pc.is_valid(more).to_numpy(zero_copy_only=False), dtype=bool)
        chosen = pa.array(self.valid)
        self._names = [each.filter(chosen) for each in self._names]
        self._more = more.filter(chosen)
        #: Of these rows.
        self.ranks = keyer.named(identifier, words[self.valid], self._more)

    def filter(self, kept: pa.Array) -> pa.Array:
        """The normal forms of some of the rows that have both."""
        parts = [each.filter(kept) for each in self._names]
        name = joined_names(*parts) if len(parts) == 2 else names(parts[0])
        return _join(name, self._more.filter(kept), between=_BETWEEN)


_PLAIN_DATE = r"^[12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?:[^0-9]|$)"
_ISO = re.compile(r"(\d{4})[-/.]?(\d{1,2})[-/.]?(\d{1,2})(?!\d)")
_PARTS = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})(?!\d)")
_WORDY = re.compile(
    r"(\d{1,2})\.?[- ]*([^\W\d_]{3})[^\W\d_]*\.?,?[- ]*(\d{4})|([^\W\d_]{3})[^\W\d_]*\.? (\d{1,2}),? (\d{4})"
)
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip


def _iso_dates(values: pa.Array) -> bool:
    """Whether each cell is ``YYYY-MM-DD`` and nothing else."""
    data, offsets = string_buffers(values)
    if not len(values) or not (np.diff(offsets) == 10).all():
        return False
    cells = data[offsets[0] : offsets[-1]].reshape(-1, 10)
    numbers = cells - np.uint8(ord("0"))
    places = [0, 1, 2, 3, 5, 6, 8, 9]
    if not (cells[:, [4, 7]] == ord("-")).all() or not (numbers[:, places] <= 9).all():
        return False
    century, month, day = (
        numbers[:, 0],
        numbers[:, 5] * 10 + numbers[:, 6],
        numbers[:, 8] * 10 + numbers[:, 9],
    )
    sound = (century >= 1) & (century <= 2) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    return bool(sound.all())


def birth_dates(values: pa.Array) -> pa.Array:
    """Dates as ``YYYY-MM-DD``; null where a value is none. Day or month first is decided for all together."""
    if _iso_dates(values):
        return values
    if pc.all(pc.match_substring_regex(values, _PLAIN_DATE)).as_py():
        return pc.utf8_slice_codeunits(values, 0, 10)
    encoded = values.dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    parts = [found.groups() for text in distinct if (found := _PARTS.match(text.strip()))]
    day_first = not any(int(second) > 12 for _, second, _ in parts)
    dates = pa.array([_date(text.strip(), day_first) for text in distinct], pa.large_string())
    return dates.take(encoded.indices)


def _date(text: str, day_first: bool) -> str | None:
    if found := _ISO.match(text):
        year, month, day = map(int, found.groups())
    elif found := _PARTS.match(text):
        first, second, year = map(int, found.groups())
        year += 0 if year > 99 else 1900 if year > 30 else 2000
        day, month = (first, second) if day_first else (second, first)
    elif found := _WORDY.match(text):
        groups = found.groups()
        written = groups[:3] if groups[0] else (groups[4], groups[3], groups[5])
        day, month, year = int(written[0]), _MONTHS.get(written[1].lower(), 0), int(written[2])
    else:
        return None
    return f"{year:04}-{month:02}-{day:02}" if 1 <= month <= 12 and 1 <= day <= 31 else None


# -- where people live --------------------------------------------------------------------------------------


def countries(values: pa.Array) -> list[str | None]:
    """ISO 3166 alpha-2 codes of countries' names or codes, in any language the lexicon has."""
    return [_country(text) for text in values.to_pylist()]


@cache
def _country(text: str) -> str | None:
    word = text.strip()
    if len(word) == 2 and word.isascii() and word.isalpha():
        code = {"UK": "GB", "EL": "GR"}.get(word.upper(), word.upper())
        return code if code in _country_codes() else None
    codes = _LEXICONS.codes("countries", word) or _LEXICONS.codes("countries", word.replace(".", ""))
    return codes[0] if codes else None


@cache
def _country_codes() -> frozenset[str]:
    from phonenumbers import SUPPORTED_REGIONS

    return frozenset(SUPPORTED_REGIONS)


def states(values: pa.Array) -> list[tuple[str, ...]]:
    """ISO 3166-2 codes that a region's name or code may mean."""
    return [_state(text) for text in values.to_pylist()]


@cache
def _state(text: str) -> tuple[str, ...]:
    word = re.sub(r"^US-", "", text.strip(), flags=re.IGNORECASE)
    return _LEXICONS.codes("regions", word)


#: Area codes of Canada in the North American numbering plan (Canadian Numbering Administrator, 2025).
_CANADA = frozenset(
    {
        "204", "226", "236", "249", "250", "257", "263", "289", "306", "343", "354", "365", "367",
        "368", "382", "387", "403", "416", "418", "428", "431", "437", "438", "450", "460", "468",
        "474", "506", "514", "519", "537", "548", "568", "579", "581", "584", "587", "600", "604",
        "613", "639", "647", "672", "683", "705", "709", "742", "753", "778", "780", "782", "807",
        "819", "825", "851", "867", "873", "879", "902", "905", "942",
    }
)  # fmt: skip
_POSTCODES = (
    ("CA", r"(?i)^\s*[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]\s*$"),
    ("GB", r"(?i)^\s*[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}\s*$"),
    ("NL", r"(?i)^\s*[1-9][0-9]{3} ?[A-Z]{2}\s*$"),
    ("IE", r"(?i)^\s*[A-Z][0-9][0-9W] ?[0-9A-Z]{4}\s*$"),
    ("PL", r"^\s*[0-9]{2}-[0-9]{3}\s*$"),
    ("US", r"^\s*[0-9]{5}-[0-9]{4}\s*$"),
    ("BR", r"^\s*[0-9]{5}-[0-9]{3}\s*$"),
    ("PT", r"^\s*[0-9]{4}-[0-9]{3}\s*$"),
)


def postal_countries(values: pa.Array) -> list[str | None]:
    """The country of postal codes that only one country writes so."""
    out: list[str | None] = [None] * len(values)
    for code, pattern in _POSTCODES:
        for at in np.flatnonzero(pc.match_substring_regex(values, pattern).to_numpy(zero_copy_only=False)):
            out[at] = out[at] or code
    return out


def phone_countries(values: pa.Array) -> list[str | None]:
    """The country of numbers in E.164, where the calling code has one main country."""
    prefixes = pc.utf8_slice_codeunits(values, 0, 5).dictionary_encode()
    found = [_calling_country(prefix) for prefix in prefixes.dictionary.to_pylist()]
    return [None if at is None else found[at] for at in prefixes.indices.to_pylist()]


@cache
def _calling_country(prefix: str | None) -> str | None:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    if not prefix or not prefix.startswith("+"):
        return None
    if prefix.startswith("+1"):
        return "CA" if prefix[2:5] in _CANADA else "US"
    for length in (2, 3, 4):
        code = prefix[1:length]
        if code and int(code) in COUNTRY_CODE_TO_REGION_CODE:
            main = COUNTRY_CODE_TO_REGION_CODE[int(code)][0]
            return main if main.isalpha() else None
    return None
