"""From a file and a policy to a clean copy, or to none at all."""

from __future__ import annotations

import csv
import gzip
import io
import stat
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import BinaryIO

import pytest
from click.testing import CliRunner

from scanner import engine, resources
from scanner.config import Settings
from scanner.minimise import Request, Result, minimise
from scanner.model import Form
from scanner.policy.loading import load
from scanner.policy.model import Agreement, Allow, Policy, Vendor
from scanner.readers.base import Source
from scanner.remedy import registry
from scanner.remedy.base import Plan, RemedyError, Rewriter, Tools
from scanner.surfaces.cli import cli
from tests.remedy.making import OneProcess

DAY = date(2026, 11, 23)
KEY = b"k" * 32
ALLOW = (Allow("user.name"), Allow("user.contact.email", frozenset({Form.HASHED})))
ACME = Vendor("acme", "Acme", ("acme/**",), allow=ALLOW)
OTHER = replace(ACME, id="other", name="Other", paths=("other/**",))
POLICY = Policy("Example Motors", (ACME, OTHER))
SECRET = "maria.schmidt"
ROWS = "".join(f"Maria Schmidt,{SECRET}{n}@example.org,+49 30 12345{n:02}\n" for n in range(60))
PEOPLE = "name,email,phone\n" + ROWS

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def one_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scans in this process: starting workers takes longer than the work; the command's test has them."""
    if request.function is not test_the_command:
        monkeypatch.setattr(engine, "Pool", OneProcess)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Minimises a file of the given bytes; ``out`` is the only new thing in the folder afterwards."""

    def work(data: bytes, name: str = "people.csv", **more: object) -> Result:
        file = tmp_path / name
        file.write_bytes(data)
        settings = Settings(model="none")
        request = Request(file, tmp_path / "out" / name, POLICY, "acme", KEY, settings, DAY)
        request.output.parent.mkdir(exist_ok=True)
        return minimise(replace(request, **more))  # type: ignore[arg-type] # fields of a request

    return work


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_a_copy_is_clean_private_and_alone(run: Run, tmp_path: Path) -> None:
    """What may be had stays, in the form it may be had in; no draft is left; nobody else can read it."""
    result = run(PEOPLE.encode())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["people.csv"]
    assert stat.S_IMODE(result.output.stat().st_mode) == 0o600
    rows = rows_of(result.output)
    assert list(rows[0]) == ["name", "email"]
    assert len(rows) == 60
    assert {row["name"] for row in rows} == {"Maria Schmidt"}
    assert all(len(row["email"]) == 64 for row in rows)
    assert result.values == 120
    assert [planned.name for _, planned in result.changes] == ["email", "phone"]
    (query,) = result.queries
    assert '"name"' in query
    assert "phone" not in query


def test_deliveries_join_for_one_vendor_and_not_across_two(run: Run) -> None:
    """Hashes of one vendor are the same in every delivery; another vendor's are others."""
    first = {row["email"] for row in rows_of(run(PEOPLE.encode()).output)}
    again = {
        row["email"]
        for row in rows_of(run(("name,email,phone\n" + ROWS.upper()).encode(), "later.csv").output)
    }
    others = {row["email"] for row in rows_of(run(PEOPLE.encode(), vendor="other").output)}
    assert first == again
    assert not first & others


def test_what_came_packed_goes_packed(run: Run) -> None:
    """With the same name, so with the same packing."""
    result = run(gzip.compress(PEOPLE.encode()), "people.csv.gz")
    text = gzip.decompress(result.output.read_bytes()).decode()
    assert text.startswith("name,email\n")
    assert SECRET not in text


def test_what_may_be_had_is_copied_as_it_is(run: Run) -> None:
    """To the byte; and nothing is claimed to have changed."""
    data = "name,shop\r\n" + "".join('"Maria Schmidt","Leeds"\r\n' for _ in range(30))
    result = run(data.encode())
    assert result.output.read_bytes() == data.encode()
    assert (result.changes, result.values, result.queries) == ((), 0, ())


def test_prose_is_redacted(run: Run) -> None:
    """The column stays, the number in it goes."""
    notes = "".join(
        f"Maria Schmidt,please call back at +49 30 12345{n:02} about the invoice\n"
        if n % 5 == 0
        else "Maria Schmidt,the customer was very happy with the new car\n"
        for n in range(60)
    )
    result = run(f"name,comments\n{notes}".encode())
    text = result.output.read_text()
    assert "12345" not in text
    assert "very happy" in text
    assert "<PHONE_NUMBER>" in text


class Careless(Rewriter):
    """Writes everything, whatever the plan says."""

    formats = ("csv",)

    def rewrite(self, source: Source, out: BinaryIO, plan: Plan, tools: Tools) -> None:
        out.write(source.stream.read())


class Broken(Rewriter):
    """Fails with a value on its lips."""

    formats = ("csv",)

    def rewrite(self, source: Source, out: BinaryIO, plan: Plan, tools: Tools) -> None:
        out.write(source.stream.read())
        raise KeyError(f"{SECRET}1@example.org")


@pytest.mark.parametrize(("rewriter", "told"), [(Careless(), "not clean"), (Broken(), "KeyError")])
def test_a_copy_that_is_not_clean_is_never_seen(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rewriter: Rewriter, told: str
) -> None:
    """Neither it nor a draft of it is left, an older copy is, and no value is quoted."""
    monkeypatch.setattr(registry, "find", lambda _: rewriter)
    (tmp_path / "out").mkdir()
    older = tmp_path / "out" / "people.csv"
    older.write_text("older")
    with pytest.raises(RemedyError, match=told) as error:
        run(PEOPLE.encode())
    assert SECRET not in str(error.value)
    assert not error.value.unread
    assert list((tmp_path / "out").iterdir()) == [older]
    assert older.read_text() == "older"


def test_a_file_that_changes_meanwhile_is_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was scanned is not what would be handed out."""

    class Late(Careless):
        def rewrite(self, source: Source, out: BinaryIO, plan: Plan, tools: Tools) -> None:
            (tmp_path / "people.csv").write_text(PEOPLE + "one,more\n")

    monkeypatch.setattr(registry, "find", lambda _: Late())
    with pytest.raises(RemedyError, match="written to") as error:
        run(PEOPLE.encode())
    assert error.value.unread


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("people.csv", PEOPLE)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "told", "unread"),
    [
        (_zip(), "people.zip", "unpack it", False),
        (b"%PDF-1.7\n" + b"\0\1" * 500, "letter.pdf", "in full", True),
        (gzip.compress(PEOPLE.encode() * 50)[:-30], "people.csv.gz", "in full", True),
        (gzip.compress(gzip.compress(PEOPLE.encode())), "people.csv.gz.gz", "packed as gzip, gzip", False),
        (
            b"name: Maria Schmidt\nemail: m@example.org\nphones:\n  - +49 30 1234567\n",
            "p.yaml",
            "yaml",
            False,
        ),
    ],
    ids=["archive", "pdf", "cut", "packed twice", "yaml"],
)
def test_what_cannot_be_written_anew_is_refused(
    run: Run, tmp_path: Path, data: bytes, name: str, told: str, unread: bool
) -> None:
    """With a sentence that says why, and nothing is left."""
    with pytest.raises(RemedyError, match=told) as error:
        run(data, name)
    assert error.value.unread is unread
    assert list((tmp_path / "out").iterdir()) == []


def test_there_is_no_copy_under_an_ended_agreement(run: Run) -> None:
    """Before anything is read."""
    ended = replace(ACME, agreement=Agreement("DPA-1", date(2026, 11, 22)))
    with pytest.raises(RemedyError, match="DPA-1 with Acme ended on 2026-11-22"):
        run(PEOPLE.encode(), policy=Policy("", (ended,)))
    last_day = replace(ACME, agreement=Agreement("DPA-1", DAY))
    assert run(PEOPLE.encode(), policy=Policy("", (last_day,))).values == 120


def test_the_file_itself_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    """Not even by way of a link to it."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link.csv").symlink_to(tmp_path / "people.csv")
    for output in (tmp_path / "people.csv", tmp_path / "out" / "link.csv"):
        with pytest.raises(RemedyError, match="place of the file"):
            run(PEOPLE.encode(), output=output)
    assert (tmp_path / "people.csv").read_text() == PEOPLE


def test_an_unknown_vendor_is_an_error(run: Run) -> None:
    """The known ones are named."""
    with pytest.raises(ValueError, match="no vendor 'acne'; it has: acme, other"):
        run(PEOPLE.encode(), vendor="acne")


def test_a_field_that_stays_suspicious_goes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another form does not suffice, the field is dropped."""
    monkeypatch.setattr("scanner.remedy.values.truncated", lambda value, _: value)
    allow = (Allow("user.name"), Allow("user.contact.phone_number", frozenset({Form.TRUNCATED})))
    result = run(PEOPLE.encode(), policy=Policy("", (replace(ACME, allow=allow),)))
    assert list(rows_of(result.output)[0]) == ["name"]


POLICY_FILE = """
version: 1
vendors:
  - {id: acme, name: Acme, paths: ["acme/**"], allow: [user.name]}
"""


def test_the_command(tmp_path: Path) -> None:
    """What it says, where the key goes, and how it ends."""
    (tmp_path / "policy.yaml").write_text(POLICY_FILE)
    (tmp_path / "people.csv").write_text(PEOPLE)
    runner = CliRunner()
    arguments = ["minimise", str(tmp_path / "people.csv"), "--policy", str(tmp_path / "policy.yaml")]
    arguments += ["--key-file", str(tmp_path / "key"), "--model", "none"]
    done = runner.invoke(cli, [*arguments, "--vendor", "acme", "-o", str(tmp_path / "out.csv")])
    assert done.exit_code == 0, done.output
    assert "2 fields made smaller" in done.output
    assert "120 values" in done.output
    assert 'CREATE VIEW "people_for_acme" AS\nSELECT\n  "name"\nFROM "people";' in done.output
    assert SECRET not in done.output
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    wrong = runner.invoke(cli, [*arguments, "--vendor", "acne", "-o", str(tmp_path / "out.csv")])
    assert (wrong.exit_code, "no vendor 'acne'" in wrong.output) == (2, True)
    (tmp_path / "people.csv").write_bytes(b"PK\x03\x04 cut")
    unread = runner.invoke(cli, [*arguments, "--vendor", "acme", "-o", str(tmp_path / "out.csv")])
    assert unread.exit_code == 3, unread.output


@pytest.mark.parametrize(
    ("name", "vendor"),
    [
        ("ringline/2026-11/crm.sql.gz", "ringline"),
        ("ringline/2026-11/open_cases.jsonl", "clearvoice"),
        ("clearvoice/wave-08/respondents.xlsx", "clearvoice"),
        ("clearvoice/wave-08/comments.tsv", "clearvoice"),
        ("partway/returns.sql", "ringline"),
    ],
)
def test_the_example_deliveries(tmp_path: Path, name: str, vendor: str) -> None:
    """What the shipped share holds too much of becomes a copy that scans clean, smaller than it was."""
    policy = load(resources.path("examples", "policy.yaml")).policy
    file = resources.path("examples", "share").joinpath(name)
    settings = Settings(model="none")
    result = minimise(Request(file, tmp_path / file.name, policy, vendor, KEY, settings, DAY))
    assert result.values > 0
    request = engine.Request(
        roots=(str(result.output),), policy=policy, vendor=vendor, settings=settings, today=DAY
    )
    report = engine.scan(request)
    assert (report.info.verdict, report.info.complete) == ("clean", True)
