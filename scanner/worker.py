"""What a worker process is made of: importing this takes most of the time until it is ready."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from scanner.config import Settings
from scanner.item import read_item
from scanner.model import ItemRef, Outcome
from scanner.sources.stdin import StandardInput


class _WithoutPandas:
    """Keeps Arrow from importing pandas with its first array: half a second, and nothing here needs it."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Refuse pandas; leave all else to the finders behind.

        Raises:
            ModuleNotFoundError: for pandas.
        """
        if name == "pandas":
            raise ModuleNotFoundError("pandas is not used here", name=name)


sys.meta_path.insert(0, _WithoutPandas())

from scanner.detect.fold import Detector  # noqa: E402 # it imports Arrow


def item_worker(
    settings: Settings,
    key: bytes,
    standard_input: StandardInput | None = None,
    people_key: bytes | None = None,
) -> Callable[[ItemRef], Iterator[Outcome]]:
    """What a worker process does with its tasks; called once in each."""
    detector = Detector(settings, key, people_key)
    return lambda item: read_item(item, settings, detector, standard_input)
