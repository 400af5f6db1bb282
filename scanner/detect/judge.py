"""The verdict on a column: heading, values and neighbours weighed into one probability for each type.

`judge` looks at a column by itself, `with_neighbours` at a table. Values are weighed over *distinct* values,
so that one stray match in a million rows labels nothing, and a constant proves nothing twice. Which types are
considered is in `candidates`, what is looked at in `features`, how much it weighs in `weighing`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

from scanner.config import Settings
from scanner.detect import candidates, features, forms, specs, weighing
from scanner.detect.columnrules import GENERAL_IDS, TypeRule, Weights, weights
from scanner.detect.features import Heading, Known
from scanner.detect.headers import HeaderVocabulary, shipped
from scanner.detect.meaning import FIRM, KEPT, REPORTED, Meaning, probability, settled
from scanner.detect.neighbours import with_neighbours
from scanner.model import Form

__all__ = [
    "FIRM", "GENERAL_IDS", "REPORTED", "Meaning", "TypeRule", "Weights", "is_prose", "judge", "settled",
    "vocabulary", "weights", "with_neighbours",
]  # fmt: skip

_STRAY_SHARE = 0.01
#: What `--explain` tells beside heading and values, where it counts.
_TOLD = frozenset(
    {
        "plural heading", "long heading", "part number", "few values", "constant", "sequence", "repetition",
        "implausible values", "bare numbers", "codes", "one length", "grown up", "born", "timestamp",
        "thing", "organization", "no value",
        "table of person", "table of organization", "table of other",
    }
)  # fmt: skip
#: General names under which one country's numbers with check digits stand.
_CHECKED_IDS = frozenset({"NATIONAL_ID", "TAX_ID"})
#: Some telephone numbers in a column of something else may be none: a person looks at it.
_STRAY_SUREST = 0.75
_STRAY_PHONE = r"(?:^|[^\p{L}0-9])(?:\+[0-9]|\(?0[0-9]|\([0-9]|[0-9]{3}[ .-])[0-9 ().\-/]{5,16}[0-9]"
#: From here on a heading says what a token or a cipher stands for.
_NAMED = 0.8
_CODED = frozenset({"COUNTRY", "REGION"})
_CODE = 3
#: Types that digests and masks are not of: whatever they stand for, it is no key and no address on the web.
_NEVER_DISGUISED = frozenset({"IDENTIFIER", "URL"})


@cache
def vocabulary() -> HeaderVocabulary:
    """The shipped header vocabulary."""
    return shipped()


def judge(
    name: str, table: str, values: Sequence[str], settings: Settings, filled: int | None = None
) -> tuple[Meaning, ...]:
    """What a column may be, likeliest first; empty where nothing speaks for anything.

    Args:
        name: its heading, empty for none.
        table: its table's name.
        values: a sample of its distinct values, not blank.
        settings: phone regions and the like.
        filled: rows that the sample is of, where they were counted.
    """
    heading = heading_of(name, table)
    if not values:
        return tuple(_of_heading_alone(heading))
    model = weighing.shipped()
    tests = candidates.Tests(values, settings)
    found = [meaning_of(heading, weighed, model) for weighed in weighable(heading, tests, filled)]
    found = _once([_of_country(each, tests) for each in found])
    if heading.strongest(nothing=True, but="") >= _NAMED and all(len(each) <= _CODE for each in values):
        # A third of all pairs of letters are a country: under ``customer_type`` they are types.
        found = [each for each in found if each.entity_type not in _CODED or heading.hint(each.entity_type)]
    cut = vocabulary().form_hint(name) is Form.TRUNCATED
    found = [
        replace(each, form=Form.TRUNCATED)
        if each.form is Form.CLEAR and (cut or forms.is_cut(values, each.entity_type))
        else each
        for each in found
    ]
    return settled([*found, *_strays(found, tests)])


class Weighable:
    """One type that a column may be, with the features to weigh it by."""

    __slots__ = ("features", "form", "known", "rule")

    def __init__(self, rule: TypeRule, form: Form, found: Mapping[str, float], known: Known | None) -> None:
        self.rule = rule
        self.form = form
        self.features = found
        self.known = known


def heading_of(name: str, table: str) -> Heading:
    """What a heading and its table's name say."""
    words = vocabulary()
    hints = () if features.is_generic(name) else words.hints(name, table)
    return Heading(name, hints, words.subject(table))


def weighable(heading: Heading, tests: candidates.Tests, filled: int | None = None) -> Iterator[Weighable]:
    """Every type that a column may be, with its features: what the model is asked, and trained on."""
    values = tests.values
    form = forms.form_of(values, {hint.entity_type for hint in heading.hints if hint.strength >= _NAMED})
    if form is not Form.CLEAR:
        yield from _disguised(heading, values, form)
        return
    look = features.profile(values, filled)
    for rule, known in candidates.candidates(heading, tests):
        found = features.of_candidate(rule.entity_type, heading, look, known)
        yield Weighable(rule, form, found, known)


def is_prose(name: str, values: Sequence[str]) -> bool:
    """Whether cells are running text: sentences, or shorter texts under a heading of prose."""
    if not values:
        return False
    words = [len(value.split()) for value in values]
    mean = sum(words) / len(words)
    long = sum(count >= 4 for count in words) / len(words)
    tokens = set(re.findall(r"[a-zà-ÿ]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()))
    if tokens & weights().prose:
        return mean >= 2
    return (mean >= 6 and long >= 0.5) or sum(count >= 15 for count in words) >= 0.1 * len(words)


def meaning_of(heading: Heading, weighed: Weighable, model: weighing.ColumnModel) -> Meaning:
    """One type that a column may be, weighed."""
    rule, hint = weighed.rule, heading.hint(weighed.rule.entity_type)
    logit = model.weigh(rule.entity_type, weighed.features)
    confidence = probability(logit)
    if hint is None and not heading.hints:
        # A column without a heading may yet be told by its neighbours: its cells are counted until then.
        confidence = max(confidence, KEPT)
    return Meaning(
        rule.entity_type,
        hint.concept if hint else rule.entity_type,
        weighed.form,
        confidence,
        rule.plausible if weighed.form is Form.CLEAR else forms.PATTERNS[weighed.form],
        _signals(heading, weighed, model),
        logit,
        longest=rule.longest if weighed.form is Form.CLEAR else max(rule.longest, 1000),
    )


def _once(found: Sequence[Meaning]) -> list[Meaning]:
    """Each type once, as sure as it can be: two general names may be one country's identifier."""
    ordered = sorted(found, key=lambda meaning: meaning.confidence)
    return list({meaning.entity_type: meaning for meaning in ordered}.values())


def _of_country(meaning: Meaning, tests: candidates.Tests) -> Meaning:
    """What a heading calls by a general name is one country's identifier where its check digits say so."""
    if meaning.entity_type not in _CHECKED_IDS or meaning.form is not Form.CLEAR:
        return meaning
    scheme = tests.scheme()
    kind = next((spec.entity_type for spec in specs.specs() if spec.check == scheme), "") if scheme else ""
    if not kind:
        return meaning
    return replace(
        meaning,
        entity_type=kind,
        concept=kind,
        weighed_as=meaning.entity_type,
        signals=(*meaning.signals, f"check:{kind}"),
    )


def _signals(heading: Heading, weighed: Weighable, model: weighing.ColumnModel) -> tuple[str, ...]:
    """What counted, in words."""
    entity_type = weighed.rule.entity_type
    hint = heading.hint(entity_type)
    told = [f"header:{hint.phrase}"] if hint else []
    if weighed.form is not Form.CLEAR:
        told.append(f"form:{weighed.form}")
    elif weighed.known is not None and weighed.known.share:
        told.append(f"values:{weighed.known.share:.0%}")
    if weighed.features.get("heading against") or weighed.features.get("other heading"):
        told.append("header:against")
    told += [f"model:{each}" for each in model.told(entity_type, weighed.features, _TOLD)]
    return tuple(told)


def _disguised(heading: Heading, values: Sequence[str], form: Form) -> Iterator[Weighable]:
    mails = sum("@" in value for value in values) / len(values) if form is Form.MASKED else 0.0
    named = [each for each in candidates.named(heading) if each not in _NEVER_DISGUISED]
    if mails > 0.5:  # an @ under a mask says more than any heading
        named = ["EMAIL_ADDRESS"]
    for entity_type in named:
        found = features.of_disguised(entity_type, heading, mails)
        yield Weighable(weights().rule(entity_type), form, found, None)


def _of_heading_alone(heading: Heading) -> Iterator[Meaning]:
    """An empty column: its heading is a weak hint, kept under what is reported as evidence."""
    for entity_type in candidates.named(heading):
        rule, hint = weights().rule(entity_type), heading.hint(entity_type)
        if hint is not None and (confidence := REPORTED * hint.strength) >= KEPT:
            yield Meaning(
                entity_type,
                hint.concept,
                Form.CLEAR,
                confidence,
                rule.plausible,
                (f"header:{hint.phrase}",),
                0.0,
                stray=True,
                longest=rule.longest,
            )


def _strays(found: Sequence[Meaning], tests: candidates.Tests) -> Iterator[Meaning]:
    """Telephone numbers in a column of something else: no pattern of the kernels finds them."""
    if any(each.entity_type == "PHONE_NUMBER" or each.form is not Form.CLEAR for each in found):
        return
    if not tests.look.admits("phone") or tests.bare_numbers() > 0.5:
        return
    rule = weights().rule("PHONE_NUMBER")
    share = tests.share(rule.alone_test, rule.entity_type, few=True)
    if share < _STRAY_SHARE or forms.form_of(tests.values) is not Form.CLEAR:
        return
    count = max(1, round(share * len(tests.values)))
    confidence = 1 - (1 - weights().single["PHONE_NUMBER"]) ** min(count, 4)
    signals = ("pattern:Phone",)
    entity_type = rule.entity_type
    yield Meaning(
        entity_type,
        entity_type,
        Form.CLEAR,
        min(_STRAY_SUREST, confidence),
        _STRAY_PHONE,
        signals,
        0.0,
        stray=True,
    )
