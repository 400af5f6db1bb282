"""Word lists: names of people and places, built by ``rules/build_lexicons.py``.

Entries are lower case, with and without their accents; a look-up needs nothing but `fold`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from scanner import resources

if TYPE_CHECKING:
    import pyarrow as pa

NAMES = (
    "given_names",
    "family_names",
    "cities",
    "regions",
    "countries",
    "organization_words",
    "common_words",
)


class Lexicons:
    """The shipped word lists; each is read when first asked for, once a process."""

    def values(self, name: str) -> pa.Array:
        """All entries of a list, sorted; for `pyarrow.compute.is_in`.

        Raises:
            KeyError: there is no such list.
        """
        return _array(name)

    def words(self, name: str) -> frozenset[str]:
        """The same as a set."""
        return _words(name)

    def contains(self, name: str, word: str) -> bool:
        """Whether a list holds a word, whatever its case and white space."""
        return fold(word) in _words(name)


def fold(text: str) -> str:
    """A text as entries are written."""
    return " ".join(text.lower().split())


@cache
def _array(name: str) -> pa.Array:
    import pyarrow.feather as feather

    if name not in NAMES:
        raise KeyError(f"no lexicon {name!r}; there are {', '.join(NAMES)}")
    table = feather.read_table(str(resources.path("rules", "lexicons", f"{name}.arrow")))
    return table.column("word").combine_chunks()


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(_array(name).to_pylist())
