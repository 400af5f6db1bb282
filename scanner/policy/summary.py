"""What each vendor holds over all items: people, items, and the worst verdict per category."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from scanner.model import CategorySummary, Estimate, VendorSummary, Verdict
from scanner.policy.fields import PersonalField
from scanner.policy.people import Crowd

#: What stands for the vendor of files under nobody's paths.
UNASSIGNED_NAME = "Nobody's folder"
ALLOWED = "allowed"
_WORST = (str(Verdict.OVER_SHARED), str(Verdict.NEEDS_REVIEW), ALLOWED)


@dataclass(slots=True)
class Holding:
    """What one vendor was found to hold so far."""

    items: int = 0
    over_shared_fields: int = 0
    _crowd: Crowd = field(default_factory=Crowd)
    _by_category: dict[str, Crowd] = field(default_factory=lambda: defaultdict(Crowd))
    _verdicts: dict[str, str] = field(default_factory=dict)

    def add(self, judged: list[tuple[PersonalField, Verdict | None]], *, ended: bool = False) -> None:
        """Count an item or member with its personal fields and the verdict on each (None: allowed).

        Where the agreement has ended nothing is allowed any more, whatever is said of each field.
        """
        self.items += 1
        best = str(Verdict.OVER_SHARED) if ended else ALLOWED
        groups: dict[str, list[PersonalField]] = defaultdict(list)
        for found, verdict in judged:
            category = found.evidence.category
            groups[category].append(found)
            worst = (self._verdicts.get(category, best), str(verdict) if verdict else best)
            self._verdicts[category] = min(worst, key=_WORST.index)
            self.over_shared_fields += verdict is Verdict.OVER_SHARED
        self._crowd.add(found for found, _ in judged)
        for category, group in groups.items():
            self._by_category[category].add(group)

    @property
    def personal(self) -> bool:
        """Whether there is any personal data."""
        return bool(self._verdicts)

    def people(self) -> Estimate:
        """All people that the vendor holds data of."""
        return self._crowd.total()

    def summary(self, vendor_id: str | None, name: str, purpose: str | None) -> VendorSummary:
        """The whole, categories in the order of their keys."""
        return VendorSummary(
            id=vendor_id,
            name=name,
            purpose=purpose,
            people=self.people(),
            items=self.items,
            over_shared_fields=self.over_shared_fields,
            categories={
                key: CategorySummary(self._verdicts[key], self._by_category[key].total().best)
                for key in sorted(self._verdicts)
            },
        )
