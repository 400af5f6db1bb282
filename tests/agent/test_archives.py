"""Big archives: a scan that was ended goes on behind the members that are recorded."""

from __future__ import annotations

import io
import sqlite3
import tarfile
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from bench.agent import POLICY, Place, differences
from tests.agent.test_agent import alarms, until

#: Rows of a member: enough to kill the agent before it has read all members.
_ROWS = 8_000
_MEMBERS = 24


def table(number: int, rows: int = _ROWS, *, clean: bool = False) -> str:
    head, line = (
        ("sku,price\n", "A-%d,%d.00\n") if clean else ("name,email\n", "Anna Weber,a%d.%d@example.org\n")
    )
    return head + "".join(line % (number, row) for row in range(rows))


def nested(number: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for inner in range(2):
            archive.writestr(f"{inner}.csv", table(1000 * number + inner))
    return packed.getvalue()


def members(clean_from: int = _MEMBERS) -> dict[str, bytes]:
    """Tables, every fifth in a zip of its own; from a place on such without anything personal."""
    return {
        f"{number:02}.zip" if number % 5 == 2 else f"{number:02}.csv": nested(number)
        if number % 5 == 2
        else table(number, clean=number >= clean_from).encode()
        for number in range(_MEMBERS)
    }


def put(path: Path, held: dict[str, bytes]) -> None:
    part = path.with_name(f".{path.name}.part")
    if path.suffix == ".zip":
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in held.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(part, "w:gz") as packed:
            for name, data in held.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                packed.addfile(info, io.BytesIO(data))
    part.replace(path)


def seen(place: Place) -> dict[str, bool]:
    """The members that are there by the ledger, and whether each was scanned more than once."""
    if place.process is not None and place.process.poll() is None and not place.status():
        return {}  # it makes its tables
    with closing(sqlite3.connect(place.ledger)) as database:
        found = database.execute(
            "SELECT member, last_seen > first_seen FROM presences WHERE gone IS NULL AND member <> ''"
        )
        return {member: bool(again) for member, again in found}


def progress(place: Place) -> int:
    with closing(sqlite3.connect(place.ledger)) as database:
        return int(database.execute("SELECT count(*) FROM agent_progress").fetchone()[0])


def killed_in_the_middle(place: Place, at_least: int = 4) -> set[str]:
    """Kill the agent while it reads an archive; gives the members that were recorded by then."""
    place.start()
    until(lambda: len(seen(place)) >= at_least, place)
    place.kill()
    before = set(seen(place))
    assert at_least <= len(before) < _MEMBERS, "the agent was to be killed in the middle"
    assert progress(place) == len(before)
    return before


@pytest.mark.parametrize("name", ["acme/a.zip", "acme/a.tar.gz"])
def test_a_scan_goes_on_behind_what_is_recorded(place: Place, name: str) -> None:
    put(place.share / name, members())
    before = killed_in_the_middle(place)
    place.start()
    place.peace()
    place.stop()
    after = seen(place)
    again = {member for member, twice in after.items() if twice}
    # Those of a nested container whose end was not recorded are read again, and none else.
    last = max(before)
    assert {member for member in again if member.partition("!/")[0] != last.partition("!/")[0]} == set()
    assert again <= {member for member in before if "!/" in member}
    assert len(after) == _MEMBERS + 2 * sum(number % 5 == 2 for number in range(_MEMBERS))
    assert progress(place) == 0
    assert differences(place) == []
    scanned = [each["item"].get("member") for each in place.told("item.scanned")]
    assert set(scanned) == {None, *after}
    assert len(scanned) - len(set(scanned)) == len(again)


def test_an_archive_that_was_replaced_meanwhile_begins_anew(place: Place) -> None:
    held = members()
    put(place.share / "acme/a.zip", held)
    before = killed_in_the_middle(place)
    gone, kept = sorted(name for name in before if "!/" not in name and name.endswith("csv"))[:2]
    del held[gone]
    put(place.share / "acme/a.zip", {**held, "new.csv": table(7777).encode()})
    place.start()
    place.peace()
    place.stop()
    after = seen(place)
    assert "new.csv" in after
    assert gone not in after
    assert after[kept], "it is another file: what it holds was to be looked at again"
    assert progress(place) == 0
    assert differences(place) == []


def test_what_was_over_shared_before_takes_the_archive(place: Place) -> None:
    """Only members that are not read again hold what the policy does not allow."""
    place.policy.write_text(POLICY.replace("allow: [user.name]", "allow: [user.name], action: quarantine"))
    place.configure(f"quarantine: {{folder: {place.folder / 'held'}}}\n")
    put(place.share / "acme/a.zip", {"00.csv": table(0, 20).encode()} | dict(list(members(1).items())[3:]))
    place.start()
    until(lambda: "00.csv" in seen(place), place)
    place.kill()
    assert (place.share / "acme/a.zip").exists()
    place.start()
    until(lambda: "quarantined" in alarms(place), place)
    assert not (place.share / "acme/a.zip").exists()
    assert list((place.folder / "held").iterdir())
    place.peace()
    place.stop()
    assert progress(place) == 0


def test_a_member_that_was_not_read_whole_counts_after_a_kill(place: Place) -> None:
    """While one of its members cannot be read, no former member of an archive is taken for gone."""
    put(place.share / "acme/a.zip", {"old.csv": table(1, 20).encode()})
    place.start()
    until(lambda: "old.csv" in seen(place), place)
    place.stop()
    broken = {"00.bin": bytes(range(256)) * 4}
    put(place.share / "acme/a.zip", broken | members())
    place.start()
    until(lambda: len(seen(place)) >= 4, place)
    place.kill()
    place.start()
    place.peace()
    place.stop()
    after = seen(place)
    assert not after["00.bin"], "it was not to be read again"
    assert "old.csv" in after
    assert progress(place) == 0


def test_another_policy_begins_anew(place: Place) -> None:
    put(place.share / "acme/a.zip", members())
    before = killed_in_the_middle(place)
    place.policy.write_text(POLICY.replace("[user.name]", "[user]"))
    place.start()
    place.peace()
    place.stop()
    after = seen(place)
    assert all(after[member] for member in before)
    assert differences(place) == []
