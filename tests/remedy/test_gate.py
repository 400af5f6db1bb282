"""From staging to outbound: only what is clean."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from scanner import engine, gate
from scanner.config import Settings
from scanner.gate import Passage, Request, run
from scanner.policy.model import Allow, Gate, Policy, Vendor, VendorLimits
from scanner.remedy.faults import RemedyError
from scanner.surfaces.cli import cli
from tests.remedy.making import OneProcess

ACME = Vendor("acme", "Acme", ("acme/**",), allow=(Allow("user.name"),))
POLICY = Policy("Example Motors", (ACME,))
GOOD = "name,shop\n" + "".join(f"Maria Schmidt,{n}\n" for n in range(30))
BAD = "name,email\n" + "".join(f"Maria Schmidt,maria{n}@example.org\n" for n in range(30))
UNREAD = b"%PDF-1.7\n" + b"\0\1" * 500


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scans in this process."""
    monkeypatch.setattr(engine, "Pool", OneProcess)


@pytest.fixture
def request_(tmp_path: Path) -> Request:
    """A clean file, one that is not, and one that cannot be read."""
    (tmp_path / "staging" / "acme" / "sub").mkdir(parents=True)
    (tmp_path / "outbound").mkdir()
    (tmp_path / "staging" / "acme" / "sub" / "good.csv").write_text(GOOD)
    (tmp_path / "staging" / "acme" / "bad.csv").write_text(BAD)
    (tmp_path / "staging" / "acme" / "letter.pdf").write_bytes(UNREAD)
    settings = Settings(model="none")
    return Request(tmp_path / "staging", tmp_path / "outbound", POLICY, settings=settings)


def passages(request: Request) -> dict[str, str]:
    """What became of each file."""
    return {decision.path: str(decision.passage) for decision in run(request)}


def outbound(request: Request) -> set[str]:
    """What a vendor sees now."""
    found = request.outbound.rglob("*")
    return {path.relative_to(request.outbound).as_posix() for path in found if not path.is_dir()}


def test_only_what_is_clean_goes_through(request_: Request) -> None:
    """The rest stays in staging, each with its reason; nothing is quoted."""
    decisions = {decision.path: decision for decision in run(request_)}
    assert outbound(request_) == {"acme/sub/good.csv"}
    assert not (request_.staging / "acme" / "sub" / "good.csv").exists()
    assert decisions["acme/bad.csv"].verdict == "over_shared"
    assert "30 email addresses in clear" in decisions["acme/bad.csv"].reasons[0]
    assert "maria0" not in str(decisions)
    assert decisions["acme/letter.pdf"].verdict == "unverifiable"
    assert (request_.staging / "acme" / "bad.csv").read_text() == BAD


def test_what_could_not_be_read_goes_where_the_policy_says_so(request_: Request) -> None:
    """Fail-open is for the unread alone, never for what is over-shared."""
    request = replace(request_, policy=replace(POLICY, gate=Gate.OPEN))
    run(request)
    assert outbound(request) == {"acme/sub/good.csv", "acme/letter.pdf"}


def test_an_override_is_logged_before_it_moves(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who, what, which bytes, why; without a log nothing moves."""
    request = replace(request_, override="the recall cannot wait, SEC-12")
    with monkeypatch.context() as patch:
        patch.setattr(gate, "_log", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        assert passages(request)["acme/bad.csv"] == Passage.FAILED
    assert outbound(request) == {"acme/sub/good.csv"}
    assert passages(request) == {"acme/bad.csv": "overridden", "acme/letter.pdf": "overridden"}
    assert outbound(request) == {"acme/sub/good.csv", "acme/bad.csv", "acme/letter.pdf"}
    log = [json.loads(line) for line in (request.staging / gate.LOG).read_text().splitlines()]
    assert {entry["path"] for entry in log} == {"acme/bad.csv", "acme/letter.pdf"}
    assert all(entry["reason"] == request.override and entry["sha256"] for entry in log)
    assert "maria0" not in (request.staging / gate.LOG).read_text()
    assert passages(replace(request, override=None)) == {}


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_an_override_needs_a_reason(request_: Request, reason: str) -> None:
    """Nothing moves without one."""
    with pytest.raises(RemedyError, match="reason"):
        run(replace(request_, override=reason))
    assert outbound(request_) == set()


def test_a_file_that_changes_after_the_scan_stays(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes out is what was scanned."""
    good = request_.staging / "acme" / "sub" / "good.csv"
    scan = engine.scan

    def late(request: engine.Request) -> engine.Report:
        report = scan(request)
        good.write_text(BAD)
        return report

    monkeypatch.setattr(engine, "scan", late)
    assert passages(request_)["acme/sub/good.csv"] == Passage.FAILED
    assert outbound(request_) == set()
    assert good.read_text() == BAD


def test_names_that_are_taken(request_: Request) -> None:
    """Another file of that name is never overwritten; the same bytes finish a move that was cut off."""
    target = request_.outbound / "acme" / "sub" / "good.csv"
    target.parent.mkdir(parents=True)
    target.write_text("older")
    assert passages(request_)["acme/sub/good.csv"] == Passage.FAILED
    assert target.read_text() == "older"
    target.write_text(GOOD)
    assert passages(request_)["acme/sub/good.csv"] == Passage.PASSED
    assert not (request_.staging / "acme" / "sub" / "good.csv").exists()


def test_links_lead_nowhere(request_: Request, tmp_path: Path) -> None:
    """Neither a linked file in staging nor a linked folder in outbound is followed."""
    (tmp_path / "elsewhere").mkdir()
    (request_.outbound / "acme").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "outside.csv").write_text(GOOD)
    (request_.staging / "acme" / "link.csv").symlink_to(tmp_path / "outside.csv")
    done = passages(request_)
    assert "passed" not in done.values()
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert (tmp_path / "outside.csv").read_text() == GOOD


def test_what_is_wrong_with_the_vendor_holds_its_files(request_: Request) -> None:
    """Too many people over all files: none of them goes."""
    few = replace(ACME, allow=(Allow("user"),), limits=VendorLimits(people=5))
    assert "acme/bad.csv" not in outbound(replace(request_, policy=Policy("", (few,))))
    run(replace(request_, policy=Policy("", (few,))))
    assert outbound(request_) == set()


def test_folders_inside_each_other_are_refused(request_: Request) -> None:
    """The gate would scan what it let through."""
    inside = request_.staging / "out"
    inside.mkdir()
    with pytest.raises(RemedyError, match="beside"):
        run(replace(request_, outbound=inside))


def test_the_command(request_: Request, tmp_path: Path) -> None:
    """Codes: 2 without a reason, 1 for what is held, 0 for clean, 4 for nothing."""
    (tmp_path / "p.yaml").write_text(
        "version: 1\ngate: {unverifiable: open}\n"
        "vendors:\n  - {id: acme, name: Acme, paths: ['acme/**'], allow: [user.name]}\n"
    )
    staging = str(request_.staging)
    arguments = [
        "gate",
        staging,
        str(request_.outbound),
        "--policy",
        str(tmp_path / "p.yaml"),
        "--model",
        "none",
    ]
    invoke = CliRunner().invoke
    assert invoke(cli, [*arguments, "--override"]).exit_code == 2
    assert invoke(cli, [*arguments, "--reason", "x"]).exit_code == 2
    held = invoke(cli, arguments)
    assert held.exit_code == 1, held.output
    assert "held       acme/bad.csv" in held.output
    (request_.staging / "acme" / "bad.csv").write_text(GOOD)
    assert invoke(cli, arguments).exit_code == 0
    assert invoke(cli, arguments).exit_code == 4
