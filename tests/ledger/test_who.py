"""``who``: people are found where they were, under any of their identifiers, and nothing given is shown."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from scanner.detect import persons
from scanner.detect.personkeys import PersonKeyer
from scanner.ledger import membership, queries
from scanner.ledger.recorder import Recorder
from scanner.surfaces.cli import cli
from scanner.surfaces.who_cli import _LINES, People, _dates, _decoded, _read
from tests.ledger.conftest import Shop, day

ANYTIME = queries.Window("0001", day(999))
FIRSTS = ("Anna", "Boris", "Clara", "David", "Emma", "Felix", "Greta", "Henry", "Ida", "Jonas")
LASTS = ("Weber", "Klein", "Schulz", "Wolf", "Neumann", "Krause")


def person(number: int) -> dict[str, str]:
    first, last = FIRSTS[number % 10], LASTS[number // 10 % 6]
    return {
        "name": f"{first} {last}",
        "email": f"{first}.{last}{number}@example.org".lower(),
        "phone": f"+4989{20_000_000 + number * 37}",
        "customer_id": f"K{40_000 + number}",
        "email_sha256": hashlib.sha256(f"{first}.{last}{number}@example.org".lower().encode()).hexdigest(),
    }


def deliver(shop: Shop, path: str, columns: list[str], numbers: range) -> None:
    file = shop.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(person(number) for number in numbers)


def ask(shop: Shop, lines: list[str], vendor: str | None = None) -> membership.Answer:
    people = People(lines, PersonKeyer(shop.ledger.people_secret, ("DE",)))
    with shop.ledger.reading() as connection:
        vendors = queries.vendors(connection) if vendor is None else [vendor]
        return membership.search(shop.ledger, connection, ANYTIME, vendors, people.ask, people.count)


def held(answer: membership.Answer) -> dict[str, list[int]]:
    return {hit.spans[0][0]: hit.people.tolist() for hit in answer.hits}


def test_a_person_is_found_by_each_identifier(shop: Shop) -> None:
    deliver(shop, "acme/mail.csv", ["name", "email"], range(40))
    deliver(shop, "bolt/calls.csv", ["name", "phone"], range(20, 60))
    shop.scan(1)
    assert held(ask(shop, [person(5)["email"].upper()])) == {"acme/mail.csv": [0]}
    assert held(ask(shop, [f"0{person(45)['phone'][3:]}"])) == {"bolt/calls.csv": [0]}
    assert held(ask(shop, ["nobody@example.org"])) == {}
    assert ask(shop, ["nobody@example.org"]).open == {}


def test_what_is_gone_is_found_with_its_time(shop: Shop) -> None:
    deliver(shop, "acme/mail.csv", ["name", "email"], range(40))
    shop.scan(1)
    (shop.root / "acme/mail.csv").unlink()
    shop.scan(5)
    (hit,) = ask(shop, [person(5)["email"]]).hits
    assert hit.spans == (("acme/mail.csv", day(1), day(5)),)
    assert hit.categories == {"user.name", "user.contact.email"}


def test_another_identifier_of_the_same_person_is_followed(shop: Shop) -> None:
    deliver(shop, "acme/both.csv", ["name", "email", "phone"], range(40))
    deliver(shop, "bolt/calls.csv", ["phone"], range(20, 60))
    shop.scan(1)
    answer = ask(shop, [person(25)["email"], person(5)["email"]])
    assert held(answer) == {"acme/both.csv": [0, 1], "bolt/calls.csv": [0]}
    assert answer.hits[1].linked.tolist() == [0]


def test_every_number_of_a_person_is_followed(shop: Shop) -> None:
    """Several telephone numbers of one address, in no order, and the same person asked for twice."""
    file = shop.root / "acme/both.csv"
    file.parent.mkdir()
    rows = [(person(n)["email"], person(100 * turn + n)["phone"]) for n in range(30) for turn in range(3)]
    file.write_text("email,phone\n" + "".join(f"{mail},{phone}\n" for mail, phone in rows))
    deliver(shop, "bolt/calls.csv", ["phone"], range(200, 230))
    shop.scan(1)
    lines = [person(number)["email"] for number in range(30)]
    answer = ask(shop, [*lines, *lines, "nobody@example.org"])
    assert held(answer) == {"acme/both.csv": list(range(60)), "bolt/calls.csv": list(range(60))}
    assert answer.hits[1].linked.tolist() == list(range(60))


def test_people_of_one_name_are_not_taken_for_one(shop: Shop) -> None:
    deliver(shop, "acme/mail.csv", ["name", "email"], range(40))
    deliver(shop, "bolt/names.csv", ["name"], range(40))
    shop.scan(1)
    assert held(ask(shop, [person(5)["email"]])) == {"acme/mail.csv": [0]}


def test_an_unsalted_digest_of_an_address_is_that_person(shop: Shop) -> None:
    deliver(shop, "acme/hashed.csv", ["name", "email_sha256"], range(40))
    shop.scan(1)
    assert held(ask(shop, [person(7)["email"]])) == {"acme/hashed.csv": [0]}
    assert held(ask(shop, [person(50)["email"]])) == {}


def test_an_account_is_asked_for_in_its_name_space(shop: Shop) -> None:
    deliver(shop, "acme/ids.csv", ["customer_id", "name", "email"], range(40))
    shop.scan(1)
    assert held(ask(shop, [f"CustomerID = {person(3)['customer_id'].lower()}"])) == {"acme/ids.csv": [0]}
    assert held(ask(shop, [f"order_no={person(3)['customer_id']}"])) == {}


def test_what_could_not_be_read_excludes_nobody(shop: Shop) -> None:
    (shop.root / "acme").mkdir()
    (shop.root / "acme/broken.xlsx").write_bytes(b"PK\x03\x04" + bytes(100))
    shop.scan(1)
    answer = ask(shop, ["nobody@example.org"])
    assert answer.unsure == {"unread": 1}
    assert answer.open == {0: 1}


def test_beyond_what_is_kept_in_keys_everybody_is_still_told(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both families of membership: a table's keys are cut to a sample, as beyond 65,536 people."""
    monkeypatch.setattr(persons, "OWN_KEYS", 8)
    monkeypatch.setattr(persons, "FURTHER_KEYS", 8)
    deliver(shop, "acme/both.csv", ["name", "email", "phone"], range(50))
    (shop.root / "acme/note.txt").write_text(
        "".join(f"Write to {person(number)['email']} today.\n" for number in range(40, 60))
    )
    shop.scan(1)
    emails = ask(shop, [person(number)["email"] for number in range(60)])
    assert held(emails)["acme/both.csv"] == list(range(50))
    assert held(emails)["acme/note.txt"] == list(range(40, 60))
    assert emails.open == {}
    phones = ask(shop, [person(number)["phone"] for number in range(60)])
    assert held(phones)["acme/both.csv"] == list(range(50))


def test_a_long_list_over_many_versions_is_searched_in_vectors(shop: Shop) -> None:
    deliver(shop, "acme/mail.csv", ["name", "email"], range(60))
    shop.scan(1)
    lines = [person(number)["email"] for number in range(60)] + [f"x{n}@example.net" for n in range(20_000)]
    answer = ask(shop, lines)
    assert np.array_equal(answer.hits[0].people, np.arange(60))


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("anna@example.org", ["email"]),
        ('"Anna@Example.org"\r', ["email"]),
        ("+49 89 123456", ["phone", "number"]),
        ("Anna Weber 1980-05-01", ["name+birth"]),
        ("Weber, Anna; 01.05.1980", ["name+birth"]),
        ("Anna Weber 05/13/1980", ["name+birth"]),
        ("Anna Weber 01/05/1980", ["name+birth", "name+birth"]),
        ("Anna Weber 19800501", ["name+birth"]),
        ("customer_id = 4711", ["account:customerid"]),
        ("123-45-6789", ["phone", "number"]),
        ("AB123456C", ["number"]),
        ("Anna Weber", []),
        ("   ", []),
        ("9" * 5000, []),
    ],
)
def test_what_a_line_may_be(line: str, kinds: list[str]) -> None:
    assert [kind for kind, _ in _read(line)] == kinds


def _run(arguments: list[str], given: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, arguments, input=given)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_the_command_reads_standard_input_and_echoes_nothing(shop: Shop, tmp_path: Path) -> None:
    deliver(shop, "acme/mail.csv", ["name", "email"], range(40))
    shop.scan(1)
    where = str(tmp_path / "ledger.db")
    code, text = _run(["who", "--ledger", where], person(5)["email"] + "\n")
    assert code == 1
    assert "acme/mail.csv" in text
    assert "@" not in text
    assert _run(["who", "--ledger", where], "nobody@example.org\n") == (0, "found nowhere\n")
    assert _run(["who", "--ledger", where], "")[0] == 2
    assert _run(["who", "--ledger", where], "Anna Weber\n")[0] == 2


@pytest.mark.parametrize(
    ("given", "days"),
    [
        ("01.05.1980", ["1980-05-01"]),
        ("1.5.80", ["1980-05-01"]),
        ("13/05/1980", ["1980-05-13"]),
        ("05/13/1980", ["1980-05-13"]),
        ("01/05/1980", ["1980-01-05", "1980-05-01"]),
        ("05-05-1980", ["1980-05-05"]),
        ("13/13/1980", ["13/13/1980"]),
        ("1980-05-01", ["1980-05-01"]),
    ],
)
def test_a_day_that_may_be_two_is_looked_for_as_both(given: str, days: list[str]) -> None:
    assert _dates(given) == days


@pytest.mark.parametrize("written", ["1980-05-03", "03.05.1980", "05/03/1980", "03/05/80"])
def test_a_name_with_a_date_of_birth(shop: Shop, written: str) -> None:
    file = shop.root / "acme/born.csv"
    file.parent.mkdir()
    rows = [f"{FIRSTS[n % 10]} {LASTS[n // 10]},{1950 + n}-05-{1 + n % 28:02d}\n" for n in range(60)]
    file.write_text("name,date_of_birth\n" + "".join(rows).replace("1952-05-03", "1980-05-03"))
    shop.scan(1)
    assert held(ask(shop, [f"WEBER Clara, {written}", "Clara Weber 1981-05-03"])) == {"acme/born.csv": [0]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_list_in_any_encoding_is_counted_as_editors_count(encoding: str) -> None:
    """Form feeds and the line separator of Unicode end no line; a name keeps its letters."""
    text = "Jörg Müller 1980-05-01\r\nx\x0c@example.org\nlast@example.org\n"
    assert _LINES.split(_decoded(text.encode(encoding)))[:3] == text.replace("\r", "").split("\n")[:3]


def test_what_was_forgotten_excludes_nobody(shop: Shop) -> None:
    deliver(shop, "acme/mail.csv", ["name", "email"], range(40))
    shop.scan(1)
    (shop.root / "acme/mail.csv").unlink()
    shop.scan(2)
    with Recorder(shop.ledger, rules_digest="sha256:test") as recorder:
        assert recorder.forget(day(3)) == 1
    answer = ask(shop, [person(5)["email"], person(99)["email"]])
    assert answer.hits == []
    assert answer.unsure == {"forgotten": 1}
    assert answer.open == {0: 1, 1: 1}


def test_deliveries_without_people_are_no_doubt(shop: Shop) -> None:
    """A price list cannot hide anybody; a list of names can."""
    (shop.root / "acme").mkdir()
    (shop.root / "acme/prices.csv").write_text("sku,price\nA1,2\nA2,3\n")
    shop.scan(1)
    answer = ask(shop, ["anna@example.org"])
    assert (answer.searched, answer.silent) == (1, 0)
    deliver(shop, "acme/names.csv", ["name"], range(40))
    shop.scan(2)
    answer = ask(shop, ["anna@example.org"])
    assert (answer.searched, answer.silent) == (1, 1)


def test_bad_input_is_told_without_a_value(shop: Shop, tmp_path: Path) -> None:
    deliver(shop, "acme/mail.csv", ["name", "email"], range(40))
    shop.scan(1)
    where, listed = str(tmp_path / "ledger.db"), tmp_path / "list.txt"
    listed.write_bytes(b"\r\n \r\n")
    assert _run(["who", "--ledger", where, "--list", str(listed)], "")[0] == 2
    assert _run(["who", "--ledger", where, "--list", str(tmp_path)], "")[0] == 2
    assert _run(["who", "--ledger", where, "--list", str(tmp_path / "none")], "")[0] == 2
    marker = person(5)["email"]
    code, text = _run(["who", "--ledger", where, "--vendor", "acne"], marker + "\n")
    assert (code, marker in text) == (2, False)
    assert _run(["who", "--ledger", where, "--vendor", "acme", "--as-of", "soon"], marker)[0] == 2
    Path(f"{where}.key").unlink()
    code, text = _run(["who", "--ledger", where], marker + "\n")
    assert (code, marker in text) == (2, False)
    assert not Path(f"{where}.key").exists()


def test_a_hundred_thousand_lines(shop: Shop, tmp_path: Path) -> None:
    deliver(shop, "acme/mail.csv", ["name", "email"], range(60))
    shop.scan(1)
    where, listed = str(tmp_path / "ledger.db"), tmp_path / "list.txt"
    asked = {7: 3, 50_000: 11, 99_999: 59}
    listed.write_text(
        "".join(
            (person(asked[number])["email"] if number in asked else f"x{number}@example.net") + "\r\n"
            for number in range(100_000)
        )
    )
    code, text = _run(["who", "--ledger", where, "--list", str(listed), "--format", "csv"], "")
    assert code == 1
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 100_000
    assert {int(row["line"]) - 1 for row in rows if row["held"] == "yes"} == set(asked)
    assert {row["held"] for row in rows} == {"yes", "no"}


def test_nothing_that_was_given_is_left_anywhere(shop: Shop, tmp_path: Path) -> None:
    """Not in the ledger's files, nor in what is printed; it is never an argument, as there is none for it."""
    deliver(shop, "acme/mail.csv", ["name", "email"], range(40))
    shop.scan(1)
    where = str(tmp_path / "ledger.db")
    marker = "zzmarkerperson@example.org"
    for format_name in ("text", "json", "csv"):
        _, text = _run(["who", "--ledger", where, "--format", format_name], marker + "\n")
        assert "zzmarker" not in text
    digests = [hashlib.new(name, marker.encode()).hexdigest() for name in ("md5", "sha1", "sha256")]
    for file in tmp_path.glob("ledger.db*"):
        data = file.read_bytes()
        assert not any(each.encode() in data for each in ("zzmarker", *digests))
    assert _run(["who", "--ledger", where, marker], "")[0] == 2


def test_a_list_is_answered_line_by_line(shop: Shop, tmp_path: Path) -> None:
    deliver(shop, "acme/mail.csv", ["name", "email"], range(40))
    deliver(shop, "bolt/mail.csv", ["name", "email"], range(10))
    shop.scan(1)
    where, listed = str(tmp_path / "ledger.db"), tmp_path / "list.txt"
    listed.write_bytes(
        b"\xef\xbb\xbf"
        + f"{person(5)['email']}\r\nnobody@example.org\r\n\r\n{person(20)['email']}\r\n".encode()
    )
    arguments = ["who", "--ledger", where, "--list", str(listed), "--format"]
    code, text = _run([*arguments, "json"], "")
    assert code == 1
    document: dict[str, Any] = json.loads(text)
    assert [each["held"] for each in document["lines"]] == ["yes", "no", "unknown", "yes"]
    assert document["people"] == {"low": 2, "best": 2, "high": 3}
    assert [each["vendors"] for each in document["lines"]] == [["acme", "bolt"], [], [], ["acme"]]
    assert "@" not in text
    assert _run([*arguments, "csv", "--vendor", "bolt"], "")[1].splitlines()[1:] == [
        f"1,yes,1,bolt,{document['lines'][0]['first_seen']}",
        "2,no,0,,",
        "3,unknown,0,,",
        "4,no,0,,",
    ]
