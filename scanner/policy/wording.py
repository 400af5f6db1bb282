"""The two sentences of a finding: why it is one, and what to do about it. Plain English, no value quoted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from scanner.model import Evidence, Form, Gap, Kind, Outcome, Reason, Text, printable
from scanner.policy.categories import label
from scanner.policy.decide import Decision, Ground, file_name
from scanner.policy.fields import UNNAMED, WORKBOOKS, PersonalField
from scanner.policy.model import Vendor
from scanner.policy.people import counts_people

#: Longer names are cut in sentences; the finding itself holds them whole.
_NAME_LENGTH = 120
#: Allowed categories that a sentence lists before it only counts them.
_LISTED = 6
_FORMS = {
    Form.CLEAR: "in clear",
    Form.MASKED: "masked",
    Form.TRUNCATED: "truncated",
    Form.HASHED: "hashed",
    Form.TOKENIZED: "tokenized",
    Form.ENCRYPTED: "encrypted",
}
_REASONS = {
    Reason.ENCRYPTED: "it is locked with a password or encrypted",
    Reason.CORRUPT: "it is damaged",
    Reason.UNSUPPORTED: "its format is not supported",
    Reason.TOO_LARGE: "it is larger than the limit",
    Reason.TOO_DEEP: "it is nested too deeply",
    Reason.TOO_MANY_MEMBERS: "it has more members than the limit",
    Reason.RATIO: "it unpacks to far more than its size",
    Reason.TIMEOUT: "reading it took longer than the limit",
    Reason.MEMORY: "reading it needed more memory than the limit",
    Reason.PERMISSION: "it may not be read",
    Reason.CHANGED_WHILE_READ: "it was written to while it was read",
    Reason.VANISHED: "it was gone when it was to be read",
    Reason.ENCODING: "its text encoding is not known",
    Reason.CRASHED: "the process reading it died",
    Reason.INTERNAL: "sharewatch failed on it",
    Reason.EXCLUDED: "it was left out",
}
READ_AGAIN = "Unlock, unpack or convert the file so that it can be read, and scan again."


def because(vendor: Vendor | None, field: PersonalField, decision: Decision) -> str:
    """Why a field is a finding."""
    found = f"{_amount(field.evidence)} {_FORMS[field.evidence.form]} in {_place(field)}"
    if field.evidence.undone is not None:
        found += f" that can be undone ({_name(field.evidence.undone)})"
    if not decision.likely:
        found = f"What may be {found}"
    sentence = f"{found}; {_ground(vendor, field, decision)}"
    if decision.expired is not None:
        sentence += f"; the exception {_name(decision.expired.ticket)} ended on {decision.expired.until}"
    return _sentence(sentence)


def remedy(vendor: Vendor | None, field: PersonalField, decision: Decision) -> str:
    """What to do about a field."""
    several = label(field.evidence.category, 2)
    if decision.ground is Ground.UNASSIGNED:
        return "Move the file into the folder of the vendor it is for, or remove it."
    if not decision.likely:
        return f"Look at {_target(field)}; if it does hold {several}, {_lower(_removal(field, decision))}"
    if decision.ground is Ground.UNLISTED and decision.rule.startswith("defaults."):
        who = _name(vendor.name if vendor else "")
        return f"Decide whether {who} may have {several}; if not, {_lower(_removal(field, decision))}"
    return _removal(field, decision)


def unreadable(vendor: Vendor | None, outcome: Outcome, gaps: Sequence[Gap]) -> str:
    """Why an item could not be judged, with each reason once."""
    reasons = _listing(list(dict.fromkeys(_reason(gap) for gap in gaps)))
    whole = not (outcome.tables or outcome.texts)
    holder = f"what {_name(vendor.name)} has in it" if vendor else "what is in it"
    extent = "could not be read" if whole else "could not be read in full"
    return f"{_name(file_name(outcome))} {extent}, so nobody can say {holder}: {reasons}."


def too_many_people(vendor: Vendor, people: int, limit: int) -> tuple[str, str]:
    """Why and what to do, where a vendor holds data of more people than agreed."""
    return (
        f"{_name(vendor.name)} holds data of {people:,} people; the limit is {limit:,}.",
        f"Remove the people that {_name(vendor.name)} does not need, or agree on a higher limit.",
    )


def kept_too_long(vendor: Vendor, outcome: Outcome, days: int, limit: int) -> tuple[str, str]:
    """Why and what to do, where a file lies longer than agreed."""
    may = f"{_name(vendor.name)} may have files for {_count(limit, 'day')}"
    return (
        f"{_name(file_name(outcome))} was last changed {days:,} days ago; {may}.",
        "Delete the file from the share.",
    )


def agreement_ended(vendor: Vendor, ref: str, ended: date) -> tuple[str, str]:
    """Why and what to do, where the contract is over but data is still shared."""
    who = _name(vendor.name)
    return (
        f"The agreement {_name(ref)} with {who} ended on {ended}, and personal data is still shared.",
        f"Renew the agreement, or remove everything from the folder of {who}.",
    )


def put_together(
    vendor: Vendor, feeds: Sequence[str], key: str, people: int, wanted: Sequence[str], more: int, sure: bool
) -> tuple[str, str]:
    """Why and what to do, where two feeds give a vendor more than it may have.

    Args:
        vendor: who has both.
        feeds: their names.
        key: the kind of identifier that both have.
        people: that are in both.
        wanted: the combination of categories.
        more: further pairs of feeds that give it, too.
        sure: whether further identifiers agree that it is the same people.
    """
    both = _listing([_name(feed) for feed in feeds])
    again = f", and so do {_count(more, 'further pair')} of feeds" if more else ""
    doubt = "" if sure else "; that it is the same people is told by the key alone"
    return (
        (
            f"{both} share {_name(key.replace('_', ' '))} of {people:,} people: together they give"
            f" {_listing([label(each, 2) for each in wanted])} of one person{again}{doubt}."
        ),
        f"Leave the shared key out of one of them, or give {_name(vendor.name)} another one for each feed.",
    )


def _ground(vendor: Vendor | None, field: PersonalField, decision: Decision) -> str:
    several = label(field.evidence.category, 2)
    if vendor is None:
        return f"{_name(file_name(field.outcome))} lies under no vendor's folder"
    who = _name(vendor.name)
    if decision.ground is Ground.NEVER:
        return f"{who} must never have {label(decision.barred or field.evidence.category, 2)}"
    if decision.ground is Ground.FORM:
        return f"{who} may have {several} only {_alternatives(decision.forms)}"
    if not vendor.allow:
        return f"{who} may have no personal data"
    return f"{who} may have {_allowed(vendor)}, not {several}"


def _allowed(vendor: Vendor) -> str:
    names = []
    for entry in vendor.allow:
        only = "" if entry.forms is None else f"{_alternatives(entry.forms)} "
        names.append(only + label(entry.category, 2))
    if len(names) > _LISTED:
        names = [*names[: _LISTED - 1], f"{len(names) - _LISTED + 1} other categories"]
    return _listing(names)


def _amount(evidence: Evidence) -> str:
    """``599 email addresses``; different values where each is somebody's, else all."""
    count = evidence.distinct.count if counts_people(evidence) else evidence.rows
    about = "about " if counts_people(evidence) and not evidence.distinct.exact else ""
    name = label(evidence.category, count)
    if label(evidence.category, 1) == label(evidence.category, 2):
        return f"{about}{_count(count, 'value')} of {name}"
    return f"{about}{count:,} {name}"


def _place(field: PersonalField) -> str:
    if field.column is None:
        return f"{_part(field)} of {_name(file_name(field.outcome))}"
    hidden = "the hidden column" if field.column.hidden and not field.part.hidden else "column"
    column = f"{hidden} {_name(field.column.name)}"
    return f"{column} of {_part(field)}"


def _part(field: PersonalField) -> str:
    name = "" if field.part.name == UNNAMED else f" {_name(field.part.name)}"
    if isinstance(field.part, Text):
        return f"the {'hidden ' if field.part.hidden else ''}text{name}"
    noun = "worksheet" if field.outcome.format in WORKBOOKS else "table"
    if field.part.hidden:
        return f"the hidden {noun}{name}"
    return f"{noun}{name}" if name else _name(file_name(field.outcome))


def _removal(field: PersonalField, decision: Decision) -> str:
    several = label(field.evidence.category, 2)
    if field.part.hidden:
        return f"Delete {_part(field)} before sharing."
    if field.column is None:
        return f"Remove the {several} from {_name(file_name(field.outcome))} before sharing."
    name = _name(field.column.name)
    if field.column.hidden:
        return f"Delete the hidden column {name} before sharing."
    drop = f"Drop column {name} from the export"
    if decision.ground is Ground.FORM:
        keyed = (
            " with a key that stays here" if field.evidence.undone and Form.HASHED in decision.forms else ""
        )
        return f"{drop}, or send it {_alternatives(decision.forms)}{keyed}."
    if field.column.kind is Kind.FREE_TEXT:
        return f"Remove the {several} from column {name}, or drop the column from the export."
    return f"{drop}."


def _target(field: PersonalField) -> str:
    return f"column {_name(field.column.name)}" if field.column else _name(file_name(field.outcome))


def _reason(gap: Gap) -> str:
    where = f" ({_name(gap.where)})" if gap.where else ""
    return _REASONS[gap.reason] + where


def _alternatives(forms: frozenset[Form]) -> str:
    return _listing([_FORMS[form] for form in Form if form in forms], "or")


def _listing(names: Sequence[str], word: str = "and") -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _name(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _NAME_LENGTH else f"{text[: _NAME_LENGTH - 1]}…"


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."
