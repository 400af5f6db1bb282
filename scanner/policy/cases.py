"""Policy cases as data: evidence, and the verdict that a policy must come to. ``policy test`` runs them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from scanner.model import (
    Column,
    Evidence,
    Finding,
    Form,
    Gap,
    Kind,
    Outcome,
    Reason,
    Stage,
    Table,
    status_of,
)
from scanner.policy.categories import taxonomy
from scanner.policy.evaluate import evaluate
from scanner.policy.loading import PolicyError, load
from scanner.policy.model import Policy
from scanner.policy.nodes import Mapping, Problems, compose, position
from scanner.sketch import EMPTY

_CASE_KEYS = ("name", "path", "vendor", "today", "evidence", "gap", "expect")
_EVIDENCE_KEYS = ("type", "category", "table", "column", "form", "rows", "confidence")
_EXPECT_KEYS = ("verdict", "column", "table", "category", "rule")
#: What a whole file may be expected to be, worst first.
VERDICTS = ("over_shared", "needs_review", "unverifiable", "clean")


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        name: of the case.
        place: ``file:line:column``.
        path: of the file that the evidence is of, relative to the share.
        vendor: id, where the path is not to decide.
        today: the day it is judged on.
        outcome: the evidence.
        verdict: expected of the file as a whole; None where findings are listed.
        findings: expected, each as the keys that it must have.
    """

    name: str
    place: str
    path: str
    vendor: str | None
    today: date
    outcome: Outcome
    verdict: str | None
    findings: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of a file; ``policy`` is the one that it names, relative to it."""

    cases: tuple[Case, ...]
    policy: Path | None


def read(path: Path, today: date) -> Suite:
    """The cases of a YAML file, version 1 (``rules/schemas/policy-cases-1.schema.json``).

    Raises:
        PolicyError: it cannot be read, or is wrong; everything is told at once.
    """
    problems = Problems(str(path))
    try:
        root = compose(path.read_text(encoding="utf-8"), problems)
    except OSError as error:
        raise PolicyError([f"{path}:1:1: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise PolicyError([f"{path}:1:1: is not UTF-8 text"]) from None
    top = root and Mapping.of(root, "the file", ("version", "policy", "cases"), problems)
    cases: list[Case] = []
    policy = None
    if top:
        version = top.need("version")
        if version is not None and getattr(version, "value", None) != "1":
            problems.error(version, "'version' must be 1; this program knows no other")
        top.need("cases")
        policy = top.text("policy")
        cases = [made for node in top.items("cases") if (made := _case(node, problems, today)) is not None]
        if not cases and not problems.errors:
            problems.error(root, "there is no case: a test of nothing would always succeed")
    if problems.errors:
        raise PolicyError(problems.errors)
    return Suite(tuple(cases), None if policy is None else path.parent / policy)


def _case(node: yaml.Node, problems: Problems, today: date) -> Case | None:
    given = Mapping.of(node, "a case", _CASE_KEYS, problems)
    if given is None:
        return None
    name = given.text("name", needed=True) or ""
    given.what = f"case {name!r}"
    path = given.text("path", needed=True) or ""
    verdict, findings = _expected(given, problems)
    gap = given.values.get("gap")
    reason = None if gap is None else given.choice("gap", [str(each) for each in Reason], "corrupt")
    return Case(
        name=name,
        place=f"{problems.file}:{position(node)}",
        path=path,
        vendor=given.text("vendor"),
        today=given.day("today") or today,
        outcome=_outcome(path, list(given.items("evidence")), reason, problems),
        verdict=verdict,
        findings=findings,
    )


def _expected(given: Mapping, problems: Problems) -> tuple[str | None, tuple[dict[str, str], ...]]:
    node = given.need("expect")
    if node is None:
        return None, ()
    if isinstance(node, yaml.ScalarNode):
        return given.choice("expect", VERDICTS, "clean"), ()
    found = []
    for each in given.items("expect"):
        inner = Mapping.of(each, f"a finding expected by {given.what}", _EXPECT_KEYS, problems)
        if inner is not None:
            inner.choice("verdict", VERDICTS[:-1], "over_shared")
            found.append({key: value for key in _EXPECT_KEYS if (value := inner.text(key)) is not None})
    return None, tuple(found)


def _outcome(path: str, nodes: list[yaml.Node], reason: str | None, problems: Problems) -> Outcome:
    tables: dict[str, list[Column]] = {}
    for node in nodes:
        given = Mapping.of(node, "evidence", _EVIDENCE_KEYS, problems)
        if given is None:
            continue
        evidence = _evidence(given, problems)
        columns = tables.setdefault(given.text("table") or "-", [])
        name = given.text("column") or evidence.entity_type.lower()
        columns.append(Column(name, len(columns), evidence.rows, Kind.ENTITY, (evidence,)))
    gaps = (Gap(Stage.READ, Reason(reason), "as the case says"),) if reason else ()
    return Outcome(
        path=path,
        member=None,
        format="csv",
        bytes=0,
        sha256=None,
        status=status_of(gaps, has_parts=bool(tables)),
        gaps=gaps,
        tables=tuple(
            Table(name, max(column.values for column in columns), tuple(columns))
            for name, columns in tables.items()
        ),
    )


def _evidence(given: Mapping, problems: Problems) -> Evidence:
    entity_type = given.text("type", needed=True) or ""
    types = taxonomy().types
    if entity_type and entity_type not in types and "category" not in given.values:
        near = difflib.get_close_matches(entity_type, types, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "; name its 'category' too"
        problems.error(given.values["type"], f"unknown entity type {entity_type!r}{hint}")
    category = given.text("category") or types.get(entity_type) or ""
    if category and category not in taxonomy().labels:
        problems.error(given.values.get("category"), f"unknown category {category!r}")
    rows = given.whole("rows")
    return Evidence(
        entity_type=entity_type,
        category=category,
        form=Form(given.choice("form", [str(form) for form in Form], "clear")),
        rows=100 if rows is None else rows,
        mentions=100 if rows is None else rows,
        distinct=EMPTY,
        confidence=given.share("confidence", 0.99),
    )


def run(policy: Policy, case: Case) -> tuple[str, ...]:
    """What is amiss with a case under a policy, as sentences; nothing where it is as it must be."""
    if case.vendor is not None and policy.vendor(case.vendor) is None:
        known = ", ".join(vendor.id for vendor in policy.vendors) or "none"
        return (f"the policy has no vendor {case.vendor!r}; it has: {known}",)
    judged = evaluate(policy, [case.outcome], paths=[case.path], vendor=case.vendor, today=case.today)
    if case.verdict is not None:
        found = {str(finding.verdict) for finding in judged.findings}
        actual = next((verdict for verdict in VERDICTS if verdict in found), "clean")
        if actual == case.verdict:
            return ()
        return (f"expected {case.verdict}, is {actual}", *(_shown(finding) for finding in judged.findings))
    return tuple(_compared(case, list(judged.findings)))


def _compared(case: Case, findings: list[Finding]) -> Iterator[str]:
    left = list(findings)
    for expected in case.findings:
        match = next((finding for finding in left if _fits(finding, expected)), None)
        if match is None:
            wanted = ", ".join(f"{key} {value}" for key, value in expected.items())
            yield f"expected a finding with {wanted}; there is none"
        else:
            left.remove(match)
    for finding in left:
        yield f"did not expect: {_shown(finding)}"


def _fits(finding: Finding, expected: dict[str, Any]) -> bool:
    actual = {
        "verdict": str(finding.verdict),
        "column": finding.column,
        "table": finding.part,
        "category": finding.category,
        "rule": finding.rule,
    }
    return all(actual[key] == value for key, value in expected.items())


def _shown(finding: Finding) -> str:
    return f"{finding.verdict} by {finding.rule}: {finding.because}"


def suite_policy(suite: Suite, given: Path | None, today: date) -> Policy:
    """The policy that cases are held against: the one given, else the one that their file names.

    Raises:
        PolicyError: neither is there, or it is wrong.
    """
    path = given or suite.policy
    if path is None:
        raise PolicyError(["name the policy: --policy FILE, or 'policy' in the file of cases"])
    return load(path, today).policy


__all__ = ["Case", "Suite", "read", "run", "suite_policy"]
