"""What two policies make of the same evidence: ``policy diff``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

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
    Status,
    Table,
    Text,
)
from scanner.policy.evaluate import evaluate
from scanner.policy.model import Policy
from scanner.sketch import EMPTY


@dataclass(frozen=True, slots=True)
class Change:
    """A field or file that the policies judge differently; None stands for no finding."""

    subject: str
    old: Finding | None
    new: Finding | None

    @property
    def stricter(self) -> bool:
        """Whether the new policy finds something where the old one did not."""
        return self.old is None


def compare(
    old: Policy, new: Policy, outcomes: Sequence[Outcome], paths: Sequence[str], today: date
) -> tuple[Change, ...]:
    """The changes from one policy to another, in the order of what they are about.

    Args:
        old: the policy that holds.
        new: the one that may come.
        outcomes: the evidence.
        paths: for each outcome, relative to the share.
        today: the day both are held against.
    """
    before = _by_subject(evaluate(old, outcomes, paths=paths, today=today).findings)
    after = _by_subject(evaluate(new, outcomes, paths=paths, today=today).findings)
    return tuple(
        Change(subject, before.get(subject), after.get(subject))
        for subject in sorted(before.keys() | after.keys())
        if _judged(before.get(subject)) != _judged(after.get(subject))
    )


def _by_subject(findings: Sequence[Finding]) -> dict[str, Finding]:
    return {_subject(finding): finding for finding in reversed(findings)}


def _subject(finding: Finding) -> str:
    """What a finding is about, whatever policy it is of."""
    place = [finding.path or f"all that {finding.vendor} has", finding.member, finding.part, finding.column]
    what = finding.category or finding.rule.rpartition(".")[2]
    return f"{' / '.join(each for each in place if each and each != '-')} ({what})"


def _judged(finding: Finding | None) -> tuple[str, str | None] | None:
    return None if finding is None else (str(finding.verdict), finding.vendor)


def outcomes_of(report: Mapping[str, Any]) -> list[Outcome]:
    """The evidence in a JSON report, version 1. How many people it is about is not in it.

    Raises:
        ValueError: it is no such report.
    """
    if not str(report.get("schema_version", "")).startswith("1.") or not isinstance(
        report.get("items"), list
    ):
        raise ValueError("is no JSON report of version 1")
    try:
        return [_outcome(item) for item in report["items"]]
    except (KeyError, TypeError, AttributeError):
        raise ValueError("is a JSON report that lacks what its version demands") from None


def _outcome(item: Mapping[str, Any]) -> Outcome:
    return Outcome(
        path=item["path"],
        member=item["member"],
        format=item["format"],
        bytes=item["bytes"],
        sha256=item["sha256"],
        status=Status(item["status"]),
        gaps=tuple(
            Gap(Stage(gap["stage"]), Reason(gap["reason"]), gap["detail"], gap.get("where"))
            for gap in item["gaps"]
        ),
        tables=tuple(_table(table) for table in item["tables"]),
        texts=tuple(
            Text(text["name"], text["characters"], tuple(_evidence(text["entities"])), bool(text["hidden"]))
            for text in item["texts"]
        ),
    )


def _table(table: Mapping[str, Any]) -> Table:
    columns = tuple(
        Column(
            name=column["name"],
            index=column["index"],
            values=column["values"],
            kind=Kind(column["kind"]),
            entities=tuple(_evidence(column["entities"])),
            hidden=bool(column["hidden"]),
        )
        for column in table["columns"]
    )
    return Table(table["name"], table["rows"], columns, bool(table["hidden"]))


def _evidence(entities: Sequence[Mapping[str, Any]]) -> Iterator[Evidence]:
    for each in entities:
        rows = each["rows"] if "rows" in each else each["count"]
        yield Evidence(
            entity_type=each["entity_type"],
            category=each["category"] or "",
            form=Form(each.get("form", "clear")),
            rows=rows,
            mentions=rows,
            distinct=EMPTY,
            confidence=each["confidence"],
        )
