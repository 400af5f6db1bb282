"""Findings about digests that other files undo: the same for the same files, however they were scanned."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from scanner import judging
from scanner.config import Settings
from scanner.detect import reversal
from scanner.engine import Request
from scanner.item import read_item
from scanner.judging import rejudge
from scanner.ledger import findings as register
from scanner.ledger import schema, undoing
from scanner.ledger.findings import Transition
from scanner.ledger.queries import Version
from scanner.ledger.recorder import Recorder
from scanner.ledger.store import Connection, Ledger, Writer, open_ledger
from scanner.ledger.verify import verify
from scanner.model import ItemRef, Outcome
from scanner.policy.loading import loads
from scanner.sources.walk import walk
from scanner.surfaces.recording import ScanRecording
from tests.ledger.conftest import Shop, _report, day
from tests.ledger.population import Person, population

LAW = """
version: 1
organisation: Example
vendors:
  - id: acme
    paths: ["acme/**"]
    allow: [%s]
  - id: bolt
    paths: ["bolt/**"]
    allow: [user]
"""
STRICT, LOOSE = LAW % "{category: user.contact.email, form: [hashed]}", LAW % "user.contact.email"
NOTHING = LAW % ""
PEOPLE = population(60)
A, B = "acme/a/hashes.csv", "acme/b/clear.csv"
UNDONE, CLEAR = "hashes.csv email_hash open", "clear.csv email open"


def md5(value: str) -> str:
    return hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()


def put(
    shop: Shop, path: str, written: Callable[[str], str], name: str, people: Sequence[Person] = PEOPLE
) -> None:
    file = shop.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow([name, "plan"])
        rows.writerows([written(each.email), f"plan {at % 3}"] for at, each in enumerate(people))


def scan(shop: Shop, at: float, *below: str) -> list[Transition]:
    """Scan some folders of the share only, as ``scan share/… --ledger`` does; gives what changed."""
    roots = tuple(str(shop.root / each) for each in below) or (str(shop.root),)
    request = Request(roots=roots, policy=shop.policy, policy_digest="sha256:law", shares=(str(shop.root),))
    with Recorder(shop.ledger, rules_digest="sha256:test") as recorder:
        recording = ScanRecording(recorder, request, day(at))
        for root in roots:
            for found in walk([root]):
                if isinstance(found, ItemRef):
                    for outcome in read_item(found, Settings(model="none"), shop.detector):
                        recording(outcome, root)
                else:
                    assert isinstance(found, Outcome)
                    recording(found, root)
        recording.finish(_report(interrupted=False))
    return recording.changes


def judged(shop: Shop, law: str = STRICT) -> list[Transition]:
    """As ``findings rejudge`` does."""
    shop.policy = loads(law, "policy.yaml").policy
    writer = Writer(shop.ledger)
    try:
        return rejudge(writer, shop.policy, digest=f"sha256:{len(law)}")
    finally:
        writer.close()


def state(shop: Shop) -> set[str]:
    with shop.ledger.reading() as connection:
        found = register.listed(connection)
    return {f"{_file(each)} {each.document['column']} {each.state}" for each in found}


def _file(found: register.Registered) -> str:
    """Its name: the path is told relative to what was scanned."""
    return Path(found.document["path"]).name


def documents(shop: Shop) -> list[dict[str, object]]:
    """All that is registered, but for what files are called relative to what was scanned."""
    with shop.ledger.reading() as connection:
        return [{**each.document, "path": _file(each)} for each in register.listed(connection)]


def told(changes: Sequence[Transition]) -> list[str]:
    return [f"{each.kind} {each.document['column']}" for each in changes]


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.policy = loads(STRICT, "policy.yaml").policy
    return shop


def both(shop: Shop) -> None:
    put(shop, A, md5, "email_hash")
    put(shop, B, str, "email")


@pytest.mark.parametrize("order", [*permutations(["acme/a", "acme/b"]), ("",), ("", "acme/a", "acme/b", "")])
def test_the_same_files_give_the_same_findings_in_whatever_order(shop: Shop, order: tuple[str, ...]) -> None:
    """Each opens once, and nothing is told of it again however often and with what it is scanned."""
    both(shop)
    changes = [each for at, root in enumerate(order) for each in scan(shop, 1 + at, *filter(None, [root]))]
    assert sorted(told(changes)) == ["opened email", "opened email_hash"]
    assert state(shop) == {UNDONE, CLEAR}
    for at, root in enumerate(["acme/a", "acme/b", "", "acme/a"]):
        assert scan(shop, 20 + at, *filter(None, [root])) == []
        before = documents(shop)
        assert judged(shop) == []
        assert documents(shop) == before
    with shop.ledger.reading() as connection:
        document = next(each.document for each in register.listed(connection) if _file(each) == "hashes.csv")
    assert "can be undone (md5 of column email in file acme/b/clear.csv)" in document["because"]
    assert document["verdict"] == "over_shared"
    assert verify(shop.ledger).problems == ()


def test_it_is_resolved_when_what_undoes_it_is_gone_and_comes_back_with_it(shop: Shop) -> None:
    both(shop)
    scan(shop, 1)
    (shop.root / B).unlink()
    assert sorted(told(scan(shop, 2, "acme/b"))) == ["resolved email", "resolved email_hash"]
    assert scan(shop, 3) == judged(shop) == []
    put(shop, "acme/b/again.csv", str, "email")
    changes = scan(shop, 4, "acme/b")
    assert sorted(told(changes)) == ["opened email", "opened email_hash"]
    assert all(each.reopened for each in changes)


def test_it_is_resolved_with_its_own_file(shop: Shop) -> None:
    both(shop)
    scan(shop, 1)
    (shop.root / A).unlink()
    assert told(scan(shop, 2, "acme/a")) == ["resolved email_hash"]
    assert state(shop) == {CLEAR}


def test_the_next_delivery_of_the_same_kind_changes_nothing(shop: Shop) -> None:
    """Neither the next digests in place of the old ones, nor the next addresses."""
    both(shop)
    scan(shop, 1)
    put(shop, A, md5, "email_hash", PEOPLE[:58])
    assert scan(shop, 2, "acme/a") == []
    put(shop, B, str, "email", PEOPLE[1:])
    assert scan(shop, 3, "acme/b") == []
    assert state(shop) == {UNDONE, CLEAR}


def test_digests_that_are_keyed_from_now_on_resolve_it(shop: Shop) -> None:
    both(shop)
    scan(shop, 1)
    put(shop, A, lambda value: md5(f"a key that stays here {value}"), "email_hash")
    assert told(scan(shop, 2, "acme/a")) == ["resolved email_hash"]


def test_what_another_vendor_has_undoes_nothing(shop: Shop) -> None:
    put(shop, A, md5, "email_hash")
    put(shop, "bolt/clear.csv", str, "email")
    assert scan(shop, 1) == scan(shop, 2, "acme") == judged(shop) == []


def test_another_policy_judges_what_is_undone(shop: Shop) -> None:
    """Whoever may have the address may have a digest of it that can be undone."""
    both(shop)
    scan(shop, 1)
    assert sorted(told(judged(shop, LOOSE))) == ["resolved email", "resolved email_hash"]
    assert scan(shop, 2) == []
    assert sorted(told(judged(shop, STRICT))) == ["opened email", "opened email_hash"]
    assert judged(shop, STRICT) == []


def test_a_finding_that_the_file_alone_has_too_is_at_one_place(shop: Shop) -> None:
    """As bad as it is with the others."""
    shop.policy = loads(NOTHING, "policy.yaml").policy
    put(shop, A, md5, "email_hash")
    scan(shop, 1)
    before = _only(shop)
    assert "undone" not in before.document["because"]
    put(shop, B, str, "email")
    scan(shop, 2, "acme/b")
    after = _only(shop)
    assert (after.id, after.places) == (before.id, 1)
    assert "undone" in after.document["because"]
    assert scan(shop, 3) == []
    with shop.ledger.reading() as connection:
        ((place, held),) = register.places_of(connection, after.id)
    assert (place, held["because"]) == ((str(shop.root / A), ""), after.document["because"])


def _only(shop: Shop) -> register.Registered:
    with shop.ledger.reading() as connection:
        (found,) = (each for each in register.listed(connection) if _file(each) == "hashes.csv")
        (again,) = (register.one(connection, found.id),)
    assert again == found
    return found


def test_an_acceptance_holds_while_nothing_changes(shop: Shop) -> None:
    both(shop)
    scan(shop, 1)
    id_ = _only(shop).id
    writer = Writer(shop.ledger)
    register.decide(writer, register.Action(id_, day(1), "me", "accept", "known", "2999-01-01"))
    writer.close()
    for root in ("acme/a", "acme/b", "acme"):
        assert scan(shop, 2, root) == judged(shop) == []
    assert state(shop) == {CLEAR}


@pytest.fixture
def forgotten(shop: Shop) -> Shop:
    both(shop)
    scan(shop, 1)
    (shop.root / A).unlink()
    (shop.root / B).unlink()
    scan(shop, 2)
    with Recorder(shop.ledger, rules_digest="sha256:test") as recorder:
        assert recorder.forget(day(3)) == 2
    return shop


def test_what_is_forgotten_undoes_nothing_and_leaves_nothing(forgotten: Shop) -> None:
    with forgotten.ledger.reading() as connection:
        assert connection.execute(schema.blobs.select()).all() == []
    assert judged(forgotten) == []
    assert verify(forgotten.ledger).problems == ()


def test_an_altered_note_shows(shop: Shop) -> None:
    both(shop)
    scan(shop, 1)
    table = schema.undoing
    with shop.ledger.engine.begin() as connection:
        connection.execute(table.update().values(hashed=None))
    assert any("undoing" in each and "altered" in each for each in verify(shop.ledger).problems)


def test_a_ledger_of_before_learns_it_from_the_next_scan(shop: Shop, tmp_path: Path) -> None:
    """What was recorded before such was noted is noted when the same content is seen again."""
    both(shop)
    scan(shop, 1)
    shop.ledger.close()
    with open_ledger(str(tmp_path / "ledger.db")) as ledger:
        shop.ledger = ledger
        with ledger.engine.begin() as connection:
            connection.execute(schema.undoing.delete())
            connection.execute(
                schema.finding_sites.delete().where(schema.finding_sites.c.location.like("with%"))
            )
        assert told(judged(shop)) == []
        scan(shop, 2)
        assert state(shop) == {UNDONE, CLEAR}
        with ledger.reading() as connection:
            assert len(connection.execute(schema.undoing.select()).all()) == 2


def test_neither_values_nor_their_digests_are_kept(shop: Shop, tmp_path: Path) -> None:
    both(shop)
    scan(shop, 1)
    data = b"".join(each.read_bytes() for each in tmp_path.glob("ledger.db*"))
    for person in PEOPLE:
        digest = md5(person.email)
        assert person.email.encode() not in data
        assert digest.encode() not in data
        assert bytes.fromhex(digest) not in data


def test_what_is_as_it_was_is_not_judged_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """But where its finding was taken away meanwhile, as of a file that was gone for a moment, it is."""
    both(shop)
    scan(shop, 1)
    read: list[int] = []
    original = judging.queries.outcome_of

    def counted(ledger: Ledger, connection: Connection, version: Version) -> Outcome | None:
        read.append(version.id)
        return original(ledger, connection, version)

    monkeypatch.setattr(judging.queries, "outcome_of", counted)
    at, place = day(2), (str(shop.root / A), "")
    undone = judging.of_undone(shop.ledger, at, "sha256:law")
    with shop.ledger.engine.begin() as connection:

        def settled(before: judging.Settled | None) -> tuple[list[str], judging.Settled, int]:
            read.clear()
            changes, state = judging.settle_undone(connection, shop.ledger, shop.policy, undone, at, before)
            return told(changes), state, len(read)

        changes, state, looked = settled(None)
        assert (changes, looked) == ([], 1)
        changes, state, looked = settled(state)
        assert (changes, looked) == ([], 0)
        assert told(register.gone(connection, [place], at)) == ["resolved email_hash"]
        changes, state, looked = settled(state)
        assert (changes, looked) == (["opened email_hash"], 1)


def test_many_clear_columns_are_compared_bit_by_bit(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that undoes most is told, in whichever bit it comes; of equals the first by name."""
    many = population(600)
    put(shop, A, md5, "email_hash", many[:400])
    put(shop, "acme/b/a few.csv", str, "email", many[398:])
    put(shop, "acme/b/most.csv", str, "email", many)
    put(shop, "acme/b/as many.csv", str, "email", many)
    put(shop, "acme/b/nobody.csv", str, "email", [replace(e, email=f"x{e.email}") for e in many])
    scan(shop, 1)
    for size in (1, 1 << 20):
        monkeypatch.setattr(undoing, "_AT_ONCE", size)
        with shop.ledger.engine.begin() as connection:
            connection.execute(schema.answers.delete())
        (said,) = judging.of_undone(shop.ledger, day(2), None).told.values()
        assert list(said.values()) == ["reversible:md5 of column email in file acme/b/as many.csv"]


@pytest.mark.parametrize(("people", "values"), [(20, 12), (400, 20), (6400, 48)])
def test_small_columns_are_probed_with_fewer_values(shop: Shop, people: int, values: int) -> None:
    """So that what is kept of a small file is small; dates are tried one by one and need no probe."""
    file = shop.root / "acme/people.csv"
    file.parent.mkdir()
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["email", "date_of_birth"])
        rows.writerows(
            [f"person{n}@example.org", f"19{n % 60 + 30}-0{n % 9 + 1}-1{n % 10}"] for n in range(people)
        )
    (table,) = shop.read("acme/people.csv").tables
    assert {probe.source for probe in table.probes} == {"email", "date_of_birth"}
    kept = {
        probe.way: len(undoing._some(probe, table)) / (len(probe.packed) / 8)
        for probe in table.probes
        if probe.source == "email"
    }
    assert set(kept) == {"md5", "sha1", "sha256", "sha512"}
    assert all(
        share == pytest.approx(values / min(people, undoing.PROBED), abs=0.02) for share in kept.values()
    )
    assert not any(len(undoing._some(each, table)) for each in table.probes if each.source != "email")


def test_both_probe_with_as_many_values() -> None:
    assert undoing.PROBED == reversal.PROBED
