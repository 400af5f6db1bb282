"""``who``: which vendors and deliveries held a person, or each of a list of people."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.surfaces.common import OUTPUT, fail, one_or_two_times, read_settings, told_errors
from scanner.surfaces.ledger_cli import LEDGER, policy_for, write_out

if TYPE_CHECKING:
    from scanner.detect.personkeys import PersonKeyer
    from scanner.ledger.membership import Answer, Asked
    from scanner.ledger.store import Connection, Ledger

_BORN = re.compile(r"^(?P<name>[^\d@=]*[^\W\d_][^\d@=]*?)[\s,;]+(?P<born>\d[\d./-]{5,9}\d)$")
_NAMED = re.compile(r"^(?P<heading>[\w .-]{1,60}?)\s*=\s*(?P<value>.+)$")
_PHONE = re.compile(r"^\+?[\d\s()./-]{6,24}(?:(?:x|ext\.?)\s*\d+)?$")
_DAY = re.compile(r"^(?P<one>\d{1,2})(?P<mark>[./-])(?P<other>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})$")
_MONTHS, _LATEST = 12, 30
_LINES = re.compile("\r\n|\n|\r")
#: What is neither of these is an identifier that a state or a firm gave.
_NUMBER = "number"
_FIXED = ("email", "phone", "name+birth")
_DIGESTS = ("md5", "sha1", "sha256", "sha512")
_LONGEST = 4096


class People:
    """The people that are asked for, by the lines that name them.

    Args:
        lines: one value each.
        keyer: makes keys under the ledger's secret.
    """

    def __init__(self, lines: Sequence[str], keyer: PersonKeyer) -> None:
        self.count = len(lines)
        self._keyer = keyer
        self._values: dict[str, list[tuple[int, str]]] = {}
        self._known: dict[str, Asked | None] = {}
        for number, line in enumerate(lines):
            for kind, value in _read(line):
                self._values.setdefault(kind, []).append((number, value))

    @cached_property
    def unreadable(self) -> frozenset[int]:
        """Numbers of lines that hold nothing to look for."""
        said = {number for values in self._values.values() for number, _ in values}
        return frozenset(range(self.count)) - said

    def ask(self, identifier: str) -> Asked | None:
        """Who can be looked up by a kind of identifier."""
        if identifier not in self._known:
            self._known[identifier] = self._asked(identifier)
        return self._known[identifier]

    def _asked(self, identifier: str) -> Asked | None:
        import numpy as np
        import pyarrow as pa

        from scanner.detect import personkeys
        from scanner.ledger.membership import Asked

        kind, _, form = identifier.partition("/")
        given = self._given(kind)
        if not given or form not in ("", "hashed"):
            return None
        numbers = np.array([number for number, _ in given], np.int64)
        normal = self._normal(kind, [value for _, value in given])
        valid = np.asarray(normal.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
        normal, numbers = normal.drop_null(), numbers[valid]
        if form:
            written = [_digests(value) for value in normal.to_pylist()]
            numbers = np.repeat(numbers, [len(each) for each in written])
            normal = personkeys.normal(
                identifier, pa.array([d for each in written for d in each], pa.large_string())
            )
        if not len(normal):
            return None
        return Asked(self._keyer.keys(identifier, normal), self._keyer.members(identifier, normal), numbers)

    def _given(self, kind: str) -> list[tuple[int, str]]:
        if kind in _FIXED or kind.startswith("account:"):
            named = self._values.get(kind, [])
            return named + (self._values.get(_NUMBER, []) if kind.startswith("account:") else [])
        return self._values.get(_NUMBER, [])

    def _normal(self, kind: str, values: Sequence[str]) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        from scanner.detect import personkeys

        if kind != "name+birth":
            return personkeys.normal(kind, pa.array(values, pa.large_string()), self._keyer.regions)
        parts = [value.split("\x1f") for value in values]
        names = personkeys.names(pa.array([part[0] for part in parts], pa.large_string()))
        dates = personkeys.birth_dates(pa.array([part[1] for part in parts], pa.large_string()))
        return pc.binary_join_element_wise(names, dates, pa.scalar("\x1f", pa.large_string()))


def _read(line: str) -> list[tuple[str, str]]:
    """What a line may be, as kinds of identifiers with values."""
    from scanner.detect.personkeys import name_space

    text = line.strip().strip('"').strip()
    if not text or len(text) > _LONGEST:
        return []
    if named := _NAMED.match(text):
        return [(f"account:{name_space(named['heading'], '')}", named["value"].strip())]
    if "@" in text:
        return [("email", text)]
    if born := _BORN.match(text):
        return [("name+birth", f"{born['name'].strip()}\x1f{date}") for date in _dates(born["born"])]
    found = [(_NUMBER, text)] if any(char.isdigit() for char in text) else []
    return [("phone", text), *found] if _PHONE.match(text) else found


def _dates(given: str) -> list[str]:
    """The days that a date of birth may be, ``YYYY-MM-DD``: two where day and month may change places.

    With dots the day comes first.
    """
    found = _DAY.match(given)
    if found is None:
        return [given]
    one, other = int(found["one"]), int(found["other"])
    orders = [(one, other)] if found["mark"] == "." else [(one, other), (other, one)]
    days = {f"{_year(found['year'])}-{month:02d}-{day:02d}" for day, month in orders if month <= _MONTHS}
    return sorted(days) or [given]


def _year(written: str) -> str:
    """A year in full; one of two digits as it is read in tables (`scanner.detect.personkeys`)."""
    if len(written) > 2:
        return written
    return f"{'19' if int(written) > _LATEST else '20'}{written}"


def _digests(value: str) -> list[str]:
    """The ways an unsalted digest of a value is commonly written."""
    out = []
    for name in _DIGESTS:
        digest = hashlib.new(name, value.encode(), usedforsecurity=False).hexdigest()
        out += [digest, digest.upper()]
    return out


@click.command()
@LEDGER
@click.option("--vendor", metavar="ID", help="What this vendor could reach; everybody where left out.")
@click.option("--as-of", metavar="T", help="What was reachable at this time; at any time where left out.")
@click.option("--from", "start", metavar="T", help="What was reachable at any moment from this time on.")
@click.option("--to", "end", metavar="T", help="End of the time; now where left out.")
@click.option(
    "--list",
    "listed",
    metavar="FILE|-",
    help="Look for everybody in a list, one to a line, and answer line by line; - is standard input.",
)
@click.option("--region", metavar="CC", help="Country of telephone numbers without one (ISO 3166).")
@click.option(
    "--format", "format_name", type=click.Choice(("text", "json", "csv")), default="text", show_default=True
)
@OUTPUT
def who(
    where: str,
    vendor: str | None,
    as_of: str | None,
    start: str | None,
    end: str | None,
    listed: str | None,
    region: str | None,
    format_name: str,
    output: Path | None,
) -> None:
    """Which vendors and deliveries held a person, since when, and what of it.

    The person is asked for at a prompt, or read from standard input, never from the command line: an e-mail
    address, a telephone number, a name with a date of birth ("Ada Example 1980-05-01"), an official number,
    or an account as heading=value (customer_id=4711). Nothing that was given is printed.

    Exit code 0: nobody is anywhere; 1: somebody is; 3: nobody was found, but not everybody can be excluded.
    """
    with told_errors():
        one_or_two_times(as_of, start, end)
        lines = _lines(listed)
        document = _document(lines, where, vendor, (as_of, start, end), region, listed is not None)
        render = {"text": _as_text, "json": _as_json, "csv": _as_csv}[format_name]
        write_out(render(document).encode(), output)
    raise click.exceptions.Exit(_status(document))


def _status(document: dict[str, Any]) -> int:
    if document["found"]:
        return 1
    return 3 if document["cannot_be_excluded"] else 0


def _lines(listed: str | None) -> list[str]:
    """What is asked for. Values are read from a file, standard input or a prompt."""
    if listed is None:
        if sys.stdin.isatty():
            return [click.prompt("Whom to look for (not shown)", hide_input=True, err=True)]
        first = _decoded(sys.stdin.buffer.readline())
        if not first.strip():
            fail("nothing was given on standard input to look for")
        return [first]
    data = sys.stdin.buffer.read() if listed == "-" else Path(listed).read_bytes()
    # Not `str.splitlines`, which ends lines where no editor does: the answer counts lines.
    lines = _LINES.split(_decoded(data))
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        fail(f"{listed}: is empty")
    return lines


def _decoded(data: bytes) -> str:
    """Text as editors and spreadsheets write it: UTF-8, UTF-16 with its mark, else Windows-1252."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _document(
    lines: Sequence[str],
    where: str,
    vendor: str | None,
    times: tuple[str | None, str | None, str | None],
    region: str | None,
    many: bool,
) -> dict[str, Any]:
    from scanner.detect.personkeys import PersonKeyer
    from scanner.ledger import membership, queries
    from scanner.ledger.store import open_ledger, shown, stamp
    from scanner.surfaces.recording import moment

    as_of, start, end = times
    now = stamp(datetime.now(UTC))
    last = moment(end or as_of or now)
    first = last if as_of else moment(start) if start else "0001"
    regions = ((region.upper(),) if region else ()) + tuple(read_settings({}).regions)
    with open_ledger(where) as opened, opened.reading() as connection:
        people = People(lines, PersonKeyer(opened.people_secret, regions))
        if people.unreadable and not many:
            fail("that is no e-mail address, telephone number, name with date of birth, or number")
        vendors = _vendors(opened, connection, vendor)
        window = queries.Window(first, last)
        answer = membership.search(opened, connection, window, vendors, people.ask, people.count)
        feeds = queries.feed_names(connection)
    found = {int(person) for hit in answer.hits for person in hit.people}
    sure = {person for hit in answer.hits for person in {*hit.people.tolist()} - {*hit.linked.tolist()}}
    doubtful = {*answer.open, *people.unreadable} - found
    out: dict[str, Any] = {
        "schema_version": "1.0",
        "to": shown(last),
        "from": None if first == "0001" else shown(first),
        "asked": people.count,
        "found": len(found),
        "cannot_be_excluded": len(doubtful),
        "people": {"low": len(sure), "best": len(found), "high": len(found) + len(doubtful)},
        "deliveries_searched": answer.searched + len(answer.hits),
        "deliveries_without_such_identifiers": answer.silent,
        "deliveries_unsure": dict(sorted(answer.unsure.items())),
        "deliveries": [_hit(hit, feeds) for hit in answer.hits],
    }
    if many:
        out["lines"] = _by_line(answer, people)
    return out


def _vendors(opened: Ledger, connection: Connection, vendor: str | None) -> list[str | None]:
    """Those to search. A vendor that nobody knows of is a slip of the pen, and no answer about it is one."""
    from scanner.ledger import queries

    known = queries.vendors(connection)
    if vendor is None:
        return known
    if vendor not in known:
        policy, _ = policy_for(opened, None)
        if policy is None or policy.vendor(vendor) is None:
            fail(f"neither the ledger nor its policy knows a vendor {vendor}")
    return [vendor]


def _hit(hit: Any, feeds: dict[tuple[str, str], str]) -> dict[str, Any]:
    from scanner.ledger.store import shown

    version = hit.version
    return {
        "vendor": version.vendor,
        "feed": feeds.get((version.vendor or "", version.feed), version.feed),
        "sha256": version.content.partition(":")[2] if version.content.startswith("sha256:") else None,
        "people": len(hit.people),
        "linked": len(hit.linked),
        "categories": sorted(hit.categories),
        "places": [
            {"path": path, "first_seen": shown(first), "gone": shown(gone) if gone else None}
            for path, first, gone in hit.spans
        ],
    }


def _by_line(answer: Answer, people: People) -> list[dict[str, Any]]:
    from scanner.ledger.store import shown

    deliveries: dict[int, int] = {}
    since: dict[int, str] = {}
    vendors: dict[int, set[str]] = {}
    for hit in answer.hits:
        first = min((span[1] for span in hit.spans), default="")
        for person in hit.people.tolist():
            deliveries[person] = deliveries.get(person, 0) + 1
            since[person] = min(since.get(person, first), first)
            vendors.setdefault(person, set()).add(hit.version.vendor or "")
    out = []
    for number in range(people.count):
        unsure = number in answer.open or number in people.unreadable
        held = "yes" if number in deliveries else "unknown" if unsure else "no"
        line = {"line": number + 1, "held": held, "deliveries": deliveries.get(number, 0)}
        line["vendors"] = sorted(vendors.get(number, ()))
        out.append(line | {"first_seen": shown(since[number]) if number in since else None})
    return out


def _as_json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"


def _as_csv(document: dict[str, Any]) -> str:
    from scanner.reports.csvreport import cell

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if "lines" in document:
        writer.writerow(("line", "held", "deliveries", "vendors", "first_seen"))
        for each in document["lines"]:
            row = (each["line"], each["held"], each["deliveries"], " ".join(each["vendors"]))
            writer.writerow([cell(value) for value in (*row, each["first_seen"] or "")])
        return out.getvalue()
    writer.writerow(("vendor", "path", "first_seen", "gone", "categories"))
    for each in document["deliveries"]:
        for place in each["places"]:
            row = (each["vendor"] or "", place["path"], place["first_seen"], place["gone"] or "")
            writer.writerow([cell(value) for value in (*row, " ".join(each["categories"]))])
    return out.getvalue()


def _as_text(document: dict[str, Any]) -> str:
    from scanner.model import printable

    lines = []
    for each in document["deliveries"]:
        people = f", {each['people']:,} of them" if document["asked"] > 1 else ""
        linked = " (known there by another identifier)" if each["linked"] == each["people"] else ""
        lines.append(f"{each['vendor'] or 'nobody'}  {each['feed']}{people}{linked}")
        lines.append(f"    {', '.join(each['categories'])}")
        for place in each["places"]:
            until = f"gone {place['gone']}" if place["gone"] else "still there"
            lines.append(f"    {place['path']}: since {place['first_seen']}, {until}")
    asked, found = document["asked"], document["found"]
    vendors = len({each["vendor"] for each in document["deliveries"]})
    if asked == 1:
        deliveries = len(document["deliveries"])
        one = "delivery" if deliveries == 1 else "deliveries"
        said = f"in {deliveries} {one} of {vendors} vendor{'' if vendors == 1 else 's'}"
        lines.append(said if found else "found nowhere")
    else:
        lines.append(
            f"{found:,} of {asked:,} were found, {document['cannot_be_excluded']:,} more cannot be excluded"
        )
    lines += _doubts(document)
    return "\n".join(map(printable, lines)) + "\n"


_WHY = {
    "unread": "could not be read whole",
    "forgotten": "are forgotten: their people cannot be told any more",
    "sampled": "keep a sample of their people only",
}


def _doubts(document: dict[str, Any]) -> list[str]:
    out = [f"{count:,} deliveries {_WHY[why]}" for why, count in document["deliveries_unsure"].items()]
    silent = document["deliveries_without_such_identifiers"]
    if silent:
        out.append(
            f"{silent:,} deliveries have no such identifier: a person may be in them under another one"
        )
    return out


COMMANDS: tuple[click.Command, ...] = (who,)
