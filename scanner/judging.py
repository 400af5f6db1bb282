"""Outcomes, policy and register: what a place holds becomes findings that open and resolve.

A scan into a ledger and the agent use the same code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from scanner import documents, resources
from scanner.ledger import findings, queries, undoing
from scanner.ledger.findings import Transition
from scanner.ledger.store import Ledger, Writer, stamp
from scanner.model import Finding, Outcome
from scanner.policy.evaluate import evaluate

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from scanner.policy.model import Policy, Vendor

#: What was judged of digests that others undo, by place: what it was about, and whether it is a finding.
Settled = Mapping[findings.Place, tuple[object, bool]]
#: Told of what changed, inside of the transaction that changes it.
Told = Callable[["Connection", Sequence[Transition]], None]


def findings_of(
    policy: Policy | None, outcome: Outcome, path: str, vendor: str | None, today: date
) -> tuple[Finding, ...]:
    """The findings about one outcome; none without a policy.

    Args:
        policy: what vendors may have.
        outcome: of one item.
        path: the one that vendors' patterns are held against.
        vendor: the vendor whatever the path; None to go by the path.
        today: the day agreements and exceptions are held against.
    """
    if policy is None:
        return ()
    judged = evaluate(policy, [outcome], paths=[path], vendor=vendor, today=today)
    # What is about all that a vendor holds has no path; it is not for one outcome to say.
    return tuple(found for found in judged.findings if found.path)


def of_vendors(
    ledger: Ledger, policy: Policy, at: str, digest: str | None = None
) -> dict[str, tuple[Finding, ...]]:
    """The findings about all that each vendor of a policy holds, counted by the ledger.

    Args:
        ledger: an open one.
        policy: what vendors may have.
        at: the moment, as `scanner.ledger.store.stamp` writes it.
        digest: the policy's, by which answers are kept: what ``exposure`` is asked then is known already;
            None to look up and keep none.
    """
    from scanner.model import Estimate
    from scanner.policy import findings as made
    from scanner.policy.together import of_joins

    today = date.fromisoformat(at[:10])
    held = _exposure(ledger, policy, at, digest, queries.EVERYBODY)
    about = {each["id"]: each for each in held if each["categories"]}
    out: dict[str, tuple[Finding, ...]] = {}
    for vendor in policy.vendors:
        answer = about.get(vendor.id)
        if answer is None:
            out[vendor.id] = ()
            continue
        people = Estimate(**answer["people"])
        several = [made.of_people(vendor, people), made.of_agreement(vendor, people, today)]
        names = {feed["id"]: feed["name"] for feed in answer["feeds"]}
        several += of_joins(policy, vendor, answer["joins"], answer["categories"], names)
        out[vendor.id] = tuple(found for found in several if found is not None)
    return out


def _exposure(
    ledger: Ledger, policy: Policy, at: str, digest: str | None, vendor: str | None
) -> list[dict[str, Any]]:
    today = date.fromisoformat(at[:10])
    return queries.exposure(
        ledger,
        queries.Window(at, at),
        judge=judge_by(policy, today),
        judged_by=policy_state(policy, digest, today) if digest else None,
        by_paths=by_paths(policy),
        vendor=vendor,
    )


def having(ledger: Ledger, at: str) -> list[str | None]:
    """Vendors that can reach anything at a moment; None is nobody's folder."""
    with ledger.reading() as connection:
        return list(queries.states(connection, queries.Window(at, at)))


def prepare(ledger: Ledger, policy: Policy, at: str, digest: str, vendor: str | None) -> None:
    """Compute and keep what `of_vendors` and `of_undone` need to know of one vendor, where that changed.

    For who has other things to do meanwhile: with all vendors prepared, these two take little time.
    """
    _exposure(ledger, policy, at, digest, vendor)
    _undone_of(ledger, [vendor], at)


def settle_vendors(
    connection: Connection, vendors: Mapping[str, Sequence[Finding]], at: str
) -> list[Transition]:
    """Register what `of_vendors` found, and end acceptances whose time is over; gives what changed."""
    out: list[Transition] = []
    for vendor, found in vendors.items():
        out += findings.observe(connection, findings.of_vendor(vendor), found, at)
    return out + list(findings.expire(connection, at))


@dataclass(frozen=True, slots=True)
class Undone:
    """What vendors can undo of what they can reach; see `of_undone`.

    Attributes:
        told: for each version what is told of its fields.
        places: where these versions lie: place, path relative to the share, and version.
        policy: the digest of the policy that it is to be judged by.
        state: tells it from another, with the policy and the day that it is to be judged by.
    """

    told: undoing.Undone
    places: Sequence[tuple[findings.Place, str, queries.Version]]
    policy: str | None
    state: str


def of_undone(ledger: Ledger, at: str, digest: str | None) -> Undone:
    """Digests that vendors can undo with others of their files, whichever were scanned together.

    Args:
        ledger: an open one.
        at: the moment, as `scanner.ledger.store.stamp` writes it.
        digest: the policy's.
    """
    with ledger.reading() as connection:
        concerned = undoing.concerned(connection)
    told = _undone_of(ledger, concerned, at)
    with ledger.reading() as connection:
        places = queries.places_of(connection, at, sorted(told))
    known = [[place, path, version.id, sorted(told[version.id].items())] for place, path, version in places]
    asked = json.dumps([at[:10], digest, known])
    return Undone(told, places, digest, hashlib.sha256(asked.encode("ascii")).hexdigest())


def _undone_of(ledger: Ledger, vendors: Sequence[str | None], at: str) -> undoing.Undone:
    """What some vendors can undo by version; what took time is kept."""
    told: dict[int, Mapping[queries.FieldKey, str]] = {}
    for vendor in vendors:
        made: dict[str, bytes] = {}
        with ledger.reading() as connection:
            told |= queries.undone_by_others(ledger, connection, queries.Window(at, at), vendor, made)
        sealed = {name: (vendor or "", ledger.union_sealed(name, data)) for name, data in made.items()}
        queries.keep_made(ledger, sealed)
    return told


def standing(connection: Connection, vendors: Mapping[str, Sequence[Finding]], undone: Undone) -> str:
    """Tells what is to be registered, and what is of digests that others undo, from what was before."""
    found = [[vendor, [documents.finding(each) for each in vendors[vendor]]] for vendor in sorted(vendors)]
    held = [undone.state, found, sorted(findings.places_with_others(connection))]
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode("ascii")).hexdigest()


def settle_undone(
    connection: Connection,
    ledger: Ledger,
    policy: Policy,
    undone: Undone,
    at: str,
    before: Settled | None = None,
    most: int | None = None,
) -> tuple[list[Transition], Settled]:
    """Register what a policy says of digests that can be undone, beyond what it says of their files alone.

    In the caller's transaction. One file at a time is judged, so memory is bounded.

    Args:
        connection: the writer's, inside of its transaction.
        ledger: an open one.
        policy: what vendors may have.
        undone: what can be undone now.
        at: as `scanner.ledger.store.stamp` writes it.
        before: what this gave last: what is as it was then is not judged again.
        most: files that are judged; None for all.

    Returns:
        What changed, and what to give as ``before`` once the transaction is done. It has an entry for each of
        the undone places that needs no more judging.
    """
    today = date.fromisoformat(at[:10])
    dated = any(vendor.exceptions for vendor in policy.vendors)
    held = set(findings.places_with_others(connection))
    out: list[Transition] = []
    settled: dict[findings.Place, tuple[object, bool]] = {}
    judged = 0
    for place, path, version in undone.places:
        told = undone.told[version.id]
        owner = policy.vendor_of(path) if dated else None
        day = today if owner is not None and owner.exceptions else None
        about = (path, version.id, told, undone.policy, day)
        if before is not None and before.get(place) == (about, place in held):
            settled[place] = before[place]
        elif most is None or judged < most:
            judged += 1
            found = _with_others(ledger, connection, policy, (path, version, told), today)
            out += findings.observe(connection, findings.with_others(place), found, at)
            settled[place] = about, bool(found)
    for place in held - {place for place, _, _ in undone.places}:
        out += findings.observe(connection, findings.with_others(place), (), at)
    return out, settled


def _with_others(
    ledger: Ledger,
    connection: Connection,
    policy: Policy,
    each: tuple[str, queries.Version, Mapping[queries.FieldKey, str]],
    today: date,
) -> list[Finding]:
    """The findings about a file that it has only because of others."""
    path, version, told = each
    outcome = queries.outcome_of(ledger, connection, version)
    if outcome is None:
        return []
    vendor = None
    if policy.vendor_of(path) is None and version.vendor and policy.vendor(version.vendor):
        vendor = version.vendor  # it was scanned as this vendor's, wherever it lay
    alone = findings_of(policy, outcome, path, vendor, today)
    together = findings_of(policy, undoing.told(outcome, told), path, vendor, today)
    return [found for found in together if found not in alone]


def with_verdicts(policy: Policy | None, answer: dict[str, Any]) -> dict[str, Any]:
    """A vendor's exposure with the policy's verdict on each join."""
    from scanner.policy.together import verdict

    vendor = policy.vendor(answer["id"]) if policy and answer["id"] else None

    def judged(join: Mapping[str, Any]) -> str | None:
        return verdict(policy, vendor, join, answer["categories"]) if policy and vendor else None

    return answer | {"joins": [join | {"verdict": judged(join)} for join in answer["joins"]]}


def policy_state(policy: Policy | None, digest: str | None, today: date) -> str:
    """Names what `judge_by` decides by; of the day only which exceptions have ended matters."""
    exceptions = [each for vendor in (policy.vendors if policy else ()) for each in vendor.exceptions]
    ended = sum(today > each.until for each in exceptions)
    return f"{digest} {ended} {resources.rules_digest()}"


def by_paths(policy: Policy | None) -> frozenset[str]:
    """Vendors of whom it matters where a file lies: data contracts allow more of some files."""
    vendors = policy.vendors if policy else ()
    return frozenset(each.id for each in vendors if any(feed.paths for feed in each.feeds))


def _narrowed(owner: Vendor | None, paths: queries.Paths) -> Sequence[Vendor | None]:
    """A vendor as it is for each kind of path: with what the contracts there allow."""
    if owner is None or not owner.feeds:
        return [owner]
    kinds = {tuple(feed.covers(path) for feed in owner.feeds): path for path in paths()}
    return [owner.at(path) for path in kinds.values()] or [owner]


def judge_by(policy: Policy | None, today: date) -> queries.Judge:
    """Says which fields of an outcome are personal data and allowed by a policy; see `queries.Judge`."""
    from scanner.policy.decide import decide
    from scanner.policy.fields import personal_fields
    from scanner.policy.model import Confidence

    threshold = (policy.defaults.confidence if policy else Confidence()).review

    def judge(
        vendor: str | None, outcome: Outcome, paths: queries.Paths
    ) -> Mapping[queries.FieldKey, bool | None]:
        owner = policy.vendor(vendor) if policy and vendor else None
        owners = _narrowed(owner, paths)
        out: dict[queries.FieldKey, bool | None] = {}
        for found in personal_fields(outcome, threshold):
            index = found.column.index if found.column else None
            key = queries.field_key(outcome, found.part, index, found.evidence.entity_type)
            verdict = None
            if policy is not None:
                verdict = all(decide(policy, each, found, today) is None for each in owners)
            out[key] = verdict
        return out

    return judge


def rejudge(
    writer: Writer, policy: Policy | None, told: Told | None = None, digest: str | None = None
) -> list[Transition]:
    """Judge by a policy all that is reachable now, without reading a file; gives what changed.

    Args:
        writer: of the ledger.
        policy: which to judge by; None resolves all findings.
        told: see `Told`.
        digest: the policy's, see `of_vendors`.
    """
    ledger, at = writer.ledger, stamp(datetime.now(UTC))
    today = date.fromisoformat(at[:10])
    out: list[Transition] = []
    with ledger.reading() as connection:
        held = queries.places(connection, at)
    vendors = of_vendors(ledger, policy, at, digest) if policy else {}
    undone = of_undone(ledger, at, digest)

    def settle(connection: Connection) -> None:
        seen = {findings.of_vendor(vendor) for vendor in vendors}
        for place, path, version in held:
            seen.add(place)
            # One at a time: all that is reachable may be more than memory holds.
            outcome = queries.outcome_of(ledger, connection, version)
            if outcome is not None:
                found = findings_of(policy, outcome, path, None, today)
                out.extend(findings.observe(connection, place, found, at))
        left = [place for place in findings.all_places(connection) if place not in seen]
        if policy is None:
            left += findings.places_with_others(connection)
        out.extend(findings.gone(connection, left, at))
        if policy is not None:
            out.extend(settle_undone(connection, ledger, policy, undone, at)[0])
        out.extend(settle_vendors(connection, vendors, at))
        if told is not None:
            told(connection, out)

    writer.write("judged", [], also=settle, note={"at": at, "places": len(held)})
    return out
