"""Every golden case of every format, through the registry as the engine goes. See tests/corpus/README.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scanner.config import Limits
from scanner.readers.base import ReadContext, Reader, Source
from scanner.readers.compression import unwrap
from scanner.readers.registry import choose, readers, surest
from tests.readers.folding import Folded, FoldedColumn, FoldedTable, FoldedText, fold

CORPUS = Path(__file__).parents[1] / "corpus"
CASES = sorted(path.parent for path in CORPUS.glob("*/*/expected.json"))
KEYS = {"about", "as", "limits", "containers", "tables", "texts", "children", "gaps", "error"}
TABLE_KEYS = {"name", "columns", "rows", "headed", "hidden", "hidden_columns", "cells", "nonblank"}
TEXT_KEYS = {"name", "hidden", "characters", "text", "contains"}


def _case_id(case: Path) -> str:
    return f"{case.parent.name}/{case.name}"


def _expected(case: Path) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads((case / "expected.json").read_text("utf-8"))
    return expected


def _input(case: Path) -> Path:
    (found,) = case.glob("input*")
    return found


@pytest.mark.parametrize("case", CASES, ids=_case_id)
def test_a_case_is_read_as_expected(case: Path) -> None:
    """The input's tables, texts, children and gaps are those that the case lists."""
    expected = _expected(case)
    assert expected.keys() <= KEYS
    context = ReadContext(Limits(**expected.get("limits", {})))
    source = Source.of_file(_input(case))
    source.name = expected.get("as", source.name)
    source, containers = unwrap(source, context)
    reader = choose(source.head, source.name)
    assert reader is not None, "no reader accepts it"
    assert reader.format_of(source.head, source.name) == case.parent.name
    assert list(containers) == expected.get("containers", [])
    folded = fold(reader.read(source, context))
    source.close()
    assert _told(folded, expected) == _wanted(expected)


def _wanted(expected: dict[str, Any]) -> dict[str, Any]:
    return {
        "tables": expected.get("tables", []),
        "texts": expected.get("texts", []),
        "children": expected.get("children", []),
        "gaps": expected.get("gaps", []),
        "error": expected.get("error"),
    }


def _told(folded: Folded, expected: dict[str, Any]) -> dict[str, Any]:
    """What was read, in the words of ``expected`` and with the keys that it asks for."""
    tables = {table["name"]: table for table in expected.get("tables", [])}
    texts = {text["name"]: text for text in expected.get("texts", [])}
    with_size = any(isinstance(child, dict) for child in expected.get("children", []))
    return {
        "tables": [_table(table, tables.get(table.name, {})) for table in folded.tables.values()],
        "texts": [_text(text, texts.get(text.name, {})) for text in folded.texts.values()],
        "children": [{"name": name, "bytes": size} if with_size else name for name, size in folded.children],
        "gaps": [str(gap.reason) for gap in folded.gaps],
        "error": str(folded.error.reason) if folded.error is not None else None,
    }


def _table(table: FoldedTable, asked: dict[str, Any]) -> dict[str, Any]:
    assert asked.keys() <= TABLE_KEYS
    told: dict[str, Any] = {
        "name": table.name,
        "columns": [column.name for column in table.columns],
        "rows": table.rows,
    }
    if "headed" in asked or not table.headed:
        told["headed"] = table.headed
    if "hidden" in asked or table.hidden:
        told["hidden"] = table.hidden
    hidden = [column.name for column in table.columns if column.hidden]
    if "hidden_columns" in asked or hidden:
        told["hidden_columns"] = hidden
    if "cells" in asked:
        told["cells"] = {
            name: _cells(table.column(name), in_pairs=any(isinstance(cell, list) for cell in cells))
            for name, cells in asked["cells"].items()
        }
    if "nonblank" in asked:
        told["nonblank"] = {name: table.column(name).nonblank for name in asked["nonblank"]}
    return {key: told[key] for key in [*asked, *told]}


def _cells(column: FoldedColumn, in_pairs: bool) -> list[Any]:
    return [list(cell) for cell in column.cells] if in_pairs else column.values


def _text(text: FoldedText, asked: dict[str, Any]) -> dict[str, Any]:
    assert asked.keys() <= TEXT_KEYS
    told: dict[str, Any] = {"name": text.name}
    if "hidden" in asked or text.hidden:
        told["hidden"] = text.hidden
    if "characters" in asked:
        told["characters"] = len(text.text)
    if "text" in asked:
        told["text"] = text.text
    if "contains" in asked:
        told["contains"] = [piece for piece in asked["contains"] if piece in text.text]
    return told


@pytest.mark.parametrize("reader", readers(), ids=lambda reader: str(reader.format))
def test_every_reader_has_a_case(reader: Reader) -> None:
    """A reader without a golden case is not finished."""
    assert any(case.parent.name == reader.format for case in CASES)


def test_every_folder_of_the_corpus_is_a_case() -> None:
    """A case whose expectation was forgotten would never run."""
    folders = {path for path in CORPUS.glob("*/*") if path.is_dir()}
    assert folders == set(CASES)


@pytest.mark.parametrize("case", CASES, ids=_case_id)
def test_readers_that_are_not_asked_would_not_have_it(case: Path) -> None:
    """The choice among the few that are imported for a text is the choice among all."""
    head = _input(case).read_bytes()[:65536]
    for start in (head, head[:600], head[:40], head.replace(b"\0", b" ")):
        for name in (
            _input(case).name,
            _expected(case).get("as", ""),
            "download",
            "x.csv",
            "x.xlam",
            "x.ods",
        ):
            chosen = surest(start, name, readers())
            assert choose(start, name) is chosen, (len(start), name)
