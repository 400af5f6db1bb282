"""People with known truth, and deliveries of them as files."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.truth import FIRST, LAST, STATES, STREETS


@dataclass(frozen=True)
class Person:
    """One of a population; every identifier is this person's alone."""

    number: int
    first: str
    last: str
    email: str
    phone: str
    born: str
    street: str
    state: str


def population(size: int, seed: int = 7) -> list[Person]:
    """People whose e-mail addresses and telephone numbers differ."""
    rng = random.Random(seed)
    out = []
    for number in range(size):
        first, last = rng.choice(FIRST), rng.choice(LAST)
        out.append(
            Person(
                number,
                first,
                last,
                f"{first}.{last}{number}@example.{rng.choice(('com', 'org', 'net'))}".lower(),
                f"+1 415 {200 + number // 10_000:03d} {number % 10_000:04d}",
                f"{rng.randint(1940, 2004)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
                f"{rng.randint(1, 999)} {rng.choice(STREETS)}",
                rng.choice(STATES),
            )
        )
    return out


_COLUMNS = {
    "first_name": lambda p: p.first,
    "last_name": lambda p: p.last,
    "email": lambda p: p.email,
    "phone": lambda p: p.phone,
    "birth_date": lambda p: p.born,
    "street": lambda p: p.street,
    "state": lambda p: p.state,
}
CONTACTS = ("first_name", "last_name", "email", "phone", "state")
CALLS = ("phone", "last_name", "first_name")
MAILING = ("email", "street", "state")


def write(path: Path, people: Iterable[Person], columns: Sequence[str]) -> None:
    """A CSV file of these columns of these people."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(columns)
        rows.writerows([_COLUMNS[name](person) for name in columns] for person in people)
