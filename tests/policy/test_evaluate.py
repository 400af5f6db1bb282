"""Evidence and a policy to findings: cases as data, and what holds for all of them."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from scanner.model import Distinct, Estimate, Finding, Outcome, Reason
from scanner.policy.evaluate import Judgement, evaluate
from scanner.policy.wording import _REASONS
from scanner.sketch import FULL
from tests.policy.build import outcome, policy

TODAY = date(2026, 11, 23)
_FILES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in _FILES
    for case in yaml.safe_load(file.read_text(encoding="utf-8"))
]


def judge(case: dict[str, Any], outcomes: list[Outcome] | None = None) -> Judgement:
    """The judgement on a case."""
    outcomes = outcomes or [outcome(item) for item in case["items"]]
    return evaluate(
        policy(case["policy"]),
        outcomes,
        paths=[item.path for item in outcomes],
        vendor=case.get("vendor"),
        today=case.get("today", TODAY),
    )


def _shown(finding: Finding, keys: set[str]) -> dict[str, Any]:
    found = dataclasses.asdict(finding)
    found["people"] = [finding.people.low, finding.people.best, finding.people.high]
    found["attack"] = list(finding.attack)
    return {key: found[key] for key in keys}


@pytest.mark.parametrize("case", CASES)
def test_case(case: dict[str, Any]) -> None:
    """The findings are those expected, no fewer and no more, and say what is expected of them."""
    judgement = judge(case)
    findings = sorted(
        judgement.findings, key=lambda f: (f.vendor or "", f.path, f.part or "", f.column or "")
    )
    assert len(findings) == len(case["expect"]), [f.because for f in findings]
    for finding, expected in zip(findings, case["expect"], strict=True):
        assert _shown(finding, set(expected)) == expected
    if "vendors" in case:
        assert list(judgement.vendors) == case["vendors"]


@pytest.mark.parametrize("case", CASES)
def test_order_of_items_does_not_matter(case: dict[str, Any]) -> None:
    """Findings and summary are the same whichever item was read first; the worst come first."""
    outcomes = [outcome(item) for item in case["items"]]
    there, back = judge(case, outcomes), judge(case, outcomes[::-1])
    assert there.findings == back.findings
    assert there.summary == back.summary
    verdicts = [finding.verdict for finding in there.findings]
    assert verdicts == sorted(verdicts, key=["over_shared", "needs_review", "unverifiable"].index)
    for finding in there.findings:
        assert finding.people.low <= finding.people.best <= finding.people.high
        assert finding.because.endswith(".")
        assert finding.remedy.endswith(".")


def test_worst_come_first() -> None:
    """By verdict, then severity, then people."""
    case = {
        "policy": {"vendors": [{"id": "acme", "never": ["user.financial"]}]},
        "items": [
            {"path": "acme/a.csv", "gaps": [{"reason": "corrupt"}], "tables": [{"columns": {
                "city": "CITY",
                "name": "PERSON",
                "email": {"type": "EMAIL_ADDRESS", "rows": 50},
                "maybe": {"type": "IBAN_CODE", "confidence": 0.5},
                "iban": "IBAN_CODE",
            }}]},
        ],
    }  # fmt: skip
    assert [finding.column for finding in judge(case).findings] == [
        "iban",
        "name",
        "email",
        "city",
        "maybe",
        None,
    ]


def test_without_a_policy_all_is_counted_and_nothing_judged() -> None:
    """One summary of what is there, each category allowed."""
    items = [
        outcome({"path": "a.csv", "tables": [{"columns": {"email": "EMAIL_ADDRESS", "city": "CITY"},
                                              "people": "EMAIL_ADDRESS"}]}),
        outcome({"path": "b.csv", "gaps": [{"reason": "corrupt"}]}),
    ]  # fmt: skip
    judgement = evaluate(None, items, paths=["a.csv", "b.csv"], today=TODAY)
    assert judgement.findings == ()
    assert judgement.vendors == (None, None)
    (only,) = judgement.summary
    assert (only.id, only.items, only.over_shared_fields) == (None, 2, 0)
    assert only.people == Estimate(100, 100, 100)
    assert {key: (held.verdict, held.people) for key, held in only.categories.items()} == {
        "user.contact.address.city": ("allowed", 100),
        "user.contact.email": ("allowed", 100),
    }


def test_summary_has_each_vendor_with_items() -> None:
    """In the order of the policy, nobody's last; a category has its worst verdict."""
    hashed = {"category": "user.contact.email", "form": ["hashed"]}
    case = {
        "policy": {
            "vendors": [
                {"id": "acme", "purpose": "calls", "allow": ["user.name", hashed]},
                {"id": "idle"},
                {"id": "other", "allow": ["user"]},
            ]
        },
        "items": [
            {"path": "upload/a.csv"},
            {"path": "other/a.csv", "tables": [{"columns": {"name": "PERSON"}, "people": "PERSON"}]},
            {"path": "acme/a.csv", "tables": [{"columns": {
                "name": "PERSON",
                "hash": {"type": "EMAIL_ADDRESS", "form": "hashed"},
                "email": {"type": "EMAIL_ADDRESS", "rows": 10},
                "born": {"type": "DATE_OF_BIRTH", "rows": 40, "confidence": 0.5},
            }, "people": "PERSON"}]},
        ],
    }  # fmt: skip
    acme, other, nobody = judge(case).summary
    assert (acme.id, acme.name, acme.purpose, acme.items, acme.over_shared_fields) == (
        "acme",
        "Acme",
        "calls",
        1,
        1,
    )
    assert {key: (held.verdict, held.people) for key, held in acme.categories.items()} == {
        "user.contact.email": ("over_shared", 100),
        "user.demographic.date_of_birth": ("needs_review", 40),
        "user.name": ("allowed", 100),
    }
    assert (other.id, other.people.best) == ("other", 100)
    assert (nobody.id, nobody.name, nobody.categories) == (None, "Nobody's folder", {})


def test_an_unknown_vendor_is_an_error() -> None:
    """Judging by another vendor's rules, or none, would be worse."""
    with pytest.raises(ValueError, match="no vendor 'acne'; it has: acme"):
        judge({"policy": {"vendors": [{"id": "acme"}]}, "vendor": "acne", "items": [{"path": "a"}]})


def test_a_hostile_name_is_printable_and_short_in_sentences() -> None:
    """Control characters and direction marks of names never reach a sentence."""
    tables = [{"columns": {"x" * 5000 + "\n": "EMAIL_ADDRESS"}}]
    case = {"policy": {}, "items": [{"path": "a\x1b[31m\u202e.csv", "tables": tables}]}
    (finding,) = judge(case).findings
    assert finding.because.isprintable()
    assert finding.remedy.isprintable()
    assert len(finding.because) < 500


def test_an_estimated_count_says_so() -> None:
    """Beyond what a set can hold exactly a number is not exact."""
    item = outcome({"path": "a.csv", "tables": [{"columns": {"email": "EMAIL_ADDRESS"}}]})
    column = item.tables[0].columns[0]
    sampled = Distinct(column.entities[0].distinct.packed, FULL // 2)
    column = dataclasses.replace(
        column, entities=(dataclasses.replace(column.entities[0], distinct=sampled),)
    )
    item = dataclasses.replace(item, tables=(dataclasses.replace(item.tables[0], columns=(column,)),))
    (finding,) = evaluate(policy({}), [item], paths=["a.csv"], today=TODAY).findings
    assert finding.because.startswith("About 200 email addresses in clear")


def test_every_reason_has_words() -> None:
    """A new reason needs a sentence."""
    assert set(_REASONS) == set(Reason)


@pytest.mark.parametrize(("expires", "verdict"), [(TODAY, "allowed"), (date(2026, 11, 22), "over_shared")])
def test_nothing_reads_allowed_under_an_ended_agreement(expires: date, verdict: str) -> None:
    """The last day still counts; fields that are agreed on are not counted as over-shared ones."""
    agreement = {"ref": "DPA-1", "expires": expires}
    case = {
        "policy": {"vendors": [{"id": "acme", "agreement": agreement, "allow": ["user.name"]}]},
        "items": [{"path": "acme/a.csv", "tables": [{"columns": {"name": "PERSON"}}]}],
    }
    (held,) = judge(case).summary
    assert held.categories["user.name"].verdict == verdict
    assert held.over_shared_fields == 0
