"""The truth: a walk of a share beside what is known of it, both in the same order, so that memory stays flat.

What cannot be looked at is `FAILED`, and what is known there is left as it is: a folder that may not be
listed, a disk that gives errors or a file system that is not mounted do not make anybody's exposure end.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scanner.model import Outcome, Reason
from scanner.sources.identity import Signature, signature_of
from scanner.sources.walk import Folder, Found, Walk

Known = Iterable[tuple[str, Signature]]


class Kind(StrEnum):
    """What became of a place."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    GONE = "gone"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Change:
    """A place of a share beside what was known of it.

    Attributes:
        kind: what became of it.
        place: path below the root; ``.`` where the root itself failed.
        signature: of the file that lies there now; None where it is gone or could not be looked at.
        before: what was known; None where nothing was. A gone place has this only.
        outcome: why it could not be looked at (only where failed).
        touched: changed, but only in the inode's own time (`Signature.has_same_content`): the hash decides.
    """

    kind: Kind
    place: str
    signature: Signature | None = None
    before: Signature | None = None
    outcome: Outcome | None = None
    touched: bool = False


def place_order(place: str) -> bytes:
    """What places sort by: their bytes. SQLite's BINARY and PostgreSQL's "C" collation sort them so."""
    return os.fsencode(place)


def reconcile(
    root: str,
    known: Mapping[str, Signature] | Known,
    *,
    exclude: Sequence[str] = (),
    below: str = "",
    deep: bool = True,
    lost: Callable[[], Collection[str]] = tuple,
) -> Iterator[Change]:
    """Every place of a share, one after the other, with what became of it.

    Nothing is done between two changes: a caller that has something more urgent does that first and goes on
    whenever it likes. One folder's names are held at a time.

    Args:
        root: absolute path of the share.
        known: what was known *of the part that is walked*, in `place_order`; a mapping is put in order here.
        exclude: as for `walk`. What is known of an excluded place is left as it is, as where it failed.
        below: the folder (or file) to look at; empty for the whole share.
        deep: False looks at the files of that one folder only; ``known`` has only those too.
        lost: the places (empty string for the root) whose file system is not mounted now, as
            `Shares.lost` tells; asked again before anything counts as gone.

    Raises:
        ValueError: ``known`` is out of order.
    """
    if isinstance(known, Mapping):
        known = sorted(known.items(), key=lambda each: place_order(each[0]))
    merge = _Merge(_Ordered(known), lost)
    if "" in lost():
        # Not even its links can be followed: whoever asks may wait for ever.
        yield from merge.lose("")
        return
    for entry in Walk(root, exclude, lost=lost).run(below, deep=deep, enter=merge.may_enter):
        yield from merge.refused()
        if isinstance(entry, Found):
            yield from merge.found(entry)
        elif isinstance(entry, Outcome):
            yield from merge.failed(entry)
    yield from merge.refused()
    yield from merge.rest()


class _Ordered:
    """An iterator over what is known that can be looked at before it is taken."""

    def __init__(self, known: Known) -> None:
        self._rest = iter(known)
        self._last = b""
        self.key: bytes | None = None
        self.place = ""
        self.signature: Signature | None = None
        self.next()

    def next(self) -> None:
        """Go on to the next; `key` is None at the end."""
        try:
            self.place, self.signature = next(self._rest)
        except StopIteration:
            self.key = None
            return
        self.key = place_order(self.place)
        if self.key < self._last:
            raise ValueError("what is known is not in the order of its places' bytes")
        self._last = self.key


class _Merge:
    """The walk and what is known, side by side."""

    def __init__(self, known: _Ordered, lost: Callable[[], Collection[str]]) -> None:
        self._known = known
        self._lost = lost
        #: Beginnings of paths under which nothing counts as gone, because it could not be looked at.
        self._spared: list[bytes] = []
        self._refused: list[str] = []

    def may_enter(self, folder: Folder) -> bool:
        """False for a folder that a file system should be mounted on: what lies beneath is not the share."""
        lost = _lost_at(folder.relative, self._lost())
        if lost is not None:
            self._refused.append(lost)
        return lost is None

    def lose(self, place: str) -> Iterator[Change]:
        """A place that nothing can be said of now, where nothing else was looked at."""
        self._refused.append(place)
        yield from self.refused()
        yield from self.rest()

    def refused(self) -> Iterator[Change]:
        """The folders that were not entered since this was asked last."""
        for place in self._refused:
            yield from self._gone_before(place_order(place))
            yield self._spare(place)
        self._refused.clear()

    def found(self, entry: Found) -> Iterator[Change]:
        """A file: new, changed or the same; and what is known to lie before it is gone."""
        key = place_order(entry.relative)
        yield from self._gone_before(key)
        now = signature_of(entry.status)
        if self._known.key != key:
            yield Change(Kind.NEW, entry.relative, now)
            return
        before = self._known.signature
        self._known.next()
        if before is None or not now.is_same(before):
            touched = before is not None and now.has_same_content(before)
            yield Change(Kind.CHANGED, entry.relative, now, before, touched=touched)
        else:
            yield Change(Kind.SAME, entry.relative, now, before)

    def failed(self, outcome: Outcome) -> Iterator[Change]:
        """Something that could not be looked at: what is known there, and below it, stays."""
        place = "" if outcome.path == "." else outcome.path
        key = place_order(place)
        yield from self._gone_before(key)
        reason = outcome.gaps[0].reason
        if reason is Reason.VANISHED and place:
            return  # told as gone where it was known
        if reason is not Reason.UNSUPPORTED and place and self._known.key == key:
            self._known.next()
        yield self._spare(place, outcome)

    def rest(self) -> Iterator[Change]:
        """What is known behind the last entry."""
        yield from self._gone_before(None)

    def _spare(self, place: str, outcome: Outcome | None = None) -> Change:
        self._spared.append(place_order(f"{place}/") if place else b"")
        return Change(Kind.FAILED, place or ".", outcome=outcome)

    def _gone_before(self, key: bytes | None) -> Iterator[Change]:
        known = self._known
        while known.key is not None and (key is None or known.key < key):
            if not any(known.key.startswith(prefix) for prefix in self._spared):
                yield self._judge(known.place, known.signature)
            known.next()
        if key is not None and self._spared:  # what is behind the walk is of no use any more
            self._spared = [each for each in self._spared if key.startswith(each) or each > key]

    def _judge(self, place: str, before: Signature | None) -> Change:
        lost = _lost_at(place, self._lost())
        return Change(Kind.GONE, place, before=before) if lost is None else self._spare(lost)


def _lost_at(place: str, lost: Collection[str]) -> str | None:
    """The lost place that a place is or lies in."""
    return next((each for each in lost if not each or place == each or place.startswith(f"{each}/")), None)


__all__ = ["Change", "Kind", "Known", "place_order", "reconcile"]
