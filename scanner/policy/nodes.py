"""YAML with places: every value knows its line and column, and all mistakes are collected."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml

#: A policy is written by people; a larger file is a mistake or an attack.
MAX_BYTES = 4 << 20
#: Values after aliases are resolved: a file of anchors upon anchors would never end.
MAX_NODES = 200_000


@dataclass
class Problems:
    """Errors and warnings of one file, as ``file:line:column: sentence``."""

    file: str
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def error(self, node: yaml.Node | None, sentence: str) -> None:
        """Something that is wrong."""
        self.errors.append(f"{self.file}:{position(node)}: {sentence}")

    def warn(self, node: yaml.Node | None, sentence: str) -> None:
        """Something that is amiss without being wrong."""
        self.warnings.append(f"{self.file}:{position(node)}: warning: {sentence}")


def position(node: yaml.Node | None) -> str:
    """``line:column`` of a node, both from 1."""
    mark = node.start_mark if node is not None else None
    return f"{mark.line + 1}:{mark.column + 1}" if mark is not None else "1:1"


def compose(text: str, problems: Problems) -> yaml.Node | None:
    """The document's root node; None, with the problem told, where there is none."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        what = getattr(error, "problem", None) or "cannot be parsed"
        problems.errors.append(f"{problems.file}:{place}: is not valid YAML: {what}")
        return None
    if root is None:
        problems.error(None, "is empty; a policy needs at least 'version' and 'vendors'")
        return None
    if _size(root) > MAX_NODES:
        problems.error(root, "is too large once its aliases are resolved")
        return None
    return root


def _size(root: yaml.Node) -> int:
    """Nodes with aliases counted each time, up to just over the limit."""
    pending, count = [root], 0
    while pending and count <= MAX_NODES:
        node = pending.pop()
        count += 1
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                pending += (key, value)
        elif isinstance(node, yaml.SequenceNode):
            pending += node.value
    return count


@dataclass
class Mapping:
    """A mapping of the file, whose keys are asked for one by one.

    ``what`` names it in sentences (``vendor 'acme'``).
    """

    node: yaml.MappingNode
    what: str
    problems: Problems
    values: dict[str, yaml.Node] = field(default_factory=dict)
    keys: dict[str, yaml.Node] = field(default_factory=dict)

    @classmethod
    def of(cls, node: yaml.Node, what: str, known: Iterable[str], problems: Problems) -> Mapping | None:
        """The node as a mapping of ``known`` keys; unknown and repeated ones are told."""
        if not isinstance(node, yaml.MappingNode):
            problems.error(node, f"{what} must be a mapping")
            return None
        made = cls(node, what, problems)
        names = list(known)
        for key, value in node.value:
            made._add(key, value, names)
        return made

    def _add(self, key: yaml.Node, value: yaml.Node, known: list[str]) -> None:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else f"; expected one of {', '.join(known)}"
            self.problems.error(key, f"unknown key {name!r} in {self.what}{hint}")
        elif name in self.values:
            self.problems.error(key, f"key {name!r} stands twice in {self.what}")
        else:
            self.values[name], self.keys[name] = value, key

    def need(self, name: str) -> yaml.Node | None:
        """The value of a key that must be there."""
        if name not in self.values:
            self.problems.error(self.node, f"{self.what} lacks {name!r}")
        return self.values.get(name)

    def text(self, name: str, *, needed: bool = False) -> str | None:
        """A text, None where absent or wrong."""
        node = self.need(name) if needed else self.values.get(name)
        return None if node is None else scalar(node, f"{name!r} of {self.what}", self.problems)

    def whole(self, name: str) -> int | None:
        """A whole number, 0 or more."""
        node = self.values.get(name)
        if node is None:
            return None
        value = _plain(node)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            self.problems.error(node, f"{name!r} of {self.what} must be a whole number, 0 or more")
            return None
        return value

    def share(self, name: str, default: float) -> float:
        """A number from 0 to 1."""
        node = self.values.get(name)
        if node is None:
            return default
        value = _plain(node)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            self.problems.error(node, f"{name!r} of {self.what} must be a number from 0 to 1")
            return default
        return float(value)

    def day(self, name: str, *, needed: bool = False) -> date | None:
        """A date, quoted or not."""
        node = self.need(name) if needed else self.values.get(name)
        if node is None:
            return None
        try:
            return date.fromisoformat(node.value if isinstance(node, yaml.ScalarNode) else "")
        except ValueError:
            self.problems.error(node, f"{name!r} of {self.what} must be a date such as 2027-12-31")
            return None

    def items(self, name: str) -> Iterator[yaml.Node]:
        """The entries of a list; none where absent or wrong."""
        node = self.values.get(name)
        if node is None:
            return
        if not isinstance(node, yaml.SequenceNode):
            self.problems.error(node, f"{name!r} of {self.what} must be a list")
            return
        yield from node.value

    def choice(self, name: str, options: Iterable[str], default: str) -> str:
        """One word of several."""
        node = self.values.get(name)
        if node is None:
            return default
        allowed = list(options)
        value = node.value if isinstance(node, yaml.ScalarNode) else None
        if value in allowed:
            return str(value)
        near = difflib.get_close_matches(str(value), allowed, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        self.problems.error(node, f"{name!r} of {self.what} must be one of {', '.join(allowed)}{hint}")
        return default


def scalar(node: yaml.Node, what: str, problems: Problems) -> str | None:
    """A node's text, which must not be empty."""
    if (
        not isinstance(node, yaml.ScalarNode)
        or node.tag.endswith((":null", ":bool"))
        or not node.value.strip()
    ):
        problems.error(node, f"{what} must be text")
        return None
    return str(node.value)


def _plain(node: yaml.Node) -> Any:
    """The value of a number node, None for any other."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    try:
        if node.tag.endswith(":int"):
            return int(node.value.replace("_", ""))
        return float(node.value) if node.tag.endswith(":float") else None
    except ValueError:
        return None
