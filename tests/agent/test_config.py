"""The agent's configuration: what is taken, and where every mistake is."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.agent.config import AgentConfigError, AgentLimits, load, quiet, scan_settings
from scanner.agent.governor import Governor

GOOD = "shares: [/srv/share]\npolicy: /etc/p.yaml\nledger: /var/l.db\n"


def _load(tmp_path: Path, text: str) -> object:
    file = tmp_path / "agent.yaml"
    file.write_text(text)
    return load(file)


def test_the_shipped_configuration_is_valid(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "packaging/etc/agent.yaml").read_text()
    assert "/var/log/sharewatch" in text
    file = tmp_path / "agent.yaml"
    file.write_text(text.replace("/var/log/sharewatch", str(tmp_path)))
    config = load(file)
    assert config.shares == ("/srv/share",)
    assert config.limits == AgentLimits()


def test_settings_of_a_scan_are_those_of_the_command(tmp_path: Path) -> None:
    file = tmp_path / "agent.yaml"
    file.write_text(f"{GOOD}limits: {{memory_mb: 700}}\nscan: {{regions: [DE], limits: {{cell_mb: 2}}}}\n")
    settings = scan_settings(load(file))
    assert (settings.regions, settings.limits.cell_mb, settings.limits.memory_mb) == (("DE",), 2, 700)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: must be a mapping"),
        ("shares: [", "is no YAML"),
        ("policy: /p\nledger: /l\n", "shares is missing"),
        (GOOD.replace("[/srv/share]", "[]"), "1:9: shares: name at least one folder"),
        (GOOD.replace("[/srv/share]", "[srv]"), "srv must be an absolute path"),
        (GOOD.replace("[/srv/share]", "[/srv, /srv/share]"), "/srv/share lies in /srv"),
        (f"{GOOD}setle_seconds: 1\n", "4:1: there is no setting setle_seconds; settle_seconds is one"),
        (f"{GOOD}settle_seconds: soon\n", "4:17: settle_seconds: must be a number"),
        (f"{GOOD}limits: {{workers: 0}}\n", "4:19: workers: must be above zero"),
        (f"{GOOD}limits: {{workers: 1.5}}\n", "workers: must be a whole number"),
        (f"{GOOD}limits: 3\n", "4:9: must be a mapping"),
        (f"{GOOD}quiet_hours: ['25:00-06:00']\n", "25:00-06:00 is no time"),
        (f"{GOOD}ledger: /x\n", "4:1: ledger is set twice"),
        (f"{GOOD}sinks: [{{type: jsonl}}]\n", "4:9: sinks[0]"),
        (f"{GOOD}sinks: [{{type: pigeon}}]\n", "4:16: sinks[0].type: must be one of jsonl"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(AgentConfigError) as caught:
        _load(tmp_path, text)
    assert any(problem in each for each in caught.value.problems), caught.value.problems


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(AgentConfigError) as caught:
        _load(tmp_path, f"{GOOD}a: 1\nb: 2\npoll_seconds: x\n")
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("hours", "minute", "held"),
    [
        ("22:00-06:00", 23 * 60, True),
        ("22:00-06:00", 5 * 60, True),
        ("22:00-06:00", 6 * 60, False),
        ("12:00-13:00", 12 * 60, True),
        ("12:00-13:00", 13 * 60, False),
    ],
)
def test_quiet_hours_go_over_midnight(hours: str, minute: int, held: bool) -> None:
    assert quiet((hours,), minute) is held


def test_the_governor_rests_after_work_and_minds_the_machine(tmp_path: Path) -> None:
    now = [1000.0]
    easy = AgentLimits(cpu_percent=25.0, load=1e9, min_free_mb=0, min_disk_mb=0)
    governor = Governor(easy, (), tmp_path, lambda: now[0])
    assert governor.reason() in (None, "battery")
    governor.worked(2.0)
    assert governor.reason() == "processor share"
    now[0] += 6.1  # two seconds of work at a quarter: six of rest
    assert governor.reason() in (None, "battery")
    for change, reason in (({"min_free_mb": 1 << 30}, "memory"), ({"min_disk_mb": 1 << 40}, "disk")):
        limits = AgentLimits(**({"load": 1e9, "min_free_mb": 0, "min_disk_mb": 0} | change))
        assert Governor(limits, (), tmp_path, lambda: now[0]).reason() == reason
    assert Governor(easy, ("00:00-23:59",), tmp_path, lambda: now[0]).reason() in ("quiet hours", None)
