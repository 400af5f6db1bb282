"""What is united beforehand gives the answers that opening each version gives."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from scanner.ledger import queries, schema, unions
from scanner.ledger.people import Crowd
from scanner.ledger.recorder import Recorder
from scanner.model import PersonKeys
from scanner.sketch import FULL
from tests.ledger.conftest import Shop, day
from tests.ledger.population import CALLS, CONTACTS, MAILING, population, write

PEOPLE = population(400, 11)
_KEPT = select(func.count()).select_from(schema.answers)


@pytest.fixture(autouse=True)
def _short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unions, "RUN", 3)


def _deliver(shop: Shop, days: int) -> None:
    """A delivery to each of two vendors every day; some are gone after a while."""
    rng = random.Random(5)
    for at in range(days):
        for vendor in ("acme", "bolt"):
            layout = rng.choice((CONTACTS, CONTACTS, CALLS, MAILING))
            write(shop.root / f"{vendor}/{at}.csv", rng.sample(PEOPLE, 30), layout)
        if at % 4 == 3:
            (shop.root / f"acme/{at - 2}.csv").unlink()
        shop.scan(at)


def _fresh(shop: Shop) -> None:
    with shop.ledger.engine.begin() as connection:
        connection.execute(delete(schema.answers))


def _each_opened(shop: Shop, monkeypatch: pytest.MonkeyPatch, *window: float) -> dict[str, Any]:
    with monkeypatch.context() as patch:
        patch.setattr(unions, "_LEVELS", 0)
        _fresh(shop)
        return shop.exposure(*window)


def test_unions_answer_as_single_versions_do(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of any day and over days; made for the first question, and taken up by the next."""
    _deliver(shop, 14)
    for window in [(13.5,), (9.5,), (6.5,), (2.5,), (3.5, 12.5)]:
        plain = _each_opened(shop, monkeypatch, *window)
        _fresh(shop)
        assert shop.exposure(*window) == plain
    _fresh(shop)
    shop.exposure(13.5)
    opened: list[str | None] = []
    single = unions.Unions._single

    def counted(
        self: unions.Unions, parts: frozenset[int], member: unions.Member, blobs: Mapping[str, bytes]
    ) -> unions.Parts:
        opened.append(member.people)
        return single(self, parts, member, blobs)

    monkeypatch.setattr(unions.Unions, "_single", counted)
    plain_count = sum(each["items"] for each in shop.exposure(12.5).values())
    assert 0 < len(opened) < plain_count / 2


def test_a_version_that_is_recorded_anew_is_united_anew(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """With other rules, or another count of its people: what was united before is not taken for it."""
    _deliver(shop, 9)
    shop.exposure(8.5)
    write(shop.root / "bolt/4.csv", PEOPLE[:300], CONTACTS)
    shop.scan(9)
    assert shop.exposure(9.5)["bolt"] == _each_opened(shop, monkeypatch, 9.5)["bolt"]


def test_what_is_forgotten_stays_in_no_union(shop: Shop) -> None:
    """Unions go with the sketches that they were made of."""
    _deliver(shop, 9)
    shop.exposure(8.5)
    with shop.ledger.reading() as connection:
        assert (connection.execute(_KEPT).scalar() or 0) > 2
    with Recorder(shop.ledger, rules_digest="sha256:test") as recorder:
        assert recorder.forget(day(8.5)) == 2
    with shop.ledger.reading() as connection:
        assert connection.execute(_KEPT).scalar() == 0


def test_a_union_that_was_altered_is_not_believed(shop: Shop) -> None:
    """It is made again."""
    _deliver(shop, 9)
    right = shop.exposure(8.5)
    with shop.ledger.engine.begin() as connection:
        connection.execute(schema.answers.update().values(data=b"\0" * 64))
    assert shop.exposure(8.5) == right


def test_fields_beyond_what_bits_tell_apart_are_not_united(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the versions' own sets are handed on as they are."""

    def keys(first: int) -> PersonKeys:
        fields = tuple((first + at, "PERSON") for at in range(40))
        return PersonKeys("email", (7).to_bytes(8, "little"), FULL, (1 << 39).to_bytes(8, "little"), fields)

    parts = [unions.Part((keys(0),)), unions.Part((keys(40),))]
    assert unions._merged(parts) is None
    crowd = Crowd()
    unions._together(parts).into(crowd, lambda name: 0)
    assert crowd.people().everybody().best == 1


def test_large_unions_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a number of keys the smallest stay, and count for all."""
    import numpy as np

    from scanner.ledger import people

    monkeypatch.setattr(people, "_UNION_KEYS", 1 << 12)
    rng = np.random.default_rng(1)
    parts = []
    for _ in range(4):
        found = np.sort(rng.integers(0, 1 << 63, 5_000, dtype=np.uint64) * np.uint64(2))
        traits = np.ones(len(found), np.uint64).tobytes()
        parts.append(unions.Part((PersonKeys("email", found.tobytes(), FULL, traits, ((0, "E"),)),)))
    merged = unions._merged(parts)
    assert merged is not None
    assert len(merged.persons[0].keys) == 8 << 12
    crowd = Crowd()
    merged.into(crowd, lambda name: 0)
    assert crowd.people().everybody().best == pytest.approx(20_000, rel=0.05)


def test_nobody_has_no_unions(shop: Shop) -> None:
    """A ledger without versions has no answers."""
    window = queries.Window(day(1), day(1))
    with shop.ledger.reading() as connection:
        assert queries.states(connection, window) == {}


@pytest.mark.parametrize(("given", "kept"), [("0", False), ("1", True), ("", True)])
def test_answers_are_bounded(shop: Shop, monkeypatch: pytest.MonkeyPatch, given: str, kept: bool) -> None:
    """What would be more than the setting allows begins anew; answers stay right."""
    monkeypatch.setenv(queries.ANSWERS_MB, given)
    write(shop.root / "acme" / "a.csv", population(20), CONTACTS)
    shop.scan(0)
    for _ in range(2):
        assert shop.exposure(0.5)["acme"]["people"]["best"] == 20
    with shop.ledger.reading() as connection:
        held = connection.execute(select(func.count()).select_from(schema.answers)).scalar()
    assert bool(held) is kept
