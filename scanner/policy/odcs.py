"""Data contracts in the Open Data Contract Standard, version 3, as what a vendor may have of a feed.

A contract says what a feed holds on purpose: the categories of its properties are those that its vendor may
have in it. A property says its category by ``customProperties`` (``category``), by ``classification``, or by
a tag; one that says none allows nothing.

Standard: Open Data Contract Standard 3.1.0, Bitol / LF AI & Data.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from scanner.model import Form
from scanner.policy.categories import taxonomy
from scanner.policy.model import Allow
from scanner.policy.nodes import MAX_BYTES, Problems, compose, position

#: Names that custom properties for a category go by, in lower case without separators.
_CATEGORY = frozenset({"category", "datacategory", "datacategories", "fidescategory", "fidesdatacategory"})
_FORM = frozenset({"form"})
#: What comes before a category in a tag, where anything does.
_PREFIXES = ("category:", "category=", "fides:", "fideslang:")
_DEPTH = 32


def load(path: Path, problems: Problems, text: str | None = None) -> tuple[Allow, ...]:
    """What a contract allows. What is wrong with it goes to ``problems``, with its place in the contract.

    Args:
        path: the contract, YAML or JSON.
        problems: of the policy that names it.
        text: of the contract, where it was read already.
    """
    own = Problems(str(path))
    text = _read(path, own) if text is None else text
    root = None if text is None else compose(text, own)
    allowed = () if root is None else tuple(_contract(root, own))
    problems.errors += own.errors
    problems.warnings += own.warnings
    return allowed


def _read(path: Path, problems: Problems) -> str | None:
    try:
        if path.stat().st_size > MAX_BYTES:
            problems.error(None, f"is over {MAX_BYTES >> 20} MiB, too large for a contract")
            return None
        return path.read_text(encoding="utf-8")
    except OSError as error:
        problems.error(None, f"cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        problems.error(None, "is not UTF-8 text")
    return None


def _contract(root: yaml.Node, problems: Problems) -> Iterator[Allow]:
    top = _entries(root)
    kind, version = _text(top.get("kind")), _text(top.get("apiVersion"))
    if kind != "DataContract":
        problems.error(top.get("kind", root), "'kind' must be DataContract: this is no data contract of ODCS")
        return
    if not (version or "").startswith("v3."):
        problems.error(top.get("apiVersion", root), "'apiVersion' must be v3: other versions are not known")
        return
    if _text(top.get("status")) in ("retired", "deprecated"):
        problems.warn(top["status"], f"the contract is {_text(top['status'])}")
    found: dict[tuple[str, frozenset[Form] | None], Allow] = {}
    for schema in _items(top.get("schema")):
        for property_ in _properties(schema, 0):
            for allowed in _allowed(property_, problems):
                found.setdefault((allowed.category, allowed.forms), allowed)
    if not found:
        problems.warn(root, "no property of the contract names a category: it allows nothing")
    yield from found.values()


def _properties(node: yaml.Node, depth: int) -> Iterator[yaml.Node]:
    """The properties of an object, nested ones and the elements of arrays too."""
    if depth > _DEPTH:
        return
    entries = _entries(node)
    for property_ in _items(entries.get("properties")):
        yield property_
        yield from _properties(property_, depth + 1)
    if (items := entries.get("items")) is not None:
        yield items
        yield from _properties(items, depth + 1)


def _allowed(node: yaml.Node, problems: Problems) -> Iterator[Allow]:
    entries = _entries(node)
    custom = [_entries(each) for each in _items(entries.get("customProperties"))]
    forms = _forms(custom, problems)
    seen = False
    for each in custom:
        if _plain(_text(each.get("property"))) in _CATEGORY:
            for value in _values(each.get("value")):
                seen = True
                yield from _category(value, forms, problems)
    if seen:
        return
    classified = entries.get("classification")
    for value in [*([classified] if classified is not None else []), *_items(entries.get("tags"))]:
        key = _untagged(_text(value) or "")
        if key in taxonomy().labels or key.startswith(("user.", "system.")):
            yield from _category(value, forms, problems)


def _category(node: yaml.Node, forms: frozenset[Form] | None, problems: Problems) -> Iterator[Allow]:
    key = _untagged(_text(node) or "")
    if key in taxonomy().labels:
        yield Allow(key, forms, position(node))
        return
    near = difflib.get_close_matches(key, taxonomy().labels, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else "; `sharewatch policy schema` lists all"
    problems.error(node, f"unknown category {key!r}{hint}")


def _forms(custom: list[dict[str, yaml.Node]], problems: Problems) -> frozenset[Form] | None:
    known = [str(form) for form in Form]
    found: set[Form] = set()
    for each in custom:
        if _plain(_text(each.get("property"))) not in _FORM:
            continue
        for value in _values(each.get("value")):
            text = _text(value)
            if text in known:
                found.add(Form(text))
            else:
                problems.error(value, f"unknown form {text!r}; there are {', '.join(known)}")
    return frozenset(found) or None


def _untagged(text: str) -> str:
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix)
    return text.strip()


def _plain(text: str | None) -> str:
    return (text or "").replace("_", "").replace("-", "").replace(" ", "").lower()


def _entries(node: yaml.Node | None) -> dict[str, yaml.Node]:
    pairs: list[Any] = node.value if isinstance(node, yaml.MappingNode) else []
    return {key.value: value for key, value in pairs if isinstance(key, yaml.ScalarNode)}


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _values(node: yaml.Node | None) -> list[yaml.Node]:
    return [] if node is None else _items(node) or [node]


def _text(node: yaml.Node | None) -> str | None:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None
