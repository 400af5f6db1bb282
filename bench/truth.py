"""How right the account is: people of each vendor on any day, held against a known population.

    python -m bench.truth                               3 vendors, 30 deliveries each, 90 days, 60,000 people
    python -m bench.truth --people 3000 --rows 40 200   small, as the tests have it
    python -m bench.truth --seeds 1 2 3                 several worlds

Deliveries overlap, are moved, renamed, overwritten, deleted and brought back. They are CSV files of two
dialects, workbooks and SQL dumps of two databases, and know people by whatever the system knows that they
come from: here by e-mail address, there by telephone number, by customer number, or by name and birth date.
Who is who is told by tables that hold several of these; one vendor always has such a table within reach,
one has it now and then, and one never has: there the account knows it from what others got.

Printed for each vendor: the largest error of ``best`` on any day, the same over windows of days, and how
often the truth lay outside of ``low`` to ``high``. Exit code 1 where people are off by more
than 2%, or at all below 10,000, or an interval does not hold the truth.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scanner.config import Settings
from scanner.detect.fold import Detector
from scanner.engine import Request
from scanner.item import read_item
from scanner.judging import judge_by
from scanner.ledger import queries
from scanner.ledger.recorder import Recorder
from scanner.ledger.store import Ledger, open_ledger, stamp
from scanner.ledger.verify import verify
from scanner.model import ItemRef, Outcome, Report, ScanInfo
from scanner.policy.loading import loads
from scanner.sources.walk import walk
from scanner.surfaces.recording import ScanRecording

VENDORS = ("acme", "bolt", "cord")
DAYS, DELIVERIES = 90, 30
START = datetime(2026, 1, 1, tzinfo=UTC)
#: Below so many people a count has to be exact; above, it may be off by so much.
_EXACT_BELOW, _ERROR = 10_000, 0.02
POLICY = """
version: 1
organisation: Example
vendors:
  - {id: acme, name: Acme, paths: ["acme/**"], allow: [user.name, user.contact]}
  - {id: bolt, name: Bolt, paths: ["bolt/**"], allow: [user.name]}
  - {id: cord, name: Cord, paths: ["cord/**"], allow: [user]}
"""

# -- people ------------------------------------------------------------------------------------------------

FIRST = (
    "Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gina", "Hugo", "Ida", "Jon", "Kira", "Leo", "Mona",
    "Nils", "Olga", "Paul", "Rosa", "Sven", "Tina", "Udo", "Vera", "Wim", "Xenia", "Yann", "Zoe",
)  # fmt: skip
LAST = (
    "Abbott", "Becker", "Carter", "Dupont", "Evans", "Fischer", "Garcia", "Hughes", "Ibsen", "Jansen",
    "Keller", "Lambert", "Meyer", "Novak", "Olsen", "Perez", "Quinn", "Rossi", "Schmidt", "Turner",
    "Ulrich", "Vogel", "Weber", "Young", "Zimmer",
)  # fmt: skip
STREETS = ("Oak Street", "Mill Lane", "Station Road", "High Street", "Park Avenue", "Church Road")
STATES = ("CA", "TX", "NY", "WA", "OH")
_AREAS = ("212", "213", "305", "312", "404", "415", "503", "617", "713", "206")


@dataclass(frozen=True, slots=True)
class Person:
    """One of a population. Address, telephone, customer number, and name with birth date are this one's."""

    number: int
    first: str
    last: str
    email: str
    phone: str
    customer: str
    born: str
    street: str
    state: str


def population(size: int, seed: int) -> list[Person]:
    """So many people."""
    rng = random.Random(seed)
    out: list[Person] = []
    known: set[tuple[str, str, str]] = set()
    while len(out) < size:
        first, last = rng.choice(FIRST), rng.choice(LAST)
        born = f"{rng.randint(1940, 2004)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
        if (first, last, born) in known:
            continue
        known.add((first, last, born))
        number = len(out)
        area, rest = _AREAS[number % 10], 2_000_000 + number // 10
        out.append(
            Person(
                number,
                first,
                last,
                f"{first}.{last}{number}@example.{rng.choice(('com', 'org', 'net'))}".lower(),
                f"{area}{rest:07d}",
                str(100_003 + 7 * number),
                born,
                f"{rng.randint(1, 9999)} {rng.choice(STREETS)}",
                rng.choice(STATES),
            )
        )
    return out


# -- deliveries --------------------------------------------------------------------------------------------

_COLUMNS: dict[str, Callable[[Person], str]] = {
    "customer_id": lambda p: p.customer,
    "first_name": lambda p: p.first,
    "last_name": lambda p: p.last,
    "name": lambda p: f"{p.last}, {p.first}",
    "email": lambda p: p.email,
    "Email": lambda p: p.email.upper(),
    "phone": lambda p: f"+1{p.phone}",
    "Telephone": lambda p: f"({p.phone[:3]}) {p.phone[3:6]}-{p.phone[6:]}",
    "birth_date": lambda p: p.born,
    "Date of birth": lambda p: f"{p.born[5:7]}/{p.born[8:]}/{p.born[:4]}",
    "street": lambda p: p.street,
    "state": lambda p: p.state,
    "amount": lambda p: f"{p.number % 977}.50",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """What a system exports.

    Attributes:
        name: of its files and tables.
        suffix: of its files.
        columns: by heading.
        links: whether it tells by several identifiers who is who.
    """

    name: str
    suffix: str
    columns: tuple[str, ...]
    links: bool = False


CRM = Layout(
    "customers",
    ".csv",
    ("customer_id", "first_name", "last_name", "email", "phone", "birth_date", "state"),
    links=True,
)
_LAYOUTS = (
    CRM,
    Layout("newsletter", ".txt", ("email", "first_name", "state")),
    Layout("mailing", ".xlsx", ("Email", "street", "state")),
    Layout("callbacks", ".xlsx", ("Telephone", "name")),
    Layout("calls", ".csv", ("phone", "last_name")),
    Layout("claims", ".csv", ("last_name", "first_name", "Date of birth", "amount")),
    Layout("invoices", ".mysql.sql", ("customer_id", "last_name", "street", "amount")),
    Layout("loyalty", ".pg.sql", ("customer_id", "first_name", "last_name")),
    Layout("accounts", ".pg.sql", ("customer_id", "email"), links=True),
    Layout("support", ".mysql.sql", ("phone", "customer_id", "name"), links=True),
)


def write(path: Path, layout: Layout, people: Sequence[Person]) -> None:
    """A file of a layout."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = ([_COLUMNS[name](person) for name in layout.columns] for person in people)
    if layout.suffix == ".xlsx":
        _workbook(path, layout, rows)
    elif layout.suffix == ".mysql.sql":
        path.write_text("".join(_mysql(layout, list(rows))), encoding="utf-8")
    elif layout.suffix == ".pg.sql":
        path.write_text("".join(_postgres(layout, rows)), encoding="utf-8")
    else:
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, delimiter=";" if layout.suffix == ".txt" else ",")
            writer.writerow(layout.columns)
            writer.writerows(rows)


def _workbook(path: Path, layout: Layout, rows: Iterator[list[str]]) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(layout.name)
    sheet.append(list(layout.columns))
    for row in rows:
        sheet.append(row)
    book.save(path)


def _mysql(layout: Layout, rows: list[list[str]]) -> Iterator[str]:
    columns = ",\n".join(f"  `{name}` varchar(80) NOT NULL" for name in layout.columns)
    yield "-- MySQL dump 10.13  Distrib 8.0.36\n/*!40101 SET NAMES utf8mb4 */;\n"
    yield f"CREATE TABLE `{layout.name}` (\n  `nr` int NOT NULL,\n{columns},\n  PRIMARY KEY (`nr`)\n);\n"
    for start in range(0, len(rows), 500):
        values = ",".join(
            f"({at},{','.join(_quoted(cell) for cell in row)})"
            for at, row in enumerate(rows[start : start + 500], start)
        )
        yield f"INSERT INTO `{layout.name}` VALUES {values};\n"


def _quoted(cell: str) -> str:
    return "'" + cell.replace("'", "''") + "'"


def _postgres(layout: Layout, rows: Iterator[list[str]]) -> Iterator[str]:
    columns = ",\n".join(f"    {name} text" for name in layout.columns)
    yield "--\n-- PostgreSQL database dump\n--\n"
    yield f"CREATE TABLE public.{layout.name} (\n{columns}\n);\n"
    yield f"COPY public.{layout.name} ({', '.join(layout.columns)}) FROM stdin;\n"
    for row in rows:
        yield "\t".join(row) + "\n"
    yield "\\.\n"


@dataclass
class World:
    """A share that changes from day to day, and who is on it.

    Args:
        root: of the share.
        people: everybody.
        rng: what happens.
        rows: the smallest and the largest delivery.
    """

    root: Path
    people: list[Person]
    rng: random.Random
    rows: tuple[int, int]
    files: dict[str, tuple[Layout, frozenset[int]]] = field(default_factory=dict)
    away: list[tuple[str, bytes, Layout, frozenset[int]]] = field(default_factory=list)
    number: int = 0

    def begin(self) -> None:
        """The first vendor always has a table that tells who is who, of half of the people."""
        half = self.people[: len(self.people) // 2]
        self.put("acme/all/customers.csv", CRM, half)
        # The others' people are known, too, to somebody.
        self.put("acme/all/customers_2.csv", CRM, self.people[len(half) :])

    def deliver(self, vendor: str) -> None:
        """A new file of people that may be in others; one vendor never gets what tells who is who."""
        self.number += 1
        layout = self.rng.choice([each for each in _LAYOUTS if vendor != "cord" or not each.links])
        size = self.rng.randint(*self.rows)
        start = self.rng.randrange(len(self.people) - size)
        chosen = self.people[start : start + size]
        if self.rng.random() < 0.3:
            chosen = self.rng.sample(self.people, size)
        self.put(f"{vendor}/{layout.name}_{self.number}{layout.suffix}", layout, chosen)

    def put(self, path: str, layout: Layout, people: Sequence[Person]) -> None:
        """Write a file, or write over it."""
        write(self.root / path, layout, people)
        self.files[path] = (layout, frozenset(person.number for person in people))

    def change(self) -> None:
        """Move, rename, copy, overwrite, delete or bring back one file."""
        what = self.rng.choice(("move", "rename", "copy", "overwrite", "delete", "delete", "return"))
        if what == "return" and self.away:
            path, data, layout, people = self.away.pop(self.rng.randrange(len(self.away)))
            if path not in self.files:
                (self.root / path).write_bytes(data)
                self.files[path] = (layout, people)
            return
        others = sorted(path for path in self.files if not path.startswith("acme/all/"))
        if not others:
            return
        path = self.rng.choice(others)
        layout, people = self.files[path]
        vendor, name = path.split("/")[0], path.rpartition("/")[2]
        self.number += 1
        match what:
            case "move" | "rename":
                new = f"{vendor}/old/{name}" if what == "move" else f"{vendor}/x{self.number}_{name}"
                self._renamed(path, new)
            case "copy":
                new = f"{vendor}/copy{self.number}_{name}"
                (self.root / new).write_bytes((self.root / path).read_bytes())
                self.files[new] = (layout, people)
            case "overwrite":
                size = self.rng.randint(*self.rows)
                self.put(path, layout, self.rng.sample(self.people, size))
            case _:
                self.away.append((path, (self.root / path).read_bytes(), layout, people))
                (self.root / path).unlink()
                del self.files[path]

    def _renamed(self, old: str, new: str) -> None:
        if new in self.files:
            return
        (self.root / new).parent.mkdir(parents=True, exist_ok=True)
        (self.root / old).rename(self.root / new)
        self.files[new] = self.files.pop(old)

    def truth(self) -> dict[str, tuple[int, frozenset[int]]]:
        """For each vendor how many files it has, and whose data."""
        out: dict[str, tuple[int, frozenset[int]]] = dict.fromkeys(VENDORS, (0, frozenset()))
        for path, (_, people) in self.files.items():
            vendor = path.split("/")[0]
            count, known = out[vendor]
            out[vendor] = (count + 1, known | people)
        return out


# -- the account -------------------------------------------------------------------------------------------


@dataclass
class Account:
    """A ledger that a share is scanned into; a content is read once, whatever it is called later."""

    root: Path
    ledger: Ledger
    _read: dict[str, list[Outcome]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.policy = loads(POLICY, "policy.yaml").policy
        self._settings = Settings(model="none")
        self._detector = Detector(self._settings, b"k" * 16, self.ledger.people_secret)

    def scan(self, day: float) -> None:
        """Record the share as it is on a day."""
        request = Request(roots=(str(self.root),), policy=self.policy)
        with Recorder(self.ledger, rules_digest="sha256:truth") as recorder:
            recording = ScanRecording(recorder, request, moment(day))
            for found in walk([self.root]):
                outcomes = self._outcomes(found) if isinstance(found, ItemRef) else [found]
                for outcome in outcomes:
                    recording(outcome, str(self.root))
            recording.finish(
                Report(ScanInfo("1", "1", "", None, "none", "", "", True, "clean"), (), (), (), ())
            )

    def _outcomes(self, item: ItemRef) -> list[Outcome]:
        name = f"{hashlib.sha256((self.root / item.path).read_bytes()).hexdigest()} {item.path}"
        if name not in self._read:
            self._read[name] = list(read_item(item, self._settings, self._detector))
        return self._read[name]

    def exposure(self, start: float, end: float | None = None) -> dict[str, dict[str, Any]]:
        """The exposure of each vendor that had something."""
        window = queries.Window(moment(start), moment(start if end is None else end))
        judge = judge_by(self.policy, START.date())
        found = queries.exposure(self.ledger, window, judge=judge, judged_by="truth")
        return {each["id"]: each for each in found}


def moment(day: float) -> str:
    """The time of a day."""
    return stamp(START + timedelta(days=day))


@dataclass
class Errors:
    """What was off for one vendor.

    Attributes:
        days, windows: largest error of ``best``, as a part of the truth.
        outside: counts whose interval does not hold the truth.
        files: days on which the number of files was wrong.
        wrong: counts that are off by more than they may be.
        asked: counts that were looked at.
        most: people on the day with most.
    """

    days: float = 0.0
    windows: float = 0.0
    outside: int = 0
    files: int = 0
    wrong: int = 0
    asked: int = 0
    most: int = 0
    told: list[str] = field(default_factory=list)

    def add(self, found: dict[str, int], truth: int, what: str) -> float:
        """Hold one count against the truth; gives the error."""
        error = abs(found["best"] - truth) / max(1, truth)
        self.asked += 1
        self.most = max(self.most, truth)
        outside = not found["low"] <= truth <= found["high"]
        wrong = error > (_ERROR if truth >= _EXACT_BELOW else 0)
        self.outside += outside
        self.wrong += wrong
        if outside or wrong:
            self.told.append(f"{what}: {found} for {truth}")
        return error


def run(
    folder: Path, seed: int, people: int, rows: tuple[int, int], scans: int = DELIVERIES
) -> dict[str, Errors]:
    """Live through one world, then ask for each day of a scan, and for windows of days.

    Args:
        folder: an empty one.
        seed: of what happens.
        people: of the population.
        rows: of the smallest and the largest delivery.
        scans: on so many days; a divisor of the deliveries.
    """
    root = folder / "share"
    root.mkdir()
    rng = random.Random(seed)
    world = World(root, population(people, seed), rng, rows)
    step, each = DAYS // scans, DELIVERIES // scans
    truths: list[dict[str, tuple[int, frozenset[int]]]] = []
    out = {vendor: Errors() for vendor in VENDORS}
    with open_ledger(os.fspath(folder / "ledger.db"), create=True) as ledger:
        account = Account(root, ledger)
        world.begin()
        for day in range(0, DAYS, step):
            for _ in range(each):
                for vendor in VENDORS:
                    world.deliver(vendor)
                for _ in range(rng.randint(0, 3)):
                    world.change()
            account.scan(day)
            truths.append(world.truth())
        for at, truth in enumerate(truths):
            found = account.exposure(at * step + 0.5)
            for vendor, errors in out.items():
                held = found.get(vendor, queries.nothing(vendor))
                if held["items"] != truth[vendor][0]:
                    errors.files += 1
                    errors.told.append(
                        f"{vendor}, day {at * step}: {held['items']} files for {truth[vendor][0]}"
                    )
                error = errors.add(held["people"], len(truth[vendor][1]), f"{vendor}, day {at * step}")
                errors.days = max(errors.days, error)
        for start, end in ((0, len(truths) - 1), *_windows(rng, len(truths))):
            found = account.exposure(start * step + 0.5, end * step + 0.5)
            for vendor, errors in out.items():
                everybody = frozenset().union(*(truth[vendor][1] for truth in truths[start : end + 1]))
                held = found.get(vendor, queries.nothing(vendor))
                what = f"{vendor}, days {start * step} to {end * step}"
                errors.windows = max(errors.windows, errors.add(held["people"], len(everybody), what))
        if verify(ledger).problems:
            raise AssertionError("the chain does not verify")
    return out


def _windows(rng: random.Random, days: int) -> list[tuple[int, int]]:
    return [(start, rng.randrange(start, days)) for start in rng.sample(range(days), 5)]


def main() -> int:
    """Live through worlds, and print how wrong the account of each is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=60_000)
    parser.add_argument("--rows", type=int, nargs=2, default=(500, 12_000), metavar=("LEAST", "MOST"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--verbose", action="store_true", help="each count that is off, on standard error")
    given = parser.parse_args()
    bad = 0
    for seed in given.seeds:
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found = run(Path(folder), seed, given.people, tuple(given.rows))
        for vendor, errors in found.items():
            line = {
                "seed": seed, "vendor": vendor, "counts": errors.asked, "most people": errors.most,
                "largest error, days": round(errors.days, 5), "windows": round(errors.windows, 5),
                "off by more than allowed": errors.wrong, "outside of low to high": errors.outside,
                "days with wrong number of files": errors.files,
            }  # fmt: skip
            print(json.dumps(line))
            if given.verbose:
                print(*errors.told, sep="\n", file=sys.stderr)
            bad += errors.wrong + errors.outside + errors.files
        print(json.dumps({"seed": seed, "seconds": round(time.monotonic() - started, 1)}))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
