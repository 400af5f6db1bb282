"""The text report reads well at 80 columns, in colour and without, and hides nothing."""

from __future__ import annotations

import dataclasses
import io
import os
import re
from pathlib import Path

import pytest

from scanner.model import Report
from scanner.reports import text
from tests.reports import factory
from tests.reports.reading import as_text

SNAPSHOTS = Path(__file__).parent / "snapshots"
#: Set to write the snapshots anew; look at the difference before committing it.
UPDATE = "SHAREWATCH_UPDATE_SNAPSHOTS"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

CASES = {
    "full": (factory.report(), {}),
    "full-colour": (factory.report(), {"color": True}),
    "full-40": (factory.report(), {"width": 40}),
    "explain": (factory.report(explain=True), {}),
    "without-policy": (factory.without_policy(), {}),
    "clean": (factory.clean(), {}),
    "nothing": (factory.nothing(), {}),
}


class Stream(io.StringIO):
    """A stream that pretends to be a terminal, or to have an encoding."""

    def __init__(self, terminal: bool = False, encoding: str = "utf-8") -> None:
        super().__init__()
        self._terminal, self._encoding = terminal, encoding

    @property
    def encoding(self) -> str:  # type: ignore[override] # the base class has a plain attribute
        """As given."""
        return self._encoding

    def isatty(self) -> bool:
        """As given."""
        return self._terminal


def flat(report: Report, **options: object) -> str:
    """The text report with all white space as single blanks, for looking for sentences."""
    return " ".join(as_text(report, **options).split())


@pytest.mark.parametrize("name", CASES)
def test_snapshot(name: str) -> None:
    """The report is as it was when somebody last looked at it."""
    report, options = CASES[name]
    written = as_text(report, **options)
    file = SNAPSHOTS / f"{name}.txt"
    if os.environ.get(UPDATE):
        file.write_text(written, encoding="utf-8")
    assert written == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 60, 80, 110])
def test_width_is_kept(width: int) -> None:
    """No line is longer than the width, whatever the names."""
    lines = as_text(factory.report(explain=True), width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("width", [40, 80])
def test_nothing_is_cut(width: int) -> None:
    """Every finding's sentences and rule are there in full, whatever the width."""
    letters = re.sub(r"\s", "", as_text(factory.report(), width=width))
    for finding in factory.findings():
        if finding.entity_type or finding.part:
            for sentence in (finding.because, finding.remedy, finding.rule):
                assert re.sub(r"\s", "", sentence) in letters


def test_first_line_is_the_verdict() -> None:
    """The first sentence says how many vendors, how many people, how many hold too much."""
    assert flat(factory.report()).startswith(
        "3 vendors hold personal data of about 1,204 people; 1 holds more than the policy allows."
    )


def test_colour_only_repeats_the_words() -> None:
    """Without its colour codes the coloured report is the plain one."""
    coloured = as_text(factory.report(), color=True)
    assert _COLOUR.search(coloured)
    assert _COLOUR.sub("", coloured) == as_text(factory.report())


def test_colour_follows_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colour goes to a terminal only, and not where the user wants none."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    def coloured(terminal: bool) -> bool:
        out = Stream(terminal)
        text.render(factory.clean(), out)
        return "\x1b" in out.getvalue()

    assert coloured(True)
    assert not coloured(False)
    monkeypatch.setenv("TERM", "dumb")
    assert not coloured(True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured(True)


def test_terminal_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal's width is used up to what can be read well; a log has 80 columns."""
    monkeypatch.setenv("COLUMNS", "60")

    def longest(terminal: bool) -> int:
        out = Stream(terminal)
        text.render(factory.report(), out, color=False)
        return max(map(len, out.getvalue().splitlines()))

    assert 50 < longest(True) <= 60
    assert 60 < longest(False) <= 80
    monkeypatch.setenv("COLUMNS", "300")
    assert 80 < longest(True) <= 110


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_any_encoding(encoding: str) -> None:
    """The report can be written in any encoding, masks and dots included."""
    out = Stream(encoding=encoding)
    text.render(factory.report(explain=True), out)
    written = out.getvalue()
    written.encode(encoding)
    assert "Hash the column email" in " ".join(written.split())
    assert ("m***@e******.org" in written) == (encoding in {"ascii", "latin-1"})


def test_names_cannot_act() -> None:
    """No control or bidirectional character of a name reaches the terminal."""
    for report in (factory.report(explain=True), factory.without_policy(explain=True)):
        written = as_text(report)
        assert [
            char for char in written if char != "\n" and (ord(char) < 32 or 0x7F <= ord(char) < 0xA0)
        ] == []
        assert "\u202e" not in written
        assert r"invoice\x202efdp.exe" in written


def test_rich_markup_in_names_is_text() -> None:
    """A name that looks like markup of the terminal library is shown as it is."""
    odd = factory.finding(1, column="[bold red]x[/] :smile:")
    assert "[bold red]x[/] :smile:" in flat(factory.report(findings=(odd,)))


def test_worst_vendor_first() -> None:
    """Vendors come by their worst finding, those without any at the end."""
    written = as_text(factory.report())
    places = [
        written.index(name) for name in ("Files under", "Northwind Support GmbH", "Brightmail", "Paperworks")
    ]
    assert places == sorted(places)


def test_long_lists_say_what_they_leave_out() -> None:
    """What is left out for length is counted; --explain leaves out nothing."""
    many = tuple(factory.finding(100 + i, column=f"email_{i}", rows=2000) for i in range(15))
    files = tuple(factory.finding(200 + i, path=f"northwind/{i:02}.csv") for i in range(25))
    report = factory.report(findings=many + files)
    assert "… and 3 more fields (see --format json)" in flat(report)
    assert "… and 6 more files (see --format json)" in flat(report)
    everything = flat(dataclasses.replace(report, explain=True))
    assert "more f" not in everything
    assert all(f"email_{i}:" in everything for i in range(15))


def test_alike_files_are_told_once() -> None:
    """Files of one feed with the same findings are one entry that names the others."""
    daily = tuple(factory.finding(1, path=f"northwind/day{i}.csv") for i in range(6))
    written = flat(factory.report(findings=daily))
    assert written.count("Hash the column email") == 1
    alike = "northwind/day1.csv, northwind/day2.csv, northwind/day3.csv"
    assert f"The same in {alike} … and 2 more (see --format json)" in written


def test_gaps_are_told_with_what_to_do() -> None:
    """Every gap is listed with its reason, and the finding's remedy where there is one."""
    written = flat(factory.report())
    assert (
        "paperworks/scan.tif Format not supported. No reader knows this format. Do: Look at the file by hand"
        in written
    )
    assert r"kunden_m\xfcller.csv, line 2 Unknown text encoding." in written
    assert "1 thing left out on purpose" in written


def test_explain_shows_what_counted() -> None:
    """--explain adds the signals, the probability and the places."""
    written = flat(factory.report(explain=True))
    assert "Signals: header:email, pattern:Email, shape:a@a.a; probability 0.99; rows 1, 2, 5" in written
    assert "characters 10–22, 90–101" in written
    assert "Signals" not in flat(factory.report())


def test_without_policy_offers_one() -> None:
    """Without a policy the report is an inventory, and says how to come by a policy."""
    written = flat(factory.without_policy())
    assert written.startswith("6 of 9 files hold personal data of about 311,231 people.")
    assert "born: perhaps dates of birth" in written
    assert "sharewatch policy init /srv/share drafts a policy" in written


def test_root_is_quoted_for_the_shell() -> None:
    """The command that is offered can be pasted, odd folder names included."""
    info = dataclasses.replace(factory.INFO, roots=("/srv/my share",))
    assert "policy init '/srv/my share' drafts" in flat(factory.without_policy(info=info))


def test_unlikely_candidates_are_counted() -> None:
    """Evidence that is hardly any does not fill the inventory, but is counted."""
    outcome = factory.outcomes()[3]
    faint = dataclasses.replace(factory.MAYBE, confidence=0.1)
    table = dataclasses.replace(outcome.tables[0], columns=(
        outcome.tables[0].columns[0], factory.column("born", 1, 410, faint)))  # fmt: skip
    bare = factory.without_policy(outcomes=(dataclasses.replace(outcome, tables=(table,)),), vendors=(None,))
    assert "dates of birth" not in flat(bare)
    assert "… and 1 unlikely candidate (see --format json)" in flat(bare)


def test_interrupted_scan_says_so() -> None:
    """A scan that was stopped does not look like a whole one."""
    info = dataclasses.replace(factory.INFO, interrupted=True)
    assert "The scan was stopped before its end" in flat(factory.report(info=info))
