"""The entity types that a column may be, each with what the tests say of its values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scanner.config import Settings
from scanner.detect import shapes, validators
from scanner.detect.columnrules import NEVER, TypeRule, weights
from scanner.detect.features import FEW, HANDFUL, Heading, Known, house_numbers, is_generic

_PLAUSIBLE_SHARE = 0.5
#: Tests that cost some microseconds a value see fewer of the (random) sample.
_COSTLY = frozenset({"street", "phone", "recognizer"})
_MOSTLY = 0.5
_ENOUGH_TO_CHECK = 5


def named(heading: Heading) -> list[str]:
    """The types that the heading names, strongest first."""
    return list(dict.fromkeys(hint.entity_type for hint in heading.hints if hint.entity_type != "NONE"))


class Tests:
    """The value tests of one column, each run once.

    Args:
        values: a sample of its distinct values, not empty.
        settings: phone regions and the like.
    """

    def __init__(self, values: Sequence[str], settings: Settings) -> None:
        self.values = values
        self.look = shapes.Look.of(values)
        self._settings = settings
        self._shares: dict[tuple[str, str, bool], float] = {}

    def share(self, test: str, entity_type: str, *, few: bool) -> float:
        """Share of the values that a test knows, corrected for chance; of the first ones where ``few``."""
        key = (test, entity_type if test == "recognizer" else "", few or test in _COSTLY)
        if key not in self._shares:
            values = self.values[:FEW] if key[2] else self.values
            verdicts = shapes.test_of(test, entity_type)(values, self._settings)
            self._shares[key] = sum(verdicts) / len(values)
        chance = weights().chance.get(entity_type, 0.0)
        return max(0.0, (self._shares[key] - chance) / (1 - chance))

    def scheme(self) -> str:
        """The check of the one country's identifiers that most of the values pass; empty where none is."""
        return validators.national_scheme(self.values[:FEW])[0] if len(self.values) >= HANDFUL else ""

    def house_numbers(self) -> float:
        """Share of the values that may be a street with a number, by their shape alone."""
        return house_numbers(self.values[:FEW])

    def bare_numbers(self) -> float:
        """Share of the values that are digits and nothing else."""
        return sum(map(shapes.is_bare_number, self.values)) / len(self.values)


def candidates(heading: Heading, tests: Tests) -> Iterator[tuple[TypeRule, Known]]:
    """The types worth weighing, with what the tests say of each."""
    rules = weights()
    for entity_type in (said := named(heading)):
        rule = rules.rule(entity_type)
        plausible = _plausible_share(rule, tests.values)
        if plausible >= _PLAUSIBLE_SHARE or rule.alone < NEVER:
            yield rule, _known(rule, tests, plausible, few=False)
    generic = is_generic(heading.name)
    for rule in rules.types.values():
        needed = rule.headless if generic else rule.alone
        if rule.entity_type in said or needed >= NEVER or not tests.look.admits(rule.test):
            continue
        if _gate(rule, tests, generic) >= needed:
            yield rule, _known(rule, tests, 1.0, few=True)


def _gate(rule: TypeRule, tests: Tests, generic: bool) -> float:
    """Share of known values that decides whether a type is considered without a heading."""
    if generic and rule.entity_type == "NATIONAL_ID":
        # Without a heading its check digits alone can tell; a few values may pass them by chance.
        enough = len(tests.values) >= _ENOUGH_TO_CHECK
        return tests.share(rule.alone_test, rule.entity_type, few=True) if enough else 0.0
    if generic and rule.entity_type == "GENDER" and tests.bare_numbers() > _MOSTLY:
        return 0.0  # without a heading, 0 and 1 are anything
    if generic and rule.entity_type == "STREET_ADDRESS" and tests.house_numbers() > _MOSTLY:
        return 1.0  # the columns beside it may say that these are no rooms, models or lines
    if rule.entity_type != "PHONE_NUMBER" or generic:
        return tests.share(rule.test, rule.entity_type, few=True)
    if tests.bare_numbers() > _MOSTLY:
        return 0.0  # bare digits under a heading of something else: keys, far more often than telephones
    return tests.share(rule.alone_test, rule.entity_type, few=True)


def _known(rule: TypeRule, tests: Tests, plausible: float, *, few: bool) -> Known:
    share = tests.share(rule.test, rule.entity_type, few=few)
    strict = tests.share(rule.alone_test, rule.entity_type, few=True) if rule.alone_test else share
    return Known(share, strict, plausible)


def _plausible_share(rule: TypeRule, values: Sequence[str]) -> float:
    import pyarrow as pa
    import pyarrow.compute as pc

    fitting = [value for value in values if rule.shortest <= len(value) <= rule.longest]
    found = pc.match_substring_regex(pa.array(fitting, pa.large_string()), rule.plausible)
    matched: int = pc.sum(found).as_py() or 0
    return matched / len(values)
