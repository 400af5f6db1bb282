"""A policy file to a `Policy`; everything that is wrong with it is told at once, with its place."""

from __future__ import annotations

import difflib
import re
from collections import abc
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import yaml

from scanner.model import Form, PolicySource
from scanner.policy import odcs
from scanner.policy.categories import taxonomy
from scanner.policy.globs import fault, overlap, takes_all
from scanner.policy.model import (
    Action,
    Agreement,
    Allow,
    Confidence,
    Default,
    Defaults,
    Exemption,
    Feed,
    Gate,
    Loaded,
    OnGap,
    Policy,
    Vendor,
    VendorLimits,
)
from scanner.policy.nodes import MAX_BYTES, Mapping, Problems, compose, position, scalar

VERSION = 1
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_POLICY_KEYS = ("version", "organisation", "defaults", "gate", "vendors")
_VENDOR_KEYS = (
    "id",
    "name",
    "paths",
    "purpose",
    "agreement",
    "allow",
    "never",
    "limits",
    "exceptions",
    "contracts",
    "action",
)
_EXCEPTION_KEYS = ("table", "column", "category", "until", "ticket", "reason")


class PolicyError(ValueError):
    """A policy file is wrong. ``problems`` lists all that is, as ``file:line:column: sentence``."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(path: Path, today: date | None = None) -> Loaded:
    """The policy of a file.

    Args:
        path: a YAML file, version 1 of the format.
        today: what agreements and exceptions are held against; the date of the machine where left out.

    Raises:
        PolicyError: it cannot be read or is wrong.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PolicyError([f"{path}:1:1: is over {MAX_BYTES >> 20} MiB, too large for a policy"])
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PolicyError([f"{path}:1:1: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise PolicyError([f"{path}:1:1: is not UTF-8 text"]) from None
    return loads(text, str(path), today)


def loads(
    text: str, file: str, today: date | None = None, contracts: abc.Mapping[str, str] | None = None
) -> Loaded:
    """The same for text that was read already.

    Args:
        text: the policy's.
        file: names it in problems; data contracts lie beside it.
        today: as for `load`.
        contracts: texts of data contracts that need not be read, see `PolicySource`.
    """
    problems = Problems(file)
    root = compose(text, problems)
    read = contracts or {}
    policy = None if root is None else _policy(root, problems, today or date.today(), read)  # noqa: DTZ011 # the day here
    if problems.errors or policy is None:
        raise PolicyError(_in_order(problems.errors))
    taken = dict.fromkeys(feed.contract for vendor in policy.vendors for feed in vendor.feeds)
    return Loaded(policy, tuple(_in_order(problems.warnings)), tuple(taken))


def source_of(file: Path) -> PolicySource:
    """A policy's file with all that it takes in, to be kept.

    Raises:
        PolicyError: as `load` does.
        OSError: a file has gone since.
    """
    feeds = [feed for vendor in load(file).policy.vendors for feed in vendor.feeds]
    contracts = {feed.name: Path(feed.contract).read_text(encoding="utf-8") for feed in feeds}
    return PolicySource(file.read_text(encoding="utf-8"), contracts)


def _in_order(problems: list[str]) -> list[str]:
    def place(problem: str) -> tuple[int, int]:
        found = re.search(r":(\d+):(\d+): ", problem)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    return sorted(problems, key=place)


def _policy(
    root: yaml.Node, problems: Problems, today: date, contracts: abc.Mapping[str, str]
) -> Policy | None:
    top = Mapping.of(root, "the policy", _POLICY_KEYS, problems)
    if top is None:
        return None
    version = top.need("version")
    if version is not None and getattr(version, "value", None) != str(VERSION):
        problems.error(version, f"'version' must be {VERSION}; this program knows no other")
    defaults = top.values.get("defaults")
    made_defaults = Defaults() if defaults is None else _defaults(defaults, problems)
    action = made_defaults.action
    top.need("vendors")
    vendors = [
        made
        for node in top.items("vendors")
        if (made := _vendor(node, problems, today, action, contracts)) is not None
    ]
    _check_ids([(vendor, node) for vendor, node in vendors], problems)
    _check_paths([vendor for vendor, _ in vendors], problems)
    return Policy(
        organisation=top.text("organisation") or "",
        vendors=tuple(vendor for vendor, _ in vendors),
        defaults=made_defaults,
        gate=_gate(top, problems),
    )


def _gate(top: Mapping, problems: Problems) -> Gate:
    node = top.values.get("gate")
    given = node and Mapping.of(node, "'gate'", ("unverifiable",), problems)
    if not given:
        return Gate.CLOSED
    return Gate(given.choice("unverifiable", [str(each) for each in Gate], "closed"))


def _defaults(node: yaml.Node, problems: Problems) -> Defaults:
    known = ("unlisted", "unassigned", "unverifiable", "confidence", "action")
    given = Mapping.of(node, "'defaults'", known, problems)
    if given is None:
        return Defaults()
    return Defaults(
        unlisted=Default(given.choice("unlisted", [str(each) for each in Default], "deny")),
        unassigned=Default(given.choice("unassigned", [str(each) for each in Default], "deny")),
        unverifiable=OnGap(given.choice("unverifiable", [str(each) for each in OnGap], "fail")),
        confidence=_confidence(given.values.get("confidence"), problems),
        action=Action(given.choice("action", [str(each) for each in Action], "report")),
    )


def _confidence(node: yaml.Node | None, problems: Problems) -> Confidence:
    given = node and Mapping.of(node, "'confidence'", ("over_shared", "review"), problems)
    if not given:
        return Confidence()
    made = Confidence(given.share("over_shared", 0.80), given.share("review", 0.40))
    if made.review > made.over_shared:
        problems.error(node, "'review' must not be above 'over_shared': what needs review is less certain")
    return made


def _vendor(
    node: yaml.Node, problems: Problems, today: date, action: Action, contracts: abc.Mapping[str, str]
) -> tuple[Vendor, yaml.Node] | None:
    given = Mapping.of(node, "a vendor", _VENDOR_KEYS, problems)
    if given is None:
        return None
    vendor_id = given.text("id", needed=True) or ""
    given.what = f"vendor {vendor_id!r}" if vendor_id else "a vendor"
    if vendor_id and not _ID.fullmatch(vendor_id):
        problems.error(given.values["id"], "'id' of a vendor may hold letters, digits, '.', '_' and '-' only")
    vendor = Vendor(
        id=vendor_id,
        name=given.text("name") or vendor_id,
        paths=tuple(_paths(given, problems)),
        purpose=given.text("purpose"),
        agreement=_agreement(given, problems, today),
        allow=tuple(_allow(given, problems)),
        never=tuple(_categories(given, "never", problems)),
        limits=_limits(given, problems),
        exceptions=tuple(_exceptions(given, problems, today)),
        position=position(node),
        feeds=tuple(_feeds(given, vendor_id, problems, contracts)),
        action=Action(given.choice("action", [str(each) for each in Action], str(action))),
    )
    if not vendor.allow and not given.values.keys() & {"allow", "contracts"}:
        problems.warn(node, f"{given.what} has no 'allow': everything shared with it is over-shared")
    return vendor, given.values.get("id", node)


def _paths(given: Mapping, problems: Problems) -> Iterator[str]:
    given.need("paths")
    found = False
    for node in given.items("paths"):
        found = True
        pattern = scalar(node, f"a path of {given.what}", problems)
        if pattern is None:
            continue
        amiss = fault(pattern)
        if amiss is not None:
            problems.error(node, f"path {pattern!r} {amiss}")
            continue
        if "\\" in pattern:
            problems.warn(
                node, f"path {pattern!r} has a backslash; folders are parted by '/' on every system"
            )
        yield pattern
    if not found and isinstance(given.values.get("paths"), yaml.SequenceNode):
        problems.error(given.values["paths"], f"'paths' of {given.what} is empty: no file would be its")


def _agreement(given: Mapping, problems: Problems, today: date) -> Agreement | None:
    node = given.values.get("agreement")
    inner = node and Mapping.of(node, f"'agreement' of {given.what}", ("ref", "expires"), problems)
    if not inner:
        return None
    made = Agreement(inner.text("ref", needed=True) or "", inner.day("expires"))
    if made.expires is not None and made.expires < today:
        problems.warn(
            inner.values["expires"], f"agreement {made.ref} of {given.what} expired on {made.expires}"
        )
    return made


def _allow(given: Mapping, problems: Problems) -> Iterator[Allow]:
    for node in given.items("allow"):
        if isinstance(node, yaml.MappingNode):
            inner = Mapping.of(node, f"an 'allow' entry of {given.what}", ("category", "form"), problems)
            assert inner is not None, "a mapping node is a mapping"
            category = inner.need("category")
            key = None if category is None else _category(category, problems)
            forms = _forms(inner, problems)
        else:
            key, forms = _category(node, problems), None
        if key is not None:
            yield Allow(key, forms, position(node))


def _feeds(
    given: Mapping, vendor_id: str, problems: Problems, contracts: abc.Mapping[str, str]
) -> Iterator[Feed]:
    """What data contracts allow; their paths are relative to the policy's folder."""
    for number, node in enumerate(given.items("contracts")):
        inner = Mapping.of(node, f"a contract of {given.what}", ("odcs", "paths"), problems)
        name = inner and inner.text("odcs", needed=True)
        if not inner or not name:
            continue
        path = Path(problems.file).parent / name
        rule = f"vendors.{vendor_id}.contracts[{number}]"
        allow = tuple(replace(each, rule=rule) for each in odcs.load(path, problems, contracts.get(name)))
        paths = tuple(_paths(inner, problems)) if "paths" in inner.values else ()
        yield Feed(str(path), name, paths, allow)


def _forms(given: Mapping, problems: Problems) -> frozenset[Form] | None:
    node = given.values.get("form")
    if node is None:
        return None
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    if not nodes:
        problems.error(node, f"'form' of {given.what} is empty; leave it out to allow any form")
    known = [str(form) for form in Form]
    found = set()
    for each in nodes:
        value = getattr(each, "value", None)
        if value in known:
            found.add(Form(value))
            continue
        near = difflib.get_close_matches(str(value), known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"
        problems.error(each, f"unknown form {value!r}{hint}")
    return frozenset(found)


def _categories(given: Mapping, name: str, problems: Problems) -> Iterator[str]:
    for node in given.items(name):
        key = _category(node, problems)
        if key is not None:
            yield key


def _category(node: yaml.Node, problems: Problems) -> str | None:
    value = scalar(node, "a category", problems)
    if value is None or value in taxonomy().labels:
        return value
    meant = taxonomy().types.get(value.upper())
    if meant:
        problems.error(node, f"{value!r} is an entity type, not a category; did you mean {meant!r}?")
        return None
    near = difflib.get_close_matches(value, taxonomy().labels, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else "; `sharewatch policy schema` lists all"
    problems.error(node, f"unknown category {value!r}{hint}")
    return None


def _limits(given: Mapping, problems: Problems) -> VendorLimits:
    node = given.values.get("limits")
    inner = node and Mapping.of(node, f"'limits' of {given.what}", ("people", "retention_days"), problems)
    return VendorLimits(inner.whole("people"), inner.whole("retention_days")) if inner else VendorLimits()


def _exceptions(given: Mapping, problems: Problems, today: date) -> Iterator[Exemption]:
    for node in given.items("exceptions"):
        inner = Mapping.of(node, f"an exception of {given.what}", _EXCEPTION_KEYS, problems)
        if inner is None:
            continue
        until, ticket = inner.day("until", needed=True), inner.text("ticket", needed=True)
        category = inner.values.get("category")
        key = None if category is None else _category(category, problems)
        reason, table, column = inner.text("reason"), inner.text("table"), inner.text("column")
        if table is None and column is None and category is None:
            problems.error(node, f"an exception of {given.what} must name a table, column or category")
        if until is not None and until < today:
            problems.warn(inner.values["until"], f"exception {ticket} of {given.what} ended on {until}")
        if until is not None and ticket is not None:
            yield Exemption(until, ticket, reason or "", table, column, key, position(node))


def _check_ids(vendors: list[tuple[Vendor, yaml.Node]], problems: Problems) -> None:
    first: dict[str, yaml.Node] = {}
    for vendor, node in vendors:
        if vendor.id and vendor.id in first:
            problems.error(node, f"vendor {vendor.id!r} stands twice; first at {position(first[vendor.id])}")
        first.setdefault(vendor.id, node)


def _check_paths(vendors: list[Vendor], problems: Problems) -> None:
    """Two vendors whose patterns meet: the first in file order wins, which is seldom what was meant."""
    for index, vendor in enumerate(vendors):
        for earlier in vendors[:index]:
            for pattern in vendor.paths:
                clash = _clash(pattern, earlier.paths)
                if clash is not None:
                    all_of_it = ", which stands first and takes all of it: it can never win"
                    wins = all_of_it if takes_all(clash, pattern) else ", which stands first and wins"
                    problems.warnings.append(
                        f"{problems.file}:{vendor.position}: warning: path {pattern!r} of {vendor.id!r} "
                        f"overlaps {clash!r} of {earlier.id!r}{wins}"
                    )


def _clash(pattern: str, earlier: tuple[str, ...]) -> str | None:
    """The pattern of an earlier vendor that meets this one; one that takes all of it before any other."""
    clashes = [other for other in earlier if overlap(pattern, other)]
    return next((other for other in clashes if takes_all(other, pattern)), next(iter(clashes), None))
