"""A ledger in a folder, and a scan into it without worker processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.truth import POLICY, START
from scanner.config import Settings
from scanner.detect.fold import Detector
from scanner.engine import Request
from scanner.item import read_item
from scanner.judging import by_paths, judge_by
from scanner.ledger import queries
from scanner.ledger.recorder import Recorder
from scanner.ledger.store import Ledger, open_ledger, stamp
from scanner.model import ItemRef, Outcome, Report, ScanInfo
from scanner.policy.loading import loads
from scanner.policy.model import Policy
from scanner.sources.walk import walk
from scanner.surfaces.recording import ScanRecording


def day(number: float) -> str:
    """The time of a day of the tests' calendar."""
    return stamp(START + timedelta(days=number))


@dataclass
class Shop:
    """A share, its ledger, and what is done with them."""

    root: Path
    ledger: Ledger
    policy: Policy
    detector: Detector

    def scan(self, at: float, *, interrupted: bool = False) -> int:
        """Scan the share as on a day; gives how many items are gone."""
        request = Request(roots=(str(self.root),), policy=self.policy)
        with Recorder(self.ledger, rules_digest="sha256:test") as recorder:
            recording = ScanRecording(recorder, request, day(at))
            for found in walk([self.root]):
                if isinstance(found, ItemRef):
                    for outcome in read_item(found, Settings(model="none"), self.detector):
                        recording(outcome, found.root)
                else:
                    recording(found, str(self.root))
            return recording.finish(_report(interrupted))

    def exposure(
        self, start: float, end: float | None = None, vendor: str = queries.EVERYBODY
    ) -> dict[str, Any]:
        """The exposure of each vendor, by id."""
        window = queries.Window(day(start), day(start if end is None else end))
        judge, places = judge_by(self.policy, START.date()), by_paths(self.policy)
        found = queries.exposure(
            self.ledger, window, judge=judge, judged_by="test", by_paths=places, vendor=vendor
        )
        return {each["id"]: each for each in found}

    def read(self, path: str) -> Outcome:
        """The outcome of one file."""
        item = ItemRef(str(self.root), path, 1)
        return list(read_item(item, Settings(model="none"), self.detector))[-1]


def _report(interrupted: bool) -> Report:
    info = ScanInfo("1", "1", "", None, "none", "", "", True, "clean", interrupted=interrupted)
    return Report(info, (), (), (), ())


@pytest.fixture(autouse=True)
def _no_foreign_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHAREWATCH_LEDGER_KEY_COMMAND", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A share without files and an empty ledger."""
    root = tmp_path / "share"
    root.mkdir()
    with open_ledger(os.fspath(tmp_path / "ledger.db"), create=True) as ledger:
        detector = Detector(Settings(model="none"), b"k" * 16, ledger.people_secret)
        yield Shop(root, ledger, loads(POLICY, "policy.yaml").policy, detector)
