"""What a table's other columns say of one: a name beside an address is somebody's, beside codes it is not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from scanner.detect.columnrules import GENERAL_IDS, weights
from scanner.detect.meaning import FIRM, Meaning, probability, settled
from scanner.detect.weighing import ColumnModel, shipped

#: Types that say that a table is about people, whatever its other columns.
PERSONAL = GENERAL_IDS | frozenset({"PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "DATE_OF_BIRTH", "USERNAME"})
ADDRESS = frozenset({"STREET_ADDRESS", "POSTAL_CODE", "CITY", "REGION", "COUNTRY"})
_TRAITS = frozenset({"GENDER", "AGE", "MARITAL_STATUS", "NATIONALITY", "ETHNICITY", "OCCUPATION", "RELIGION"})
#: Types that somebody's number stands beside, where nothing else tells who it is.
_SOMEBODYS = _TRAITS | {"HEALTH", "STREET_ADDRESS", "IBAN_CODE", "BANK_ACCOUNT", "CREDIT_CARD"}
_MOST = 3
#: From here on a column counts towards those that may be somebody's.
_LIKELY = 0.4
_FAR = 2
_PAIR = 2
#: A place takes two columns, a way from one to another four: of more that no heading calls coordinates, none
#: is one. Spectra and other measurements come in hundreds of columns of such numbers.
_MOST_UNNAMED_COORDINATES = 4


def is_personal(entity_type: str) -> bool:
    """Whether the type is a person's, as every national identifier is."""
    return entity_type in PERSONAL or entity_type not in weights().types


def with_neighbours(
    meanings: Sequence[tuple[Meaning, ...]], model: ColumnModel | None = None
) -> list[tuple[Meaning, ...]]:
    """The meanings of a table's columns, each weighed again beside the others.

    A bare key is somebody's only beside a column that is about people for sure: that tells who they are, or
    says what is said of people only.

    Args:
        meanings: of each column by itself.
        model: the shipped one by default.
    """
    table, model = TableMeanings(_without_measurements(meanings)), model or shipped()
    return [settled(table.weighed(index, model)) for index in range(len(meanings))]


def _without_measurements(meanings: Sequence[tuple[Meaning, ...]]) -> Sequence[tuple[Meaning, ...]]:
    """Without the coordinates that only their values tell, where a table has too many columns of them."""
    unnamed = [at for at, found in enumerate(meanings) if found and _is_unnamed_coordinate(found[0])]
    if len(unnamed) <= _MOST_UNNAMED_COORDINATES:
        return meanings
    out = list(meanings)
    for at in unnamed:
        out[at] = tuple(each for each in out[at] if not _is_unnamed_coordinate(each))
    return out


def _is_unnamed_coordinate(meaning: Meaning) -> bool:
    return meaning.entity_type == "GEO_COORDINATE" and not _is_named(meaning) and not meaning.stray


def _is_named(meaning: Meaning) -> bool:
    """Whether the column's heading counted, for it or against."""
    return any(signal.startswith("header:") for signal in meaning.signals)


def _odds(found: Sequence[Meaning]) -> dict[str, float]:
    """How likely a column is of each type, by itself; what was lifted to be kept is what it was."""
    return {each.entity_type: probability(each.logit) for each in found if not each.stray}


class TableMeanings:
    """The first meanings of all columns, to be asked for what surrounds one of them."""

    def __init__(self, meanings: Sequence[tuple[Meaning, ...]]) -> None:
        self._meanings = meanings
        self._main = [next((each for each in found if not each.stray), None) for found in meanings]
        self._firm = [
            main.entity_type if main is not None and main.confidence >= FIRM else "" for main in self._main
        ]
        #: How sure each column is somebody's, for those that are likelier so than not.
        self._likely = [
            main.confidence
            if main is not None and main.confidence >= _LIKELY and is_personal(main.entity_type)
            else 0.0
            for main in self._main
        ]
        self._headless = not any(_is_named(meaning) for found in meanings for meaning in found)
        # Once for a table: one without headings may have thousands of columns.
        self._odds = [_odds(found) for found in meanings] if self._headless else []
        self._expected = {
            what: [
                max((odd for kind, odd in odds.items() if kinds(kind)), default=0.0) for odds in self._odds
            ]
            for what, kinds in (("people", is_personal), ("addresses", ADDRESS.__contains__))
        }
        self._sums = {what: sum(expected) for what, expected in self._expected.items()}
        self._parts = [main.concept if main is not None else "" for main in self._main]

    def weighed(self, index: int, model: ColumnModel) -> list[Meaning]:
        """The meanings of one column beside the others."""
        out = []
        for meaning in self._meanings[index]:
            if meaning.stray:
                out.append(meaning)
                continue
            around = self.context(index, meaning)
            if meaning.entity_type == "IDENTIFIER" and not (
                around.get("people") or self._is_of_somebody(index)
            ):
                continue
            logit = model.weigh_beside(meaning.weighed_as or meaning.entity_type, meaning.logit, around)
            told = [
                f"neighbours:{what}"
                for what, feature in (("person", "people"), ("address", "addresses"))
                if around.get(feature) and logit > meaning.logit
            ]
            out.append(
                replace(
                    meaning,
                    logit=logit,
                    confidence=probability(logit),
                    signals=(*meaning.signals, *told),
                )
            )
        return out

    def _is_of_somebody(self, index: int) -> bool:
        """Whether the other columns say something of people, though none says who."""
        return any(kind in _SOMEBODYS for at, kind in enumerate(self._firm) if at != index)

    def context(self, index: int, meaning: Meaning) -> dict[str, float]:
        """What surrounds one meaning of a column, as features; those that are 0 are left out."""
        others = [kind for position, kind in enumerate(self._firm) if position != index and kind]
        near = [
            kind
            for position, kind in enumerate(self._firm)
            if position != index and kind and abs(position - index) <= _FAR
        ]
        people = sum(map(is_personal, others))
        addresses = sum(kind in ADDRESS for kind in others)
        rival = max(
            (each.confidence for each in self._meanings[index] if each is not meaning and not each.stray),
            default=0.0,
        )
        found = {
            "people": float(people > 0),
            "many people": min(people, _MOST) / _MOST,
            "people near": float(any(map(is_personal, near))),
            "addresses": float(addresses > 0),
            "many addresses": min(addresses, _MOST) / _MOST,
            "addresses near": float(any(kind in ADDRESS for kind in near)),
            "likely people": min(_MOST, sum(self._likely) - self._likely[index]) / _MOST,
            "no headings": float(self._headless),
            "traits": float(any(kind in _TRAITS for kind in others)),
            "organizations": float("ORGANIZATION" in others),
            "coordinates": float("GEO_COORDINATE" in others),
            "same type": float(meaning.entity_type in others),
            "same type near": float(meaning.entity_type in near),
            "same type maybe next": self._next_to(index, meaning.entity_type),
            "other name part": float(self._completes(index, meaning.concept)),
            "rival": rival,
            "rival ahead": float(rival > meaning.confidence),
            "wide table": min(1.0, math.log2(len(self._meanings)) / 6),
        }
        if self._headless:
            found |= self._without_headings(index, meaning)
        return {name: value for name, value in found.items() if value}

    def _without_headings(self, index: int, meaning: Meaning) -> dict[str, float]:
        """What columns that nothing names say of one another, none of them sure by itself."""
        odds = self._odds
        near = [at for at in range(max(0, index - _FAR), min(len(odds), index + _FAR + 1)) if at != index]
        found = {}
        for what, expected in self._expected.items():
            found[f"expected {what}"] = min(_MOST, self._sums[what] - expected[index]) / _MOST
            found[f"expected {what} near"] = max((expected[at] for at in near), default=0.0)
        kind = meaning.entity_type
        found["expected next"] = max(
            (odds[at].get(kind, 0.0) for at in (index - 1, index + 1) if 0 <= at < len(odds)), default=0.0
        )
        run = self._run(index, kind)
        found |= {"pair": float(run == _PAIR), "long run": float(run > _MOST)}
        return found

    def _run(self, index: int, entity_type: str) -> int:
        """Columns in a row that may be of the type, this one among them; not counted beyond what is asked."""
        first = last = index
        while last - first < _MOST and first > 0 and entity_type in self._odds[first - 1]:
            first -= 1
        while last - first < _MOST and last + 1 < len(self._odds) and entity_type in self._odds[last + 1]:
            last += 1
        return last - first + 1

    def _next_to(self, index: int, entity_type: str) -> float:
        """How sure the columns to the left and right are of the type: given names stand beside surnames."""
        beside = (
            each
            for at in (index - 1, index + 1)
            if 0 <= at < len(self._meanings)
            for each in self._meanings[at]
        )
        return max((each.confidence for each in beside if each.entity_type == entity_type), default=0.0)

    def _completes(self, index: int, concept: str) -> bool:
        """A given name where there is a family name, and the other way round."""
        pair = {"PERSON.first": "PERSON.last", "PERSON.last": "PERSON.first"}.get(concept)
        return pair is not None and any(
            part == pair and position != index for position, part in enumerate(self._parts)
        )
