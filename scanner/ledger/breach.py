"""The facts of a breach at a vendor: what it could reach, whose data, and which notices that may make due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from scanner import documents, resources
from scanner.ledger import queries
from scanner.ledger.combinations import covers, options_of
from scanner.ledger.people import People
from scanner.ledger.queries import Judge, Tally, Window
from scanner.ledger.store import Connection, Ledger, shown
from scanner.model import Estimate, Evidence, Form

#: Digests that can be undone or guessed protect nobody.
_UNDONE = ("reversible:", "enumerable:")
#: Deliveries that a sheet lists.
LISTED = 200


@dataclass(frozen=True, slots=True)
class _Law:
    """One jurisdiction of ``rules/notice.yaml``."""

    code: str
    name: str
    law: str
    regulator: Mapping[str, Any] | None
    individuals: str
    agencies: int | None
    elements: tuple[str, ...]
    members: tuple[str, ...]
    safe_harbour: str
    compared: Mapping[str, Any] | None

    def residents(self, here: Mapping[str, int]) -> int:
        """Of people by place, those who live where the law holds."""
        return sum(here.get(code, 0) for code in self.members)

    def perhaps(self, here: Mapping[str, int]) -> int:
        """Of people by place, those who may live there besides: no place, or only the country, is known."""
        countries = {code.partition("-")[0] for code in self.members} - set(self.members)
        return here.get("", 0) + sum(here.get(code, 0) for code in countries)


@cache
def rules() -> Mapping[str, Any]:
    """``rules/notice.yaml``, read."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = resources.path("rules", "notice.yaml").read_text(encoding="utf-8")
    held: dict[str, Any] = yaml.load(text, loader)  # noqa: S506 # a safe loader
    return held


def sheet(ledger: Ledger, window: Window, vendor: str | None, judge: Judge, now: str) -> dict[str, Any]:
    """The facts, as the document of the command without what a policy says of the vendor.

    Args:
        ledger: an open one.
        window: from when until when the vendor was breached.
        vendor: None is nobody's folder.
        judge: says which fields are personal data, and which are allowed.
        now: the moment of asking.
    """
    with ledger.reading() as connection:
        tally = queries.gather(ledger, connection, window, vendor, judge, label)
        people = queries.WhoIsWho(ledger, connection, judge).people(tally.crowd)
        deliveries, more = _deliveries(connection, window, vendor)
        unread = sum(1 for each in queries.reachable(connection, window, vendor) if each.gaps)
        names = {
            feed: name for (of, feed), name in queries.feed_names(connection).items() if of == (vendor or "")
        }
    everybody = people.everybody()
    inferred = people.by_place(inferred=True)
    places = people.by_place()
    document: dict[str, Any] = {
        "people": documents.estimate(everybody),
        "records": tally.rows,
        "items": tally.items,
        "categories": _categories(tally, people, everybody),
        "combinations": queries.together(people, _clear(tally)),
        "residents": [
            {"code": code, "people": count, "inferred": inferred.get(code, 0)}
            for code, count in sorted(places.items(), key=lambda each: (-each[1], each[0]))
        ],
        "notices": _notices(tally, people, places),
        "notice_rules_as_of": str(rules()["as_of"]),
        "joins": [_named(join.document(), names) for join in _joins(tally)],
        "deliveries": deliveries,
        "deliveries_more": more,
    }
    document["consequences"] = _consequences(document["categories"])
    document["uncertain"] = _uncertain(tally, people, everybody, places, inferred, unread)
    return document


#: What follows from a category in clear text, for the fact sheet; the first that covers it.
_CONSEQUENCES = (
    ("user.authorization", "Accounts may be taken over with passwords or keys that were within reach."),
    ("user.government_id", "Identities may be used to open accounts or to pass checks."),
    ("user.financial", "Accounts or cards may be charged, or direct debits made up."),
    ("user.payment", "Accounts or cards may be charged, or direct debits made up."),
    (
        "user.health_and_medical",
        "What is known of somebody's health may be made public or used for pressure.",
    ),
    ("user.demographic.date_of_birth", "With name and date of birth, checks of identity may be passed."),
    ("user.contact.email", "Convincing e-mails may be sent in your name (phishing)."),
    ("user.contact.phone_number", "Convincing calls and messages may be made in your name."),
    ("user.contact.address", "People may be sought out where they live."),
    ("user.unique_id.vehicle_identification_number", "Vehicles may be traced to who owns them."),
    ("user.location", "Where people go may become known."),
)


def _consequences(categories: Sequence[Mapping[str, Any]]) -> list[str]:
    held = [each["category"] for each in categories if not each["protected"]]
    found = [said for key, said in _CONSEQUENCES if any(covers(key, each) for each in held)]
    return list(dict.fromkeys(found))


def label(evidence: Evidence) -> str:
    """What people are counted by: the category, with the form where that protects it."""
    if evidence.form is Form.CLEAR or any(signal.startswith(_UNDONE) for signal in evidence.signals):
        return evidence.category
    return f"{evidence.category} {evidence.form}"


def _categories(tally: Tally, people: People, everybody: Estimate) -> list[dict[str, Any]]:
    out = []
    for name in sorted(tally.forms):
        category, _, form = name.partition(" ")
        bit = tally.bits.get(name)
        found = Estimate(0, 0, 0) if bit is None else people.count(1 << bit)
        if not found.best:
            found = Estimate(min(1, everybody.best), min(1, everybody.best), everybody.high)
        allowed = tally.allowed[name]
        clear = not form
        undone = clear and bool(tally.forms[name] - {str(Form.CLEAR)})
        out.append(
            {
                "category": category,
                "form": form or str(Form.CLEAR),
                "protected": not clear,
                "undone": undone,
                "people": documents.estimate(found),
                "allowed": allowed,
            }
        )
    return sorted(out, key=lambda each: (each["protected"], -each["people"]["best"], each["category"]))


def _clear(tally: Tally) -> dict[str, int]:
    """The bits of what is there in clear; a protected form stands behind the category, after a blank."""
    return {name: bit for name, bit in tally.bits.items() if " " not in name}


def _joins(tally: Tally) -> list[Any]:
    from scanner.ledger import joins

    return joins.within(tally)


def _named(join: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return join | {"names": [names.get(feed, feed) for feed in join["feeds"]]}


# -- notices -------------------------------------------------------------------------------------------------


def laws() -> list[_Law]:
    """All jurisdictions of the table."""
    held = rules()
    out = []
    for code, each in held["states"].items():
        days = each["individuals_days"]
        out.append(
            _Law(
                code=code,
                name=each["name"],
                law=each["law"],
                regulator=each["regulator"],
                individuals=f"within {days} days" if days else "without unreasonable delay",
                agencies=each["agencies"],
                elements=(*held["core"], *each["elements"]),
                members=(code,),
                safe_harbour=each.get("safe_harbour", held["safe_harbour"]),
                compared=each.get("compared"),
            )
        )
    for code, each in held["countries"].items():
        out.append(
            _Law(
                code=code,
                name=each["name"],
                law=each["law"],
                regulator=each["regulator"],
                individuals=each["individuals"],
                agencies=None,
                elements=tuple(each["elements"]),
                members=tuple(each["members"]),
                safe_harbour=each["safe_harbour"],
                compared=each.get("compared"),
            )
        )
    return out


def _notices(tally: Tally, people: People, places: Mapping[str, int]) -> list[dict[str, Any]]:
    """The laws of the places where people live, with what of them is met."""
    out = []
    for law in laws():
        residents = law.residents(places)
        if residents:
            out.append(_notice(law, residents, *_met(tally, people, law)))
    return sorted(out, key=lambda each: (not each["elements"], -each["residents"], each["code"]))


def _met(tally: Tally, people: People, law: _Law) -> tuple[list[str], int, int]:
    """Which elements are there in clear, and how many of the law's residents they concern: known, at most."""
    clear = _clear(tally)
    met: list[str] = []
    every: list[list[int]] = []
    anywhere: list[list[int]] = []
    for element in law.elements:
        needs = rules()["elements"][element]["needs"]
        options = [[]] if not needs else [found for each in needs if all(found := options_of(each, clear))]
        anywhere += options
        here = people.by_place(among=options) if options else {}
        if law.residents(here):
            met.append(element)
            every += options
    concerned = law.residents(people.by_place(among=every)) if every else 0
    others = law.perhaps(people.by_place(among=anywhere, nowhere=True)) if anywhere else 0
    return met, concerned, concerned + others


def _notice(law: _Law, residents: int, elements: list[str], concerned: int, at_most: int) -> dict[str, Any]:
    regulator = None
    if law.regulator is not None:
        threshold = int(law.regulator["residents"])
        when = law.regulator["when"]
        regulator = {
            "who": law.regulator["who"],
            "threshold": threshold,
            "reached": bool(elements) and concerned >= threshold,
            "possible": at_most >= threshold,
            "when": f"within {when} days" if isinstance(when, int) or str(when).isdigit() else str(when),
        }
    agencies = None
    if law.agencies is not None:
        agencies = {
            "threshold": law.agencies,
            "reached": bool(elements) and concerned >= law.agencies,
            "possible": at_most >= law.agencies,
        }
    return {
        "code": law.code,
        "name": law.name,
        "law": law.law,
        "residents": residents,
        "concerned": concerned,
        "at_most": at_most,
        "elements": [{"id": each, "label": rules()["elements"][each]["label"]} for each in elements],
        "regulator": regulator,
        "individuals": law.individuals,
        "agencies": agencies,
        "safe_harbour": law.safe_harbour,
        "compared": None
        if law.compared is None
        else {key: str(law.compared[key]) for key in ("date", "with")},
    }


# -- deliveries and doubts ----------------------------------------------------------------------------------


def _deliveries(
    connection: Connection, window: Window, vendor: str | None
) -> tuple[list[dict[str, Any]], int]:
    """What was delivered, the largest first, and how many more there are."""
    names = queries.feed_names(connection)
    versions = [
        each
        for each in queries.reachable(connection, window, vendor)
        if each.totals.high or each.gaps or each.rows
    ]
    versions.sort(key=lambda each: (-each.totals.best, -each.rows, each.id))
    out = []
    for version in versions[:LISTED]:
        spans = queries.spans(connection, version, window)
        ends = [gone for _, _, gone in spans]
        out.append(
            {
                "path": spans[0][0],
                "copies": version.copies,
                "feed": names.get((vendor or "", version.feed), version.feed),
                "sha256": version.content.partition(":")[2]
                if version.content.startswith("sha256:")
                else None,
                "rows": version.rows,
                "people": documents.estimate(version.totals),
                "first_seen": shown(min(first for _, first, _ in spans)),
                "gone": None if None in ends else shown(max(each for each in ends if each)),
                "status": version.status,
            }
        )
    return out, max(0, len(versions) - LISTED)


def _uncertain(
    tally: Tally,
    people: People,
    everybody: Estimate,
    places: Mapping[str, int],
    inferred: Mapping[str, int],
    unread: int,
) -> list[str]:
    out = []
    if everybody.low != everybody.high:
        out.append(
            f"The number of people lies between {everybody.low:,} and {everybody.high:,}: people known by"
            " different identifiers may be the same ones."
        )
    if unread:
        out.append(f"{unread:,} of the items could not be read whole; what is in the rest is not counted.")
    if tally.forgotten:
        out.append(
            f"Of {tally.forgotten:,} items the people were forgotten on purpose; they are not counted."
        )
    told = sum(places.values())
    if told < everybody.best:
        out.append(
            f"Where they live is not known of {everybody.best - told:,} people: laws of places that are not"
            " listed may hold for them, and more thresholds may be reached."
        )
    if places.get("US"):
        out.append(
            f"Of {places['US']:,} people in the United States the state is not known; no state's count has"
            " them."
        )
    guessed = sum(inferred.values())
    if guessed:
        out.append(
            f"The country of {guessed:,} people is inferred from telephone number or postal code only."
        )
    if people.unknown:
        out.append(f"{people.unknown:,} rows or mentions hold nothing that tells people apart.")
    out.append("What was reachable is known, not what was taken: ask the vendor for its access logs.")
    return out
