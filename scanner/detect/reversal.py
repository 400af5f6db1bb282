"""Digests that can be undone: of values in the same delivery, or of so few that all can be tried.

An unsalted digest hides nothing from whoever has the value as well. So of each clear personal column a few
values are kept as `Probe`: digested in the usual ways, then keyed like every other count, so that no value
can be read from it. A hashed column whose cells hold one of them is reversible, in whatever file of the scan
the clear column lies; what lies in a vendor's other files is told by the ledger (`scanner.ledger.undoing`). A
match by chance is out of the question: both hashes have 64 bits.

Birthdays, postal codes and sexes are so few that an unsalted digest of them is no secret: they are tried.

Every scan comes through here at its end, few have digests: numpy is imported where there are some.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from scanner.model import REVERSIBLE, Column, Evidence, Form, Outcome, Probe, Table, printable
from scanner.sketch import positions
from scanner.undoing import PROBED, signal, signalled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from scanner.detect.hashing import ColumnHasher

#: The kind of the signal that says that only a file of another recipient undoes it.
ELSEWHERE = "elsewhere"
#: And of the one that says that somebody could try: ``enumerable:sha256 of phone numbers unless keyed``.
ENUMERABLE = "enumerable"
_ALGORITHMS: dict[str, Callable[[bytes], bytes]] = {
    "md5": lambda value: hashlib.md5(value, usedforsecurity=False).digest(),
    "sha1": lambda value: hashlib.sha1(value, usedforsecurity=False).digest(),
    "sha256": lambda value: hashlib.sha256(value).digest(),
    "sha512": lambda value: hashlib.sha512(value).digest(),
}
_BYTES = {16: "md5", 20: "sha1", 32: "sha256", 64: "sha512"}
_NOT_DIGITS = re.compile(r"\D+")
_PHONE_DIGITS = 7
_LONGEST = 200
#: What whoever has a list of all of them can try: types whose values are few enough.
_SMALL = {
    "PHONE_NUMBER": "telephone numbers",
    "CREDIT_CARD": "card numbers",
    "IP_ADDRESS": "IP addresses",
    "IMEI": "IMEIs",
    "US_SSN": "social security numbers",
    "NATIONAL_ID": "national numbers",
    "TAX_ID": "tax numbers",
    "PERSON": "names",
    "CITY": "cities",
}
_OLDEST = 125
_SEXES = ("m", "f", "male", "female", "w", "d", "x", "0", "1", "2", "h", "mann", "frau", "homme", "femme")


def probes(values: Sequence[str], source: str, hasher: ColumnHasher) -> tuple[Probe, ...]:
    """Probes of some values of a clear column, one for each way of digesting; none for no values.

    Args:
        values: distinct cells, in any order; the first `PROBED` are used.
        source: what the column is called in a signal.
        hasher: of this scan.
    """
    import numpy as np
    import pyarrow as pa

    by_way: dict[str, list[str]] = {}
    for value in values[:PROBED]:
        for way, written in _digests(value):
            by_way.setdefault(way, []).append(written)
    return tuple(
        Probe(source, way, np.sort(hasher.hash(pa.array(written, pa.large_string()))).tobytes())
        for way, written in by_way.items()
    )


def _digests(value: str) -> Iterator[tuple[str, str]]:
    for spelling in _spellings(value):
        data = spelling.encode("utf-8", "replace")
        for name, digest in _ALGORITHMS.items():
            raw = digest(data)
            yield name, raw.hex()
            yield name, base64.b64encode(raw).decode()


def _spellings(value: str) -> set[str]:
    """A value as it may have been written before it was digested."""
    plain = value.strip()[:_LONGEST]
    found = {plain, plain.lower(), plain.upper()}
    digits = _NOT_DIGITS.sub("", plain)
    if len(digits) >= _PHONE_DIGITS:
        found |= {digits, "+" + digits}
    return found


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a probe or a digest is: its outcome and table, and who has it."""

    outcome: int
    table: int
    recipient: str | None = None


def resolve_table(table: Table) -> Table:
    """The table with its reversible columns told, as far as its own clear columns tell."""
    return resolve_tables((table,))[0]


def resolve_tables(tables: Sequence[Table]) -> tuple[Table, ...]:
    """Tables of one item with their reversible columns told."""
    if not any(_hashed(table) for table in tables):
        return tuple(tables)
    known = [(_Place(0, index), probe) for index, table in enumerate(tables) for probe in table.probes]
    return tuple(
        _told(table, _Place(0, index), known, lambda place: _named("table", tables[place.table].name))
        for index, table in enumerate(tables)
    )


def resolve(
    outcomes: Sequence[Outcome], recipients: Sequence[str | None] | None = None
) -> tuple[Outcome, ...]:
    """Outcomes of a scan with their reversible columns told, and without probes.

    Args:
        outcomes: of all items.
        recipients: who has each; None where all are one delivery. Who has the digest but not the clear
            values cannot undo it: that is told as `ELSEWHERE`.
    """
    owners = recipients or [None] * len(outcomes)
    if any(_hashed(table) for outcome in outcomes for table in outcome.tables):
        known = [
            (_Place(number, index, owners[number]), probe)
            for number, outcome in enumerate(outcomes)
            for index, table in enumerate(outcome.tables)
            for probe in table.probes
        ]
        names = [outcome.member or outcome.path for outcome in outcomes]
        outcomes = [
            replace(
                outcome,
                tables=tuple(
                    _told(
                        table,
                        _Place(number, index, owners[number]),
                        known,
                        lambda place: _named("file", names[place.outcome]),
                    )
                    for index, table in enumerate(outcome.tables)
                ),
            )
            if outcome.tables
            else outcome
            for number, outcome in enumerate(outcomes)
        ]
    return tuple(_without_probes(outcome) for outcome in outcomes)


def _without_probes(outcome: Outcome) -> Outcome:
    if not any(table.probes for table in outcome.tables):
        return outcome
    return replace(outcome, tables=tuple(replace(table, probes=()) for table in outcome.tables))


def _hashed(table: Table) -> bool:
    return any(each.form is Form.HASHED for column in table.columns for each in column.entities)


def _told(
    table: Table,
    here: _Place,
    known: Sequence[tuple[_Place, Probe]],
    name: Callable[[_Place], str],
) -> Table:
    if not _hashed(table):
        return table
    return replace(table, columns=tuple(_told_column(column, here, known, name) for column in table.columns))


def _told_column(
    column: Column, here: _Place, known: Sequence[tuple[_Place, Probe]], name: Callable[[_Place], str]
) -> Column:
    return replace(
        column, entities=tuple(_told_evidence(each, here, known, name) for each in column.entities)
    )


def _told_evidence(
    evidence: Evidence, here: _Place, known: Sequence[tuple[_Place, Probe]], name: Callable[[_Place], str]
) -> Evidence:
    if evidence.form is not Form.HASHED or evidence.undone is not None:
        return evidence
    found = _best(evidence, here, known)
    if found is None:
        return evidence
    place, probe = found
    where = None if place == here else name(place)
    kind = REVERSIBLE if place.recipient == here.recipient else ELSEWHERE
    return signalled(evidence, signal(probe.way, probe.source, where, kind))


def _best(
    evidence: Evidence, here: _Place, known: Sequence[tuple[_Place, Probe]]
) -> tuple[_Place, Probe] | None:
    """The probe of which most is in a hashed column: of its own table, its item, its recipient."""
    import numpy as np

    held = evidence.distinct.hashes()
    best: tuple[tuple[int, int], tuple[_Place, Probe]] | None = None
    for place, probe in known:
        hits = _hits(np.frombuffer(probe.packed, "<u8"), held)
        near = (place == here) + (place.outcome == here.outcome) + (place.recipient == here.recipient)
        if hits and (best is None or (near, hits) > best[0]):
            best = (near, hits), (place, probe)
    return best[1] if best else None


def _hits(wanted: NDArray[np.uint64], held: NDArray[np.uint64]) -> int:
    return int(positions(held, wanted)[1].sum())


def _named(noun: str, name: str) -> str:
    return f"{noun} {printable(name)}"


# --- values that are few ------------------------------------------------------------------------------------


def few_values(entity_type: str, digests: Iterable[str]) -> str | None:
    """The signal that digests can be undone by trying all values, or might be; None where they cannot.

    Args:
        entity_type: what the heading says was digested.
        digests: some cells.
    """
    sample = [digest.strip() for digest in digests]
    algorithm = _algorithm(sample)
    if algorithm is None:
        return None
    candidates = _CANDIDATES.get(entity_type)
    if candidates is not None:
        what, values = candidates
        if _any_of(sample, algorithm, values()):
            return f"{REVERSIBLE}:{algorithm} of one of all {what}"
        return f"{ENUMERABLE}:{algorithm} of {what} unless keyed"
    small = _SMALL.get(entity_type) or ("national numbers" if re.match(r"[A-Z]{2}_", entity_type) else None)
    return f"{ENUMERABLE}:{algorithm} of {small} unless keyed" if small else None


def _algorithm(sample: Sequence[str]) -> str | None:
    """The digest that most of a sample has the length of; None for what is salted by its very format."""
    sizes = Counter(len(raw) for value in sample if (raw := _raw(value)) is not None)
    if not sizes:
        return None
    size, count = sizes.most_common(1)[0]
    return _BYTES.get(size) if count * 2 > len(sample) else None


def _raw(value: str) -> bytes | None:
    """The bytes of a digest in hex or base64, None for neither."""
    text = value.removeprefix("0x")
    try:
        return (
            bytes.fromhex(text)
            if re.fullmatch("(?:[0-9a-fA-F]{2})+", text)
            else base64.b64decode(text, validate=True)
        )
    except ValueError:
        return None


def _any_of(sample: Sequence[str], algorithm: str, values: Iterable[str]) -> bool:
    wanted = {raw for value in sample if (raw := _raw(value)) is not None}
    digest = _ALGORITHMS[algorithm]
    return any(digest(value.encode()) in wanted for value in values)


def _dates() -> Iterator[str]:
    today = date.today()  # noqa: DTZ011 # a day more or less does not matter
    for back in range(_OLDEST * 366):
        then = today - timedelta(days=back)
        year, month, day = f"{then.year}", f"{then.month:02}", f"{then.day:02}"
        yield f"{year}-{month}-{day}"
        yield f"{year}{month}{day}"
        for mark in "/.-":
            yield f"{day}{mark}{month}{mark}{year}"
        yield f"{month}/{day}/{year}"


def _postal_codes() -> Iterator[str]:
    for size in (5, 4):
        for number in range(10**size):
            yield f"{number:0{size}d}"


def _sexes() -> Iterator[str]:
    for sex in _SEXES:
        yield from (sex, sex.upper(), sex.title())


def _ages() -> Iterator[str]:
    yield from map(str, range(_OLDEST))


_CANDIDATES: Mapping[str, tuple[str, Callable[[], Iterator[str]]]] = {
    "DATE_OF_BIRTH": ("dates", _dates),
    "POSTAL_CODE": ("postal codes", _postal_codes),
    "GENDER": ("sexes", _sexes),
    "AGE": ("ages", _ages),
}
