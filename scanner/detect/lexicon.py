"""Word lists: names of people and places, ordinary words; built by ``rules/build_lexicons.py``.

Entries are in the form that `fold` gives, each as written and without its accents, so a look-up needs no more
than that. `fold` and `fold_all` agree on every text: the first is the second for one value.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from scanner import resources

if TYPE_CHECKING:
    import pyarrow as pa

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
        return fold(word) in _words(name)

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
    import pyarrow.compute as pc

    return pc.is_in(words, value_set=_column(name, "word"))


def weights_of(name: str, words: pa.StringArray) -> pa.FloatArray:
    """The weight of each folded word in a list, 0 where the list does not hold it."""
    import pyarrow.compute as pc

    places = pc.index_in(words, value_set=_column(name, "word"))
    return pc.fill_null(pc.take(_column(name, "weight"), places), 0.0)


@cache
def _column(name: str, column: str) -> pa.Array:
    table = _table(name)
    return table.column(column).combine_chunks()


@cache
def _table(name: str) -> pa.Table:
    import pyarrow.feather as feather

    if name not in NAMES:
        raise KeyError(f"no lexicon {name!r}; there are {', '.join(NAMES)}")
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
