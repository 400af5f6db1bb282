"""A digest that can be undone is not the hashed form that a policy allows, from the files to the finding."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import date
from pathlib import Path

from scanner.config import Settings
from scanner.engine import Request, scan
from scanner.model import Report, Severity, Verdict
from tests.policy.build import policy

EMAILS = [f"person{number}@example{number % 7}.org" for number in range(200)]
POLICY = policy(
    {
        "vendors": [
            {
                "id": "acme",
                "paths": ["acme/**"],
                "allow": [{"category": "user.contact.email", "form": ["hashed"]}],
            },
            {"id": "zeta", "paths": ["zeta/**"], "allow": ["user"]},
            {
                "id": "both",
                "paths": ["both/**"],
                "allow": [{"category": "user.contact.email", "form": ["hashed"]}],
                "exceptions": [
                    {"column": "email", "until": date(2999, 12, 31), "ticket": "T-1", "reason": "migration"}
                ],
            },
        ]
    }
)


def _plain(value: str) -> str:
    return hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()


def _keyed(value: str) -> str:
    return hmac.new(b"secret", value.encode(), "sha256").hexdigest()


def _report(share: Path, digest: Callable[[str], str], hashed: str, clear: str | None) -> Report:
    files = {hashed: ("email_hash", [digest(value) for value in EMAILS])}
    if clear:
        files[clear] = ("email", EMAILS)
    for name, (heading, cells) in files.items():
        (share / name).parent.mkdir(parents=True, exist_ok=True)
        (share / name).write_text("\n".join(["id," + heading, *(f"{n},{c}" for n, c in enumerate(cells))]))
    request = Request(roots=(str(share),), settings=Settings(jobs=1, model="none"), policy=POLICY)
    report = scan(request)
    assert not any(table.probes for outcome in report.outcomes for table in outcome.tables)
    return report


def test_a_digest_of_what_its_recipient_holds_is_over_shared(tmp_path: Path) -> None:
    """The finding says how it is undone and what to do."""
    (finding,) = _report(tmp_path, _plain, "both/hashes.csv", "both/clear.csv").findings
    assert (finding.path, finding.column, finding.verdict) == (
        "both/hashes.csv",
        "email_hash",
        Verdict.OVER_SHARED,
    )
    assert "can be undone (md5 of column email in file both/clear.csv)" in finding.because
    assert "with a key that stays here" in finding.remedy
    assert finding.severity.rank <= Severity.MEDIUM.rank


def test_what_another_recipient_holds_is_told_and_no_finding(tmp_path: Path) -> None:
    """Who has the digests cannot read the other's file."""
    report = _report(tmp_path, _plain, "acme/hashes.csv", "zeta/clear.csv")
    assert report.findings == ()
    signals = [
        signal
        for outcome in report.outcomes
        for column in outcome.tables[0].columns
        for evidence in column.entities
        for signal in evidence.signals
    ]
    assert "elsewhere:md5 of column email in file zeta/clear.csv" in signals


def test_a_digest_alone_is_what_the_policy_allows(tmp_path: Path) -> None:
    """Nothing in the delivery undoes it."""
    assert _report(tmp_path, _plain, "both/hashes.csv", None).findings == ()


def test_a_keyed_digest_is_what_the_policy_allows(tmp_path: Path) -> None:
    """Whoever has the address still lacks the key."""
    assert _report(tmp_path, _keyed, "both/hashes.csv", "both/clear.csv").findings == ()
