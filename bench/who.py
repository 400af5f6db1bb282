"""How soon ``who`` says which of a list of people a ledger's deliveries held; the truth is known.

    python -m bench.who                               40,000 people, 1,000 deliveries
    python -m bench.who --people 1000 --versions 100

A vendor's deliveries are drawn from a population with e-mail addresses and telephone numbers; half of the
list is of that population. One delivery in fifty is so large that it keeps its people for exact membership
only. Each line of the answer is held against what was delivered.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench.common import SHAREWATCH, run
from scanner.detect.personkeys import PersonKeyer
from scanner.ledger.recorder import Delivery, Recorder
from scanner.ledger.store import open_ledger, stamp
from scanner.model import Column, Distinct, Evidence, Form, Kind, Outcome, PersonKeys, Status, Table
from scanner.sketch import FULL

_START = datetime(2026, 1, 1, tzinfo=UTC)
_POPULATION = 400_000
_USUAL, _LARGE, _EVERY = 2_000, 100_000, 50
_KEPT, _FURTHER = 65_536, 8_192
_FIELDS = ((0, "EMAIL_ADDRESS"), (1, "PHONE_NUMBER"))
_CATEGORIES = ("user.contact.email", "user.contact.phone_number")


def email(number: int) -> str:
    """The address of one of the population; of nobody beyond it."""
    return f"person{number}@example.org"


class Population:
    """Everybody's keys, made once."""

    def __init__(self, secret: bytes) -> None:
        keyer = PersonKeyer(secret)
        values = {
            "email": pa.array([email(number) for number in range(_POPULATION)], pa.large_string()),
            "phone": pa.array([f"+4930{10_000_000 + n}" for n in range(_POPULATION)], pa.large_string()),
        }
        self.keys = {name: np.asarray(keyer.keys(name, each)) for name, each in values.items()}
        self.members = {name: np.asarray(keyer.members(name, each)) for name, each in values.items()}

    def of(self, numbers: Any) -> tuple[PersonKeys, ...]:
        """A table's people, as the scanner folds them."""
        emails, phones = self.keys["email"][numbers], self.keys["phone"][numbers]
        order = np.argsort(emails)[:_KEPT]
        cut = len(numbers) > _KEPT
        theta = int(emails[order[-1]]) if cut else FULL
        order = order[:-1] if cut else order
        own = self._made("email", emails[order], theta, None, b"", FULL, numbers, cut)
        few = np.argsort(emails)[:_FURTHER] if cut else np.arange(len(numbers))
        sampled = int(emails[few[-1]]) if cut else FULL
        few = (few[:-1] if cut else few)[np.argsort(phones[few[:-1] if cut else few])]
        owners = emails[few].astype("<u8").tobytes()
        more = self._made("phone", phones[few], FULL, "email", owners, sampled, numbers, cut)
        return own, more

    def _made(
        self, name: str, keys: Any, theta: int, owner: str | None, owners: bytes, sampled: int,
        numbers: Any, cut: bool,
    ) -> PersonKeys:  # fmt: skip
        traits = np.full(len(keys), 3, "<u8").tobytes()
        members = np.sort(self.members[name][numbers]).astype("<u8").tobytes() if cut else b""
        return PersonKeys(
            name, keys.astype("<u8").tobytes(), theta, traits, _FIELDS,
            owner=owner, owners=owners, owner_theta=sampled, members=members,
        )  # fmt: skip


def _outcome(number: int, persons: tuple[PersonKeys, ...], rows: int) -> Outcome:
    columns = tuple(
        Column(
            name,
            at,
            rows,
            Kind.ENTITY,
            (Evidence(entity, category, Form.CLEAR, rows, rows, Distinct(), 0.99),),
        )
        for at, (name, (_, entity), category) in enumerate(
            zip(("email", "phone"), _FIELDS, _CATEGORIES, strict=True)
        )
    )
    table = Table("-", rows, columns, persons=persons)
    return Outcome(f"acme/{number}.csv", None, "csv", rows, f"{number:064x}", Status.SCANNED, tables=(table,))


def filled(where: str, versions: int) -> Any:
    """Record the deliveries; gives in how many of them each of the population is."""
    rng = np.random.default_rng(3)
    counts = np.zeros(_POPULATION, np.int64)
    with open_ledger(where, create=True) as ledger:
        population = Population(ledger.people_secret)
        with Recorder(ledger, rules_digest="bench") as recorder:
            for number in range(versions):
                size = _LARGE if number % _EVERY == 0 else _USUAL
                numbers = rng.choice(_POPULATION // 2, size, replace=False)
                counts[numbers] += 1
                item = _outcome(number, population.of(numbers), size)
                at = stamp(_START + timedelta(hours=number))
                recorder.record(item, at, Delivery("acme", f"/share/{item.path}", item.path))
    return counts


def measure(versions: int, people: int) -> dict[str, Any]:
    """One list against one ledger, by the command."""
    with tempfile.TemporaryDirectory() as folder:
        where, listed = f"{folder}/ledger.db", Path(folder) / "list.txt"
        counts = filled(where, versions)
        asked = np.random.default_rng(4).permutation(_POPULATION)[:people]
        listed.write_text("".join(f"{email(number)}\n" for number in asked.tolist()), encoding="utf-8")
        command = [SHAREWATCH, "who", "--ledger", where, "--list", str(listed), "--format", "csv"]
        done = run(command, accept=frozenset({0, 1}))
    wrong = sum(
        int(row["deliveries"]) != int(counts[number])
        for row, number in zip(csv.DictReader(io.StringIO(done.output)), asked.tolist(), strict=True)
    )
    return {
        "people asked for": people, "deliveries": versions, "seconds": round(done.wall, 1),
        "CPU seconds": round(done.cpu, 1), "peak MiB": round(done.peak_mb),
        "found": int((counts[asked] > 0).sum()), "lines answered wrong": wrong,
    }  # fmt: skip


def main() -> None:
    """Measure, and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--versions", type=int, default=1_000)
    parser.add_argument("--people", type=int, default=40_000)
    given = parser.parse_args()
    print(json.dumps(measure(given.versions, given.people), indent=1))


if __name__ == "__main__":
    main()
