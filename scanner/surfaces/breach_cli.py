"""``breach``: the fact sheet of a breach at a vendor."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from scanner.surfaces.common import OUTPUT, fail, told_errors
from scanner.surfaces.ledger_cli import LEDGER, policy_for, terms, write_out

#: Techniques that a finding names, and what MITRE calls them (ATT&CK for Enterprise, version 17).
_TECHNIQUES = {
    "T1199": "Trusted Relationship",
    "T1039": "Data from Network Shared Drive",
    "T1213.004": "Data from Information Repositories: Customer Relationship Management Software",
    "T1078": "Valid Accounts",
}

#: Files that a step names; the others are in the list of deliveries.
_NAMED = 3


@click.command()
@LEDGER
@click.option("--vendor", metavar="ID", required=True, help="Who was breached.")
@click.option("--from", "start", metavar="T", required=True, help="When the breach began (RFC 3339).")
@click.option("--to", "end", metavar="T", help="When it ended; now where left out.")
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    help="What was agreed; the policy of the latest scan where left out.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(("md", "html", "json", "text")),
    default="md",
    show_default=True,
)
@OUTPUT
def breach(
    where: str,
    vendor: str,
    start: str,
    end: str | None,
    policy_file: Path | None,
    format_name: str,
    output: Path | None,
) -> None:
    """Write the facts of a breach at a vendor: whose data, which data, where they live, what to do.

    In the order of GDPR Article 33(3), with the notice thresholds of US states and other countries. Reads the
    ledger only. Not legal advice.
    """
    with told_errors():
        document = _document(where, vendor, start, end, policy_file)
        from scanner.reports import breach as sheet

        write_out(sheet.render(document, format_name), output)


def _document(
    where: str, vendor: str, start: str, end: str | None, policy_file: Path | None
) -> dict[str, Any]:
    from scanner.judging import judge_by
    from scanner.ledger import breach as facts
    from scanner.ledger import queries
    from scanner.ledger.store import open_ledger, shown, stamp
    from scanner.surfaces.recording import moment

    now = stamp(datetime.now(UTC))
    first, last = moment(start), moment(end) if end else now
    if first > last:
        fail("--from is after --to")
    today = date.fromisoformat(now[:10])
    with open_ledger(where) as opened:
        policy, digest = policy_for(opened, policy_file)
        with opened.reading() as connection:
            known = queries.vendors(connection)
        if vendor not in known and (policy is None or policy.vendor(vendor) is None):
            names = ", ".join(each for each in known if each) or "none"
            fail(f"the ledger knows no vendor {vendor!r}; it has {names}")
        window = queries.Window(first, last)
        found = facts.sheet(opened, window, vendor, judge_by(policy, today), now)
    held = {"id": vendor} | terms(policy, vendor, today)
    return {
        "schema_version": "1.0",
        "generated_at": shown(now),
        "from": shown(first),
        "to": shown(last),
        "policy_digest": digest,
        "vendor": held,
        **found,
        "next_steps": _steps(vendor, found, held, start, end),
        "attack": _attack(found),
        "disclaimer": "Not legal advice.",
    }


def _steps(
    vendor: str, found: dict[str, Any], held: dict[str, Any], start: str, end: str | None
) -> Sequence[str]:
    """What follows from the facts, most urgent first.

    Commands name no ledger: its URL may hold a password, and the sheet is handed on.
    """
    out = []
    there = [each for each in found["deliveries"] if each["gone"] is None]
    if there:
        out.append(
            f"Withdraw the vendor's access, and take away what is still within reach: {len(there):,} of the"
            f" listed deliveries lie there. Largest first, from the share's folder: {_quarantine(there)}."
        )
    out.append(
        "Ask the vendor in writing when the breach began and ended, and for its access logs of that time."
    )
    due = [each for each in found["notices"] if each["regulator"] and each["regulator"]["reached"]]
    if due:
        names = "; ".join(
            f"{each['name']}: {each['regulator']['who']}, {each['regulator']['when']}" for each in due
        )
        out.append(f"With counsel, decide on notices to regulators; thresholds are reached in {names}.")
    perhaps = [each["name"] for each in found["notices"] if _perhaps(each["regulator"])]
    if perhaps:
        out.append(
            "Find out where those live whose place is not known: with them, thresholds may be reached in"
            f" {', '.join(perhaps)}."
        )
    elif found["notices"] and not due:
        out.append("With counsel, decide whether notices are due; no threshold of the table is reached.")
    if found["people"]["best"]:
        until = f" --to {shlex.quote(end)}" if end else ""
        out.append(
            "Make the list of whom to notify from your own customer file: sharewatch who --vendor"
            f" {shlex.quote(vendor)} --from {shlex.quote(start)}{until} --list customers.txt --format csv."
        )
    protected = [each for each in found["categories"] if each["protected"]]
    if protected:
        out.append(
            "Find out whether the keys or salts of what was hashed or encrypted were within reach as well."
        )
    if any(each["allowed"] is False for each in found["categories"]):
        out.append("Stop the feeds that gave more than was agreed: sharewatch findings list, and minimise.")
    if held["agreement"] and held["agreement"]["expired"]:
        out.append("The agreement had ended: say so to counsel before anything is written to the vendor.")
    out.append("Keep the ledger and its key as evidence, and check it: sharewatch ledger verify.")
    return out


def _perhaps(limit: dict[str, Any] | None) -> bool:
    return limit is not None and limit["possible"] and not limit["reached"]


def _quarantine(there: Sequence[dict[str, Any]]) -> str:
    """The commands for the files that hold most; of a member the archive is meant."""
    from scanner.reports import wording

    files = list(dict.fromkeys(each["path"].split(" > ")[0] for each in there))
    said = [
        f"sharewatch quarantine {shlex.quote(wording.name(each))} --reason breach" for each in files[:_NAMED]
    ]
    more = f", and so on for {len(files) - _NAMED:,} more" if len(files) > _NAMED else ""
    return "; ".join(said) + more


def _attack(found: dict[str, Any]) -> list[dict[str, str]]:
    from scanner.policy.severity import techniques

    ids: list[str] = []
    for each in found["categories"]:
        ids += [name for name in techniques(each["category"], True) if name not in ids]
    return [{"id": name, "name": _TECHNIQUES.get(name, "see attack.mitre.org")} for name in ids]


COMMANDS: tuple[click.Command, ...] = (breach,)
