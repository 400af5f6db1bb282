"""YAML is read like the JSON of the same values, within bounds."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from scanner.config import Limits
from scanner.model import Reason
from scanner.readers.base import ReadContext
from scanner.readers.jsondoc import JsonReader
from scanner.readers.yamldoc import YamlReader
from tests.readers.folding import Folded, fold_bytes

READER = YamlReader()
KEYS = st.sampled_from(["id", "name", "email", "city"])
SCALARS = st.none() | st.text("abc @.1", max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def _read(text: str, name: str = "x.yaml", **limits: int) -> Folded:
    return fold_bytes(READER, text.encode(), name, ReadContext(Limits(**limits)))


def _values(folded: Folded) -> dict[str, dict[str, list[tuple[int, str | None]]]]:
    return {
        table.name: {c.name: [cell for cell in c.cells if cell[1] is not None] for c in table.columns}
        for table in folded.tables.values()
    }


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=4), min_size=1, max_size=8))
def test_it_is_read_like_json(records: list[dict[str, Any]]) -> None:
    """The same document in both gives the same tables."""
    for document in (records, {"meta": "x", "results": records}):
        text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
        as_json = fold_bytes(JsonReader(), json.dumps(document).encode(), "x.json")
        folded = _read(text)
        assert folded.reasons == []
        assert _values(folded) == _values(as_json)


def test_aliases_that_multiply_are_not_followed() -> None:
    """A few lines cannot become a billion values."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join(['*' + before] * 10)}]")
    started = time.monotonic()
    assert _read("\n".join(lines)).reasons == [Reason.TOO_LARGE]
    assert time.monotonic() - started < 20


def test_an_alias_of_itself_ends() -> None:
    """A list that holds itself is no endless one."""
    assert _read("a: &a [1, *a]\n").table().column("a[]").values == ["1", None]


def test_brackets_without_end_are_a_gap() -> None:
    """The parser would take minutes over them."""
    folded = _read("[" * 200_000)
    assert folded.reasons == [Reason.TOO_DEEP]
    assert len(folded.texts["unparsed"].text) == 200_000


def test_a_document_after_a_broken_one_is_text() -> None:
    """What came before the damage is a table, the rest is read as text."""
    folded = _read("---\nname: Anna\n---\nname: Bert\n---\n  bad: [\nphone: 0171 5550100\n")
    assert folded.reasons == [Reason.CORRUPT]
    assert "0171 5550100" in folded.texts["unparsed"].text


def test_depth_is_bounded() -> None:
    """Below the limit is a gap, above it is read."""
    folded = _read("- {a: {b: {c: {d: 1}}}, id: 7}\n", json_depth=3)
    assert folded.reasons == [Reason.TOO_DEEP]
    assert folded.table().column("id").values == ["7"]


@pytest.mark.parametrize(
    ("text", "name", "accepted"),
    [
        ("name: Anna\n", "x.yml", True),
        ("---\nname: Anna\nage: 3\n", "people", True),
        (
            "---\ntitle: A\n---\n\n# Text\n\nWith words, and lines\nthat are prose.\n",
            "x",
            False,
        ),
        ("--- a/file\n+++ b/file\n@@ -1 +1 @@\n-x\n+y\n", "x.diff", False),
        ("Dear Anna,\nall is well.\n", "x.txt", False),
        ("\n" * 5000, "x", False),
    ],
)
def test_what_is_yaml(text: str, name: str, accepted: bool) -> None:
    """By name; or by a mark, followed by keys or entries."""
    assert (READER.accepts(text.encode(), name) > 0) is accepted


@given(st.binary(max_size=150) | st.text("-:[]{}&*<!a1 \n\"'|>?#,~", max_size=60).map(str.encode))
@example(b"&a [*a]")
@example(b"? [a, {b: c}]\n: d")
@example(b"<<: [a, {b: 1}]")
@example(b"a: \x00")
def test_any_bytes_end_in_chunks_or_gaps(data: bytes) -> None:
    """Nothing but a `ReadError` comes out."""
    READER.accepts(data, "x")
    fold_bytes(READER, data, "x.yaml")
