"""The register: findings open, change and resolve with what is found, and as people decide."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scanner.judging import rejudge
from scanner.ledger import findings as register
from scanner.ledger.findings import Action, Transition
from scanner.ledger.history import of_finding
from scanner.ledger.store import Ledger, Writer, open_ledger
from scanner.ledger.verify import verify
from scanner.model import Estimate, Finding, Form, Severity, Verdict
from scanner.policy.loading import loads
from scanner.surfaces.cli import cli
from tests.ledger.conftest import Shop, day

HERE = ("/share/acme/a.csv", "")
THERE = ("/share/acme/b.csv", "")


def finding(id_: str = "f1", **changes: Any) -> Finding:
    made = Finding(
        id=id_,
        verdict=Verdict.OVER_SHARED,
        severity=Severity.HIGH,
        vendor="acme",
        path="acme/a.csv",
        member=None,
        part="customer",
        column="email",
        entity_type="EMAIL_ADDRESS",
        category="user.contact.email",
        form=Form.CLEAR,
        rows=10,
        people=Estimate(10, 10, 10),
        confidence=0.9,
        rule="vendors.acme.allow",
        because="because",
        remedy="remedy",
    )
    return dataclasses.replace(made, **changes)


class Books:
    """A ledger with a writer, and what is observed at places."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.writer = ledger, Writer(ledger)

    def see(self, place: tuple[str, str], found: list[Finding], at: float) -> list[Transition]:
        out: list[Transition] = []
        self.writer.write("test", [], also=lambda c: out.extend(register.observe(c, place, found, day(at))))
        return out

    def expire(self, at: float) -> list[Transition]:
        out: list[Transition] = []
        self.writer.write("test", [], also=lambda c: out.extend(register.expire(c, day(at))))
        return out

    def decide(self, what: str, at: float, until: str | None = None) -> Transition | None:
        return register.decide(self.writer, Action("f1", day(at), "kim", what, "a reason", until))

    def state(self, id_: str = "f1") -> str:
        with self.ledger.reading() as connection:
            return register.one(connection, id_).state


@pytest.fixture
def books(tmp_path: Path) -> Any:
    with open_ledger(str(tmp_path / "l.db"), create=True) as ledger:
        made = Books(ledger)
        yield made
        made.writer.close()


def kinds(changes: list[Transition]) -> list[str]:
    return [f"{each.kind}{'!' if each.reopened else ''}" for each in changes]


def test_a_finding_opens_once_and_resolves_with_its_last_place(books: Books) -> None:
    assert kinds(books.see(HERE, [finding()], 1)) == ["opened"]
    assert kinds(books.see(HERE, [finding()], 2)) == []
    assert kinds(books.see(THERE, [finding()], 2)) == []
    assert kinds(books.see(HERE, [], 3)) == []
    assert books.state() == "open"
    assert kinds(books.see(THERE, [], 4)) == ["resolved"]
    assert books.state() == "resolved"
    assert kinds(books.see(HERE, [finding()], 5)) == ["opened!"]


def test_what_grows_is_told_and_what_wobbles_is_not(books: Books) -> None:
    books.see(HERE, [finding()], 1)
    assert kinds(books.see(HERE, [finding(people=Estimate(11, 11, 11))], 2)) == []
    assert kinds(books.see(HERE, [finding(people=Estimate(13, 13, 13))], 3)) == ["updated"]
    assert kinds(books.see(HERE, [finding(severity=Severity.CRITICAL)], 4)) == ["updated"]


def test_the_worst_place_speaks_for_a_finding(books: Books) -> None:
    books.see(HERE, [finding(people=Estimate(5, 5, 5))], 1)
    books.see(THERE, [finding(people=Estimate(50, 50, 50), path="acme/b.csv")], 1)
    with books.ledger.reading() as connection:
        held = register.one(connection, "f1")
    assert held.places == 2
    assert held.document["path"] == "acme/b.csv"
    books.see(THERE, [], 2)
    with books.ledger.reading() as connection:
        assert register.one(connection, "f1").document["path"] == "acme/a.csv"


def test_the_same_transition_has_the_same_id_in_a_ledger_built_anew(books: Books, tmp_path: Path) -> None:
    first = [books.see(HERE, [finding()], 1), books.see(HERE, [], 2)]
    with open_ledger(str(tmp_path / "again.db"), create=True) as ledger:
        other = Books(ledger)
        again = [other.see(HERE, [finding()], 7), other.see(HERE, [], 8)]
        other.writer.close()
    ids = [each.id for changes in first for each in changes]
    assert ids == [each.id for changes in again for each in changes]
    assert len(set(ids)) == 2


def test_an_accepted_finding_stays_so_while_it_holds_the_same(books: Books) -> None:
    books.see(HERE, [finding()], 1)
    books.decide("accept", 2, "2026-12-31")
    assert kinds(books.see(HERE, [finding(people=Estimate(99, 99, 99))], 3)) == ["updated"]
    assert books.state() == "accepted"


@pytest.mark.parametrize(
    "change",
    [
        {"people": Estimate(100, 100, 100)},
        {"category": "user.government_id.passport_number"},
        {"form": Form.HASHED},
    ],
)
def test_an_accepted_finding_comes_back_when_it_holds_something_else(
    books: Books, change: dict[str, Any]
) -> None:
    books.see(HERE, [finding()], 1)
    books.decide("accept", 2, "2026-12-31")
    assert kinds(books.see(HERE, [finding(**change)], 3)) == ["opened!"]
    assert books.state() == "open"


def test_an_acceptance_ends_with_its_day(books: Books) -> None:
    books.see(HERE, [finding()], 1)
    books.decide("accept", 2, day(10)[:10])
    assert books.expire(10) == []
    assert kinds(books.expire(11)) == ["opened!"]
    assert books.expire(11) == []


def test_what_was_said_to_be_resolved_and_is_still_there_opens_again(books: Books) -> None:
    books.see(HERE, [finding()], 1)
    books.decide("resolve", 2)
    assert books.state() == "resolved"
    assert kinds(books.see(HERE, [finding()], 3)) == ["opened!"]


def test_a_decision_about_nothing_is_refused(books: Books) -> None:
    with pytest.raises(register.FindingError, match="no finding f1"):
        books.decide("accept", 1, "2026-12-31")
    books.see(HERE, [finding()], 1)
    books.see(HERE, [], 2)
    with pytest.raises(register.FindingError, match="resolved"):
        books.decide("accept", 3, "2026-12-31")


def test_decisions_are_part_of_the_chain(books: Books, tmp_path: Path) -> None:
    import sqlite3

    books.see(HERE, [finding()], 1)
    books.decide("accept", 2, "2026-12-31")
    assert verify(books.ledger).problems == ()
    connection = sqlite3.connect(tmp_path / "l.db")
    connection.execute("UPDATE finding_actions SET why = 'another'")
    connection.commit()
    assert verify(books.ledger).problems == ("finding_actions 1 was altered",)
    connection.execute("UPDATE finding_actions SET why = 'a reason'")
    connection.execute("DELETE FROM finding_actions")
    connection.commit()
    assert verify(books.ledger).problems == (
        "finding_actions 1 was removed",
        "finding f1 is accepted, and nobody accepted it",
    )
    connection.close()


def _customers(path: Path, columns: list[str], count: int = 12) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"name": f"Anna {last}", "email": f"anna.{last.lower()}@example.org"}
        for last in ("Weber", "Klein", "Schulz", "Wolf", "Neumann", "Krause")[:count]
    ]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def _open(shop: Shop) -> dict[str, str]:
    with shop.ledger.reading() as connection:
        found = register.listed(connection, states=())
    return {f"{each.document['path']} {each.document['column']}": each.state for each in found}


def test_a_scan_into_a_ledger_keeps_the_register(shop: Shop) -> None:
    _customers(shop.root / "bolt/a.csv", ["name", "email"])
    shop.scan(1)
    assert _open(shop) == {"bolt/a.csv email": "open"}
    (shop.root / "bolt/a.csv").rename(shop.root / "bolt/b.csv")
    shop.scan(2)
    assert _open(shop) == {"bolt/b.csv email": "open"}
    (shop.root / "bolt/b.csv").unlink()
    shop.scan(3)
    assert set(_open(shop).values()) == {"resolved"}


def test_a_finding_shows_what_each_delivery_held(shop: Shop, tmp_path: Path) -> None:
    """Deliveries that are gone, and one without the field, are told apart."""
    _customers(shop.root / "bolt/jan.csv", ["name", "email"], 3)
    shop.scan(1)
    (shop.root / "bolt/jan.csv").unlink()
    _customers(shop.root / "bolt/feb.csv", ["name", "email"], 6)
    (shop.root / "bolt/other.csv").write_text("sku,price\nA1,2\n")
    shop.scan(31)
    with shop.ledger.reading() as connection:
        (found,) = register.listed(connection)
        count, held = of_finding(shop.ledger, connection, found.document, 10)
        assert [(each.path, each.first_seen, each.gone, each.rows, each.people.best) for each in held] == [
            ("bolt/jan.csv", day(1), day(31), 3, 3),
            ("bolt/feb.csv", day(31), None, 6, 6),
        ]
        assert count == 2
        assert len(of_finding(shop.ledger, connection, found.document, 1)[1]) == 1
        assert of_finding(shop.ledger, connection, {**found.document, "path": ""}, 10) == (0, [])
    shown = CliRunner().invoke(cli, ["findings", "show", "--ledger", str(tmp_path / "ledger.db"), found.id])
    assert "from 2026-01-02 to 2026-02-01 bolt/jan.csv: 3 rows, 3 people in it" in shown.output
    assert "from 2026-02-01 on bolt/feb.csv: 6 rows" in shown.output


def test_another_policy_judges_what_is_there_without_reading_it(shop: Shop) -> None:
    _customers(shop.root / "bolt/a.csv", ["name", "email"])
    shop.scan(1)
    (shop.root / "bolt/a.csv").write_text("nothing of it is read again")
    writer = Writer(shop.ledger)
    text = 'version: 1\norganisation: Example\nvendors: [{id: bolt, paths: ["bolt/**"], allow: [%s]}]\n'
    looser = rejudge(writer, loads(text % "user", "p").policy)
    assert kinds(looser) == ["resolved"]
    stricter = rejudge(writer, loads(text % "user.contact", "p").policy)
    assert kinds(stricter) == ["opened"]
    assert stricter[0].document["column"] == "name"
    writer.close()


def test_the_commands(tmp_path: Path) -> None:
    share, policy, where = tmp_path / "share", tmp_path / "policy.yaml", str(tmp_path / "l.db")
    _customers(share / "bolt/a.csv", ["name", "email"])
    policy.write_text(
        'version: 1\norganisation: Example\nvendors: [{id: bolt, paths: ["bolt/**"], allow: [user.name]}]\n'
    )
    scan = ["scan", str(share), "--policy", str(policy), "--ledger", where, "--jobs", "1"]

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli, list(arguments), standalone_mode=True)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    assert run(*scan)[0] == 1
    code, text = run("findings", "list", "--ledger", where)
    assert code == 1
    assert "bolt/a.csv" in text
    assert "@" not in text
    id_ = text.split()[0]
    assert run("findings", "accept", "--ledger", where, id_, "--why", " ", "--until", "2099-01-01")[0] == 2
    assert run("findings", "accept", "--ledger", where, id_, "--why", "x", "--until", "soon")[0] == 2
    assert run("findings", "accept", "--ledger", where, id_, "--why", "x", "--until", "2020-01-01")[0] == 2
    code, text = run(
        "findings",
        "accept",
        "--ledger",
        where,
        id_[:6],
        "--why",
        "moves",
        "--until",
        "2099-01-01",
        "--by",
        "kim",
    )
    assert (code, text) == (0, f"{id_} is accepted until 2099-01-01\n")
    assert run("findings", "list", "--ledger", where) == (0, "no findings\n")
    shown = run("findings", "show", "--ledger", where, id_)[1]
    assert "kim: accept until 2099-01-01: moves" in shown
    # What is accepted does not stop an export.
    code, text = run(*scan, "--format", "json")
    assert code == 0
    assert '"state": "accepted"' in text or '"state":"accepted"' in text
    assert run("findings", "reopen", "--ledger", where, id_, "--why", "no")[0] == 0
    assert run(*scan)[0] == 1
    assert run("findings", "list", "--ledger", where, "--format", "csv")[1].startswith("id,state,")
    policy.write_text(policy.read_text().replace("user.name", "user"))
    code, text = run("findings", "rejudge", "--ledger", where, "--policy", str(policy))
    assert code == 0
    assert text.startswith("resolved ")
    assert run("findings", "show", "--ledger", where, "zz")[0] == 2
    assert run("ledger", "verify", "--ledger", where)[0] == 0
