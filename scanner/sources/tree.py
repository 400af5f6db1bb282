"""Which watched folder lies where, in little memory: a name and a parent for each, paths made when asked for.

A folder is called by its number: inotify's, which stands for an inode and not for a path, or a negative one
where it is polled. So a renamed tree is one changed entry, and a folder that a link or a bind mount shows at
a second place is one folder with two places.
"""

from __future__ import annotations

from collections.abc import Iterable

#: Parent of the roots; the name is the root's absolute path then.
TOP = 0
Place = tuple[int, str]


class Tree:
    """Folders (and files that links lead to) by number. Not thread-safe."""

    def __init__(self) -> None:
        self._place: dict[int, Place] = {}
        #: Further places of few: bind mounts, roots within roots, links to one file.
        self._more: dict[int, list[Place]] = {}
        #: Places at which a link shows a folder. One way to the root may use one link (as `walk.Walk` says).
        self._links: dict[int, list[Place]] = {}
        #: Numbers of what a link shows, by the link's place.
        self.linked: dict[Place, int] = {}
        self._fresh: set[int] | None = None

    def __len__(self) -> int:
        return len(self._place.keys() | self._links.keys()) if self._links else len(self._place)

    def __contains__(self, number: int) -> bool:
        return number in self._place or number in self._links

    def numbers(self) -> set[int]:
        """All there are."""
        return set(self._place) | set(self._links)

    def add(self, number: int, parent: int, name: str, *, link: bool = False) -> None:
        """Say that a folder lies at a place; what was said before stays true too, outside of a `renew`."""
        if self._fresh is not None and number not in self._fresh:
            self.remove(number)
            self._fresh.add(number)
        place = (parent, name)
        if link:
            self.linked[place] = number
            places = self._links.setdefault(number, [])
            if place not in places:
                places.append(place)
        elif number not in self._place:
            self._place[number] = place
        elif self._place[number] != place and place not in self._more.get(number, ()):
            self._more.setdefault(number, []).append(place)

    def places(self, number: int) -> list[Place]:
        """Where a folder lies; by links too."""
        own = [self._place[number]] if number in self._place else []
        return own + self._more.get(number, []) + self._links.get(number, [])

    def remove_place(self, number: int, place: Place) -> None:
        """A folder does not lie there any more."""
        if self.linked.get(place) == number:
            del self.linked[place]
        for further in (self._links, self._more):
            if place in further.get(number, ()):
                further[number].remove(place)
                if not further[number]:
                    del further[number]
        if self._place.get(number) == place:
            del self._place[number]
            if number in self._more:
                self._place[number] = self._more[number].pop()
                if not self._more[number]:
                    del self._more[number]

    def remove(self, number: int) -> None:
        """A folder is nowhere any more."""
        for place in self._links.pop(number, ()):
            if self.linked.get(place) == number:
                del self.linked[place]
        self._more.pop(number, None)
        self._place.pop(number, None)

    def paths(self, number: int, name: str = "") -> list[tuple[str, str]]:
        """Root and path below it of a folder, or of a name in it; a pair for each place, the first first."""
        found: list[tuple[str, str]] = []
        pending: list[tuple[int, str, bool, frozenset[int]]] = [(number, name, False, frozenset())]
        while pending:
            at, tail, linked, seen = pending.pop(0)
            ways = [(place, linked) for place in self._own_places(at)]
            if not linked:
                ways += [(place, True) for place in self._links.get(at, ())]
            if len(ways) > 1 or seen:
                seen = seen | {at}
            for (parent, own), by_link in ways:
                if parent == TOP:
                    found.append((own, tail))
                elif parent not in seen:
                    pending.append((parent, f"{own}/{tail}" if tail else own, by_link, seen))
        return list(dict.fromkeys(found))

    def _own_places(self, number: int) -> Iterable[Place]:
        place = self._place.get(number)
        if place is None:
            return ()
        return (place, *self._more[number]) if number in self._more else (place,)

    def renew(self) -> None:
        """Begin to say anew where all lies: the first `add` of a number forgets its places of before."""
        self._fresh = set()

    def renewed(self) -> list[int]:
        """End that; gives, and removes, the numbers that were not said again."""
        fresh, self._fresh = self._fresh or set(), None
        stale = [number for kept in (self._place, self._links) for number in kept if number not in fresh]
        for number in stale:
            self.remove(number)
        return stale

    def prune(self) -> list[int]:
        """Remove, and give, the numbers whose way to the root is broken."""
        children: dict[int, list[int]] = {}
        numbers = self.numbers()
        for number in numbers:
            for parent, _ in self.places(number):
                children.setdefault(parent, []).append(number)
        pending, reached = [TOP], set[int]()
        while pending:
            for number in children.get(pending.pop(), ()):
                if number not in reached:
                    reached.add(number)
                    pending.append(number)
        lost = list(numbers - reached)
        for number in lost:
            self.remove(number)
        return lost


__all__ = ["TOP", "Place", "Tree"]
