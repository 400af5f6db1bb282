"""Word lists: names of people and places, ordinary words; built by ``rules/build_lexicons.py``.

Entries are in the form that `fold` gives, each as written and without its accents, so a look-up needs no more
than that. `fold` and `fold_all` agree on every text: the first is the second for one value.

Whether a list holds a word is asked of ``members.arrow``: the hashes of all entries of all lists, sorted,
with the lists that hold each as bits. It is mapped into memory and not read, so that a look-up of some
hundred words costs a search and no loading (`memberships`). Weights and codes are read from the lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from scanner import resources

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

NAMES = (
    "given_names",
    "family_names",
    "name_particles",
    "titles",
    "cities",
    "regions",
    "countries",
    "languages",
    "demonyms",
    "street_words",
    "occupations",
    "organization_words",
    "common_words",
    "dictionary_words",
    "not_person_words",
    "thing_words",
)

#: White space as Python's ``str.split`` knows it; RE2's own class is ASCII only.
_SPACES = r"\s\x0b\x1c-\x1f\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_SPACE = f"[{_SPACES}]+"
_BETWEEN_WORDS = rf"[{_SPACES},;./()\"_‐‑–-]+"
_APOSTROPHES = r"['`´ʼ‘’]"


class Lexicons:
    """The shipped word lists; each is read when first asked for, once a process."""

    def values(self, name: str) -> pa.StringArray:
        """All entries of a list, sorted and distinct; for `pyarrow.compute.is_in`.

        Raises:
            KeyError: there is no such list.
        """
        return _column(name, "word")

    def words(self, name: str) -> frozenset[str]:
        """The same as a set."""
        return _words(name)

    def contains(self, name: str, word: str) -> bool:
        """Whether a list holds a word, whatever its case and white space."""
        return bool(memberships([fold(word)])[0] & bit(name))

    def weights(self, name: str) -> pa.FloatArray:
        """How common each of `values` is, in (0, 1]: by the list's own measure, so not across lists."""
        return _column(name, "weight")

    def weight(self, name: str, word: str) -> float:
        """How common a word is, in (0, 1]; 0 where the list does not hold it."""
        return _weights(name).get(fold(word), 0.0)

    def codes(self, name: str, word: str) -> tuple[str, ...]:
        """ISO codes of the best-known bearers of a name: a city's country, a country, region or language.

        Empty where the word is not in the list or the list has no codes. ``georgia`` as a region: ``US-GA``.
        """
        code = _codes(name).get(fold(word))
        return tuple(code.split()) if code else ()


def fold(text: str) -> str:
    """A text as entries are written: lower case, composed, single spaces."""
    if text.isascii():
        return " ".join(text.lower().split())
    return _fold_one(text)


@lru_cache(maxsize=65_536)
def _fold_one(text: str) -> str:
    # By way of Arrow, whose lower case differs from Python's here and there (``İ``, a final ``Σ``).
    import pyarrow as pa

    whole = text.encode("utf-8", "replace").decode()  # Arrow takes no lone surrogates
    folded: str = fold_all(pa.array([whole], pa.string()))[0].as_py()
    return folded


def fold_all(values: pa.StringArray) -> pa.StringArray:
    """`fold` of every value; null stays null."""
    import pyarrow.compute as pc

    lowered = pc.utf8_lower(values)
    if not pc.all(pc.string_is_ascii(lowered), min_count=0).as_py():
        lowered = pc.utf8_normalize(lowered, form="NFC")
    spaced = pc.replace_substring_regex(lowered, pattern=_SPACE, replacement=" ")
    return pc.utf8_trim(spaced, characters=" ")


def tokens(values: pa.StringArray) -> tuple[pa.StringArray, pa.Int64Array]:
    """The words of every value, folded, and for each word the index of the value it comes from.

    Words end at white space, hyphens, full stops, commas and slashes; an apostrophe ends none and is dropped,
    as entries have it (``O'Brien``: ``obrien``). A null or a value without words gives none.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = pc.replace_substring_regex(fold_all(values), pattern=_APOSTROPHES, replacement="")
    split = pc.split_pattern_regex(plain, pattern=_BETWEEN_WORDS)
    flat, parents = pc.list_flatten(split), pc.list_parent_indices(split)
    kept = pc.not_equal(flat, "")
    return pc.filter(flat, kept), pc.cast(pc.filter(parents, kept), pa.int64())


def held(name: str, words: pa.StringArray) -> pa.BooleanArray:
    """Which of some folded words a list holds; False for null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pa.array(memberships(pc.fill_null(words, "").to_pylist()) & bit(name) != 0)


def weights_of(name: str, words: pa.StringArray) -> pa.FloatArray:
    """The weight of each folded word in a list, 0 where the list does not hold it."""
    import pyarrow.compute as pc

    places = pc.index_in(words, value_set=_column(name, "word"))
    return pc.fill_null(pc.take(_column(name, "weight"), places), 0.0)


#: Bytes of the longest entry that has a hash; no list holds a longer one.
LONGEST = 160
_LENGTH = 0xD6E8FEB86659FD93
# Odd constants of the lanes: multiples of the golden ratio's 64 bits, far apart.
_LANES = tuple((0x9E3779B97F4A7C15 * (2 * lane + 1)) & (2**64 - 1) for lane in range(LONGEST // 8))


def hash_words(words: Sequence[str]) -> NDArray[np.uint64]:
    """A 64-bit hash of each folded word, the same in every process and on every machine.

    Eight bytes at a time are multiplied, mixed (SplitMix64's finalizer, Steele et al. 2014) and added up.
    Words longer than `LONGEST` bytes get the hash of the empty word, which is in no list.
    """
    import numpy as np

    from scanner import native
    from scanner.detect.hashing import string_buffers

    if not words:
        return np.zeros(0, np.uint64)
    if native.ready():
        return native.words(*string_buffers(_texts(words)), np.array(_LANES, np.uint64), _LENGTH)
    encoded = [word.encode("utf-8", "replace") for word in words]
    longest = max(map(len, encoded))
    if longest > LONGEST:
        encoded = [word if len(word) <= LONGEST else b"" for word in encoded]
        longest = LONGEST
    lanes = max(1, -(-longest // 8))
    table = np.array(encoded, dtype=f"S{lanes * 8}").view("<u8").reshape(len(encoded), lanes)
    out = np.zeros(len(encoded), np.uint64)
    for lane in range(lanes):
        mixed = table[:, lane] * np.uint64(_LANES[lane])
        mixed ^= mixed >> np.uint64(30)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(27)
        mixed *= np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
        out += mixed
    # Short words are padded with zeros: a zero at the end is another word.
    lengths = np.fromiter(map(len, encoded), np.uint64, len(encoded))
    return out + lengths * np.uint64(_LENGTH)


def _texts(words: Sequence[str]) -> pa.LargeStringArray:
    """The words as an array; what UTF-8 cannot write is a question mark."""
    import pyarrow as pa

    try:
        return pa.array(words, pa.large_string())
    except UnicodeEncodeError:
        return pa.array([word.encode("utf-8", "replace") for word in words], pa.large_string())


def memberships(words: Sequence[str]) -> NDArray[np.uint16]:
    """The lists that hold each folded word, as bits: ``memberships(words) & bit("cities")``."""
    import numpy as np

    hashes, lists = _members()
    wanted = hash_words(words)
    places = np.minimum(np.searchsorted(hashes, wanted), len(hashes) - 1)
    return np.where(hashes[places] == wanted, lists[places], np.uint16(0))


def bit(name: str) -> int:
    """The bit of a list in what `memberships` gives.

    Raises:
        KeyError: there is no such list.
    """
    try:
        return 1 << NAMES.index(name)
    except ValueError:
        raise KeyError(_no_list(name)) from None


def _no_list(name: str) -> str:
    return f"no lexicon {name!r}; there are {', '.join(NAMES)}"


@cache
def _members() -> tuple[NDArray[np.uint64], NDArray[np.uint16]]:
    import pyarrow as pa

    source = pa.memory_map(str(resources.path("rules", "lexicons", "members.arrow")))
    batch = pa.ipc.open_file(source).get_batch(0)
    return (
        batch.column("hash").to_numpy(zero_copy_only=True),
        batch.column("lists").to_numpy(zero_copy_only=True),
    )


def members(lists: Sequence[tuple[str, Sequence[str]]]) -> pa.RecordBatch:
    """What ``members.arrow`` holds for lists of folded words, given in the order of `NAMES`.

    Raises:
        ValueError: two words have the same hash, or the lists are not those of `NAMES`.
    """
    import numpy as np
    import pyarrow as pa

    if tuple(name for name, _ in lists) != NAMES:
        raise ValueError("not the lists of NAMES in their order")
    bits: dict[str, int] = {}
    for name, words in lists:
        for word in words:
            bits[word] = bits.get(word, 0) | bit(name)
    hashes = hash_words(list(bits))
    if len(np.unique(hashes)) != len(bits) or not hashes.all():
        raise ValueError("two words have the same hash")
    order = np.argsort(hashes)
    return pa.record_batch(
        {
            "hash": pa.array(hashes[order]),
            "lists": pa.array(np.fromiter(bits.values(), np.uint16, len(bits))[order]),
        }
    )


@cache
def _column(name: str, column: str) -> pa.Array:
    table = _table(name)
    return table.column(column).combine_chunks()


@cache
def _table(name: str) -> pa.Table:
    import pyarrow.feather as feather

    if name not in NAMES:
        raise KeyError(_no_list(name))
    return feather.read_table(str(resources.path("rules", "lexicons", f"{name}.arrow")))


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(_column(name, "word").to_pylist())


@cache
def _weights(name: str) -> dict[str, float]:
    return dict(zip(_column(name, "word").to_pylist(), _column(name, "weight").to_pylist(), strict=True))


@cache
def _codes(name: str) -> dict[str, str | None]:
    if "code" not in _table(name).column_names:
        return {}
    return dict(zip(_column(name, "word").to_pylist(), _column(name, "code").to_pylist(), strict=True))
