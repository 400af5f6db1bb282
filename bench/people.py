"""How right people are counted, what the ledger weighs, and how soon it answers; the truth is known.

    python -m bench.people                  all of it, a few minutes
    python -m bench.people --part unions    one of: unions, weight, answers, recording

* unions: 50 files of 1,000,000 people each, drawn from a larger population, at the level of sketches; the
  error of the union, and of one file, over several populations;
* weight: a ledger of 1,000,000 people in 50 files, with and without key sets for exact membership;
* answers: ``exposure`` over 100,000 item versions of 50 vendors, recorded in 90 days: what a scan pays for
  the answer at its end, then the first answer after the last day, the same again, a past moment, and a month;
* recording: what ``scan --ledger`` takes beside ``scan`` of the same table of 400,000 rows; the limit is 25%.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bench.common import SHAREWATCH, Run, run, scratch
from bench.customers import ensure
from scanner.detect.persons import OWN_KEYS, Gather, Members, Sample
from scanner.ledger import queries
from scanner.ledger.people import Crowd
from scanner.ledger.recorder import Delivery, Recorder
from scanner.ledger.store import open_ledger, stamp
from scanner.model import Column, Distinct, Evidence, Form, Kind, Outcome, PersonKeys, Status, Table
from scanner.sketch import FULL

_START = datetime(2026, 1, 1, tzinfo=UTC)
_FIELDS = ((0, "EMAIL_ADDRESS"), (1, "PHONE_NUMBER"))


def mixed(numbers: Any, salt: int) -> Any:
    """Numbers as keys: a bijection (splitmix64), so truth is known and keys are as good as random."""
    keys = numbers.astype(np.uint64) + np.uint64(salt * 0x9E3779B97F4A7C15 % (1 << 64))
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def persons(numbers: Any, salt: int = 0) -> tuple[PersonKeys, ...]:
    """The people of a table of e-mail addresses and telephone numbers, as the scanner folds them."""
    emails, phones = mixed(numbers, 2 * salt + 1), mixed(numbers, 2 * salt + 2)
    both = np.full(len(numbers), 3, np.uint64)
    nowhere = np.zeros(len(numbers), np.uint32)
    own, sample = Gather(OWN_KEYS), Sample()
    own.add(emails, both, nowhere)
    sample.add(emails)
    chosen = sample.among(emails)
    more = Gather(OWN_KEYS)
    more.add(phones[chosen], both[chosen], nowhere[chosen], emails[chosen])
    whole = [Members(), Members()]
    for each, keys in zip(whole, (emails, phones), strict=True):
        each.add(keys)
    return (_built("email", own, whole[0]), _built("phone", more, whole[1], "email", sample.theta))


def _built(
    name: str, gather: Gather, members: Members, owner: str | None = None, sampled: int = FULL
) -> PersonKeys:
    keys, traits, _, owners = gather.fold()
    cut = min(gather.theta, sampled) != FULL
    return PersonKeys(
        name, keys.tobytes(), gather.theta, traits.tobytes(), _FIELDS, owner=owner,
        owners=b"" if owners is None else owners.tobytes(), owner_theta=sampled,
        members=members.result() if cut else b"",
    )  # fmt: skip


def unions(files: int = 50, people: int = 1_000_000, trials: int = 5) -> dict[str, Any]:
    """Errors of a union of many large files."""
    rng = np.random.default_rng(1)
    errors, single, inside = [], [], 0
    for trial in range(trials):
        everybody = np.zeros(3 * people, bool)
        crowd = Crowd()
        for _ in range(files):
            start = int(rng.integers(0, 2 * people))
            numbers = np.arange(start, start + people)
            everybody[start : start + people] = True
            keys = persons(numbers, trial)
            crowd.add(keys, lambda name: 0 if name[1] == "EMAIL_ADDRESS" else 1)
            one = Crowd()
            one.add(keys, lambda _: 0)
            single.append(one.people().everybody().best / people - 1)
        truth = int(everybody.sum())
        found = crowd.people().everybody()
        errors.append(found.best / truth - 1)
        inside += found.low <= truth <= found.high
    return {
        "files": files, "people in each": people, "unions": trials,
        "largest error of a union": max(map(abs, errors)),
        "unions whose interval holds the truth": inside,
        "error of one file, 95% below": float(np.quantile(np.abs(single), 0.95)),
        "error of one file, largest": max(map(abs, single)),
    }  # fmt: skip


def outcome(name: str, keys: tuple[PersonKeys, ...], rows: int) -> Outcome:
    """A table of two columns as it comes from a scan."""
    columns = tuple(
        Column(
            label,
            at,
            rows,
            Kind.ENTITY,
            (Evidence(entity, category, Form.CLEAR, rows, rows, Distinct(), 0.99),),
        )
        for at, (label, entity, category) in enumerate(
            (
                ("email", "EMAIL_ADDRESS", "user.contact.email"),
                ("phone", "PHONE_NUMBER", "user.contact.phone_number"),
            )
        )
    )
    digest = f"{abs(hash(name)):064x}"
    table = Table("-", rows, columns, persons=keys)
    return Outcome(name, None, "csv", rows * 40, digest, Status.SCANNED, tables=(table,))


def weight(files: int = 50, people: int = 1_000_000) -> dict[str, Any]:
    """Bytes of a ledger of so many people, with and without key sets."""
    out: dict[str, Any] = {"people": people, "files": files}
    each = people // files
    for label, size in (("all different", each), ("each in three files", 3 * each)):
        for members in (True, False):
            with (
                tempfile.TemporaryDirectory() as folder,
                open_ledger(f"{folder}/l.db", create=True) as ledger,
            ):
                with Recorder(ledger, rules_digest="bench", members=members) as recorder:
                    for number in range(files):
                        numbers = (np.arange(size) + number * each) % people
                        item = outcome(f"acme/{number}.csv", persons(numbers), size)
                        recorder.record(
                            item, stamp(_START), Delivery("acme", f"/share/{item.path}", item.path)
                        )
                ledger.close()
                kept = "with" if members else "without"
                total = sum(file.stat().st_size for file in Path(folder).iterdir())
                out[f"{label}, {kept} key sets, MB"] = round(total / 1e6, 1)
    return out


def answers(versions: int = 100_000, vendors: int = 50, days: int = 90) -> dict[str, Any]:
    """Seconds of an answer over many versions, recorded day by day; a scan ends by asking who has what."""
    rng = np.random.default_rng(2)
    with tempfile.TemporaryDirectory() as folder, open_ledger(f"{folder}/l.db", create=True) as ledger:
        day, written, asked = versions // days, 0.0, 0.0

        def ask(
            at: timedelta, until: timedelta | None = None, vendor: str | None = queries.EVERYBODY
        ) -> float:
            started = time.monotonic()
            window = queries.Window(stamp(_START + at), stamp(_START + (until or at)))
            queries.exposure(ledger, window, judge=_judge, judged_by="bench", vendor=vendor)
            return round(time.monotonic() - started, 3)

        for today in range(days):
            started = time.monotonic()
            with Recorder(ledger, rules_digest="bench") as recorder:
                for number in range(today * day, today * day + day):
                    start = int(rng.integers(0, 100_000))
                    keys = persons(np.arange(start, start + 40))
                    item = outcome(f"v{number % vendors}/{number}.csv", keys, 40)
                    at = stamp(_START + timedelta(days=today, seconds=number % day * 60 * 1440 // day))
                    recorder.record(
                        item, at, Delivery(f"v{number % vendors}", f"/share/{item.path}", item.path)
                    )
            written += time.monotonic() - started
            if today < days - 1:
                asked += ask(timedelta(days=today + 1))
        end = timedelta(days=days)
        return {
            "versions": day * days, "vendors": vendors,
            "milliseconds to record one": round(1e3 * written / versions, 2),
            "milliseconds to answer at a scan's end, for each version": round(1e3 * asked / versions, 2),
            "seconds, one vendor, first": ask(end, vendor="v0"), "again": ask(end, vendor="v0"),
            "seconds, all vendors, first": ask(end), "all again": ask(end),
            "seconds, one vendor at noon half way": ask(end / 2 + timedelta(hours=12), vendor="v1"),
            "seconds, one vendor in a month": ask(end / 3, 2 * end / 3, "v2"),
        }  # fmt: skip


def recording(rows: int = 400_000, repeat: int = 3) -> dict[str, Any]:
    """Seconds of a scan with and without a ledger, in turn, the best of each."""
    with scratch() as folder:
        share = folder / "share/acme"
        share.mkdir(parents=True)
        ensure(share, rows, "csv")
        plain = [SHAREWATCH, "scan", str(share.parent), "--format", "json"]
        runs: dict[str, list[Run]] = {"without": [], "with": []}
        for number in range(repeat):
            recorded = [*plain, "--ledger", str(folder / f"{number}.db")]
            for name, command in (("without", plain), ("with", recorded)):
                runs[name].append(run([*command, "-o", str(folder / "report.json")]))
    best = {name: (min(r.wall for r in each), min(r.cpu for r in each)) for name, each in runs.items()}
    return {
        "rows": rows,
        **{f"seconds {name} a ledger (wall, processor)": best[name] for name in best},
        "percent more (wall, processor; limit 25)": [
            round(100 * (more / less - 1)) for more, less in zip(best["with"], best["without"], strict=True)
        ],
    }


def _judge(vendor: str | None, item: Outcome, paths: queries.Paths) -> dict[queries.FieldKey, bool | None]:
    return {(0, at, name): True for at, name in _FIELDS}


def main() -> None:
    """Run one part or all, and print what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=("unions", "weight", "answers", "recording"))
    parser.add_argument("--versions", type=int, default=100_000, help="of the part answers")
    given = parser.parse_args()
    parts = {
        "unions": unions,
        "weight": weight,
        "answers": lambda: answers(given.versions),
        "recording": recording,
    }
    for name, part in parts.items():
        if given.part in (None, name):
            print(json.dumps({name: part()}, indent=1))


if __name__ == "__main__":
    main()
