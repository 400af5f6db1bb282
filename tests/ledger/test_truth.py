"""Vendors whose deliveries overlap, move, are renamed, overwritten, deleted: people on any day are exact."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scanner.ledger.verify import verify
from tests.ledger.conftest import Shop
from tests.ledger.population import CALLS, CONTACTS, MAILING, Person, population, write

DAYS = 18
VENDORS = ("acme", "bolt", "cord")
_LAYOUTS = {"contacts": CONTACTS, "calls": CALLS, "mailing": MAILING}


@dataclass
class World:
    """A share that changes from day to day, and who is on it."""

    root: Path
    rng: random.Random
    people: list[Person]
    files: dict[str, tuple[str, list[Person]]] = field(default_factory=dict)
    number: int = 0

    def deliver(self, vendor: str) -> None:
        """A new file of people that may be in others."""
        self.number += 1
        # The first file of a vendor holds the identifiers that later ones know its people by.
        known = any(path.startswith(f"{vendor}/") for path in self.files)
        layout = self.rng.choice(list(_LAYOUTS)) if known else "contacts"
        size = self.rng.randint(20, 60)
        start = self.rng.randrange(len(self.people) - size)
        everybody = self.people if not known else self.people[start : start + size]
        self.put(f"{vendor}/{layout}_{self.number}.csv", layout, everybody)

    def put(self, path: str, layout: str, people: list[Person]) -> None:
        write(self.root / path, people, _LAYOUTS[layout])
        self.files[path] = (layout, people)

    def change(self) -> None:
        """Move, rename, overwrite or delete one file that is not a vendor's first."""
        others = [path for path in self.files if not path.endswith(tuple(self.first()))]
        if not others:
            return
        path = self.rng.choice(sorted(others))
        layout, people = self.files.pop(path)
        vendor = path.split("/")[0]
        match self.rng.choice(("move", "rename", "overwrite", "delete")):
            case "move":
                self.move(path, f"{vendor}/old/{Path(path).name}", layout, people)
            case "rename":
                self.number += 1
                self.move(path, f"{vendor}/{layout}_{self.number}.csv", layout, people)
            case "overwrite":
                self.put(path, layout, self.rng.sample(self.people, 30))
            case "delete":
                (self.root / path).unlink()

    def move(self, old: str, new: str, layout: str, people: list[Person]) -> None:
        (self.root / new).parent.mkdir(parents=True, exist_ok=True)
        (self.root / old).rename(self.root / new)
        self.files[new] = (layout, people)

    def first(self) -> list[str]:
        return [f"contacts_{number}.csv" for number in range(1, len(VENDORS) + 1)]

    def truth(self) -> dict[str, set[int]]:
        out: dict[str, set[int]] = {}
        for path, (_, people) in self.files.items():
            out.setdefault(path.split("/")[0], set()).update(person.number for person in people)
        return out


@pytest.mark.parametrize("seed", [1, 2])
def test_people_of_each_vendor_on_any_day(shop: Shop, seed: int) -> None:
    """Exact, as of each day and over any days; the number of files too."""
    world = World(shop.root, random.Random(seed), population(300, seed))
    # The people of the first files: later ones hold others too.
    world.people = world.people[:200]
    for vendor in VENDORS:
        world.deliver(vendor)
    world.people = population(300, seed)
    truths: list[dict[str, set[int]]] = []
    counts: list[dict[str, int]] = []
    for at in range(DAYS):
        if at % 3 == 0:
            world.deliver(world.rng.choice(VENDORS))
        elif at % 3 == 1:
            world.change()
        if at % 3 < 2:
            shop.scan(at)
        truths.append(world.truth())
        counts.append({v: sum(path.startswith(f"{v}/") for path in world.files) for v in VENDORS})
    for at in range(DAYS):
        found = shop.exposure(at + 0.5)
        assert {vendor: found[vendor]["items"] for vendor in VENDORS} == counts[at]
        for vendor in VENDORS:
            people = found[vendor]["people"]
            assert people["best"] == len(truths[at][vendor])
            assert people["low"] <= people["best"] <= people["high"]
    for start, end in ((3, 9), (10, 17), (0, 17)):
        found = shop.exposure(start + 0.5, end + 0.5)
        for vendor in VENDORS:
            everybody = set().union(*(truths[at][vendor] for at in range(start, end + 1)))
            assert found[vendor]["people"]["best"] == len(everybody)
    assert verify(shop.ledger).problems == ()
