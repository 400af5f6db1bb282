"""Keys of people: one person gives one key in every file and year, under one installation's key.

A key is HMAC-SHA256 of an identifier's kind and its normalised value, cut to 64 bits. Kinds, strongest
first: e-mail address, telephone number (E.164), an identifier that a state gave, an account's number in the
name space of its heading, name with date of birth, name with address, and then what tells people apart less
well.

Values are normalised with Arrow kernels, and hashed once for each distinct value of a chunk.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scanner.detect import lexicon, phones
from scanner.detect.cells import repeats
from scanner.detect.hashing import Hashes, blocks, string_buffers

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
_PLAIN_EMAIL = r"^[0-9A-Za-z._%+-]+@[0-9A-Za-z.-]+[0-9A-Za-z]$"
_EXTENSION = r"(?i)[\s,;]*(?:x|ext\.?|extension|durchwahl|poste|interno|ramal|#)[\s.:]*[0-9]{1,6}\s*$"
_BLOCK_BYTES = 1 << 15
_LEXICONS = lexicon.Lexicons()
_SHORTEST_PHONE = 6
_GENERIC_HEADINGS = frozenset({"id", "nr", "no", "num", "number", "key", "code", "uid", "uuid", "guid", "pk"})
_REGION_PROBE = 256


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
        """A keyed 64-bit hash for each of ``values`` (normal forms), for exact membership.

        Not `keys`, as these cost twenty times as much. The family is universal, not cryptographic, and is
        kept encrypted only.
        """
        salt = np.uint64(int.from_bytes(hashlib.sha256(identifier.encode()).digest()[:8], "little"))
        return np.asarray(self._members.hash(values) ^ salt, dtype=np.uint64)

    def keys(self, identifier: str, values: pa.Array) -> Hashes:
        """One key for each of ``values``, normalised strings without nulls.

        The two compressions are taken up from the padded key's state (RFC 2104), which is a third of the
        price of `hmac.digest`.
        """
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
            pieces.append(last.digest()[:8])
        hashes = np.frombuffer(b"".join(pieces), dtype="<u8")
        if encoded is None:
            return hashes
        return np.asarray(hashes[encoded.indices.to_numpy(zero_copy_only=False)], dtype=np.uint64)

    def key(self, identifier: str, value: str) -> int:
        """The key of one normalised value."""
        return int(self.keys(identifier, pa.array([value], pa.large_string()))[0])


class _MemberHasher:
    """A polynomial hash modulo 2^64 over keyed random byte codes, ended with the mixing step of splitmix64.

    Its values are kept for years, so it must never change; `ColumnHasher` may, as its values live for a scan.
    """

    def __init__(self, key: bytes) -> None:
        words = np.frombuffer(hashlib.shake_256(key).digest(258 * 8), dtype="<u8").astype(np.uint64)
        self._codes = words[:256] | np.uint64(1)
        base = int(words[256]) | 1
        self._salt = words[257]
        self._base, self._inverse = np.uint64(base), np.uint64(pow(base, -1, 1 << 64))
        self._powers = self._inverses = np.empty(0, np.uint64)

    def hash(self, array: pa.Array) -> Hashes:
        """One hash for each cell of a string array without nulls."""
        data, offsets = string_buffers(array)
        out = np.empty(len(array), dtype=np.uint64)
        for start, stop in blocks(offsets, _BLOCK_BYTES):
            out[start:stop] = self._block(data, offsets[start : stop + 1])
        return out

    def _block(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Hashes:
        first, size = int(offsets[0]), int(offsets[-1] - offsets[0])
        if size >= len(self._powers):
            self._powers, self._inverses = _powers(self._base, size + 1), _powers(self._inverse, size + 1)
        terms = self._codes[data[first : first + size]] * self._powers[:size]
        prefix = np.zeros(size + 1, dtype=np.uint64)
        np.cumsum(terms, out=prefix[1:])
        begins, ends = offsets[:-1] - first, offsets[1:] - first
        hashes = (prefix[ends] - prefix[begins]) * self._inverses[begins]
        hashes += (ends - begins).astype(np.uint64) * self._salt
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
        return np.asarray(hashes ^ (hashes >> np.uint64(31)), dtype=np.uint64)


def _powers(base: np.uint64, count: int) -> Hashes:
    factors = np.full(count, base, dtype=np.uint64)
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint64)


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
        return _nonempty(pc.utf8_lower(pc.utf8_trim_whitespace(values)))
    return _nonempty(pc.utf8_upper(pc.replace_substring_regex(values, r"[^0-9A-Za-z]", "")))


def _join(*parts: pa.Array | str, between: str = "") -> pa.Array:
    texts = [pa.scalar(part, pa.large_string()) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*texts, pa.scalar(between, pa.large_string()))


def _nonempty(values: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(pc.binary_length(values), 0), pa.scalar(None, values.type), values)


def emails(values: pa.Array) -> pa.Array:
    """The first address in each value, in lower case."""
    if pc.all(pc.match_substring_regex(values, _PLAIN_EMAIL)).as_py():
        return pc.utf8_lower(values)
    found = pc.extract_regex(values, _EMAIL)
    inside = pc.struct_field(found, "at")
    return pc.utf8_lower(pc.utf8_rtrim(inside, characters="."))


def telephone_numbers(values: pa.Array, regions: tuple[str, ...]) -> pa.Array:
    """Telephone numbers as E.164; digits as dialled where nothing tells the country.

    National numbers are those of the first of ``regions`` whose numbering plan has most of a probe of them.
    """
    bare = pc.replace_substring_regex(values, _EXTENSION, "")
    bare = pc.replace_substring_regex(bare, r"\(0\)", "")
    plus = pc.match_substring_regex(bare, r"^[^0-9+]*\+")
    digits = pc.replace_substring_regex(bare, r"[^0-9]", "")
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
    if not pc.all(pc.string_is_ascii(text)).as_py():
        text = pc.replace_substring_regex(pc.utf8_normalize(text, "NFKD"), r"\p{Mn}", "")
    text = pc.replace_substring_regex(pc.utf8_lower(text), r"[^\pL\pN]+", " ")
    return pc.utf8_trim_whitespace(text)


def joined_names(first: pa.Array, last: pa.Array) -> pa.Array:
    """Given and family names of the same rows (no nulls) as `names` gives them when written together."""
    left, right = _plain_words(first), _plain_words(last)
    together = _join(pc.min_element_wise(left, right), pc.max_element_wise(left, right), between=" ")
    several = pc.or_(pc.match_substring(left, " "), pc.match_substring(right, " "))
    together = pc.utf8_trim_whitespace(together)
    if pc.any(several).as_py():
        ordered = [" ".join(sorted(text.split())) for text in together.filter(several).to_pylist()]
        together = pc.replace_with_mask(together, several, pa.array(ordered, together.type))
    return _nonempty(together)


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


def birth_dates(values: pa.Array) -> pa.Array:
    """Dates as ``YYYY-MM-DD``; null where a value is none. Day or month first is decided for all together."""
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
