"""A first policy from what a scan found, for a person to cut down: ``policy init``."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from scanner.model import Outcome, printable
from scanner.policy.categories import covers, label

# Categories that hardly any vendor needs: never allowed by a draft, only named.
_SENSITIVE = (
    "user.government_id",
    "user.financial",
    "user.payment",
    "user.health_and_medical",
    "user.biometric",
    "user.authorization",
    "user.criminal_history",
    "user.demographic.race_ethnicity",
    "user.demographic.religious_belief",
    "user.demographic.political_opinion",
    "user.demographic.sexual_orientation",
)
_CONFIDENT = 0.8


@dataclass
class _Folder:
    """What lies below one top-level folder: files, and by category files and rows."""

    files: set[str] = field(default_factory=set)
    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    holders: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def draft(outcomes: Sequence[Outcome], organisation: str) -> str:
    """The text of a policy file that loads without errors.

    One vendor for each top-level folder, allowed what was found there; what is sensitive is left out and
    named in comments.
    """
    folders: dict[str, _Folder] = {}
    loose: set[str] = set()
    for outcome in outcomes:
        top, slash, _ = outcome.path.partition("/")
        if slash:
            _add(folders.setdefault(top, _Folder()), outcome)
        else:
            loose.add(outcome.path)
    return "\n".join(_lines(folders, loose, organisation)) + "\n"


def _add(folder: _Folder, outcome: Outcome) -> None:
    folder.files.add(outcome.path)
    parts = [column.entities for table in outcome.tables for column in table.columns]
    for entities in [*parts, *(text.entities for text in outcome.texts)]:
        for entity in entities:
            if entity.category and entity.confidence >= _CONFIDENT:
                folder.rows[entity.category] += entity.rows
                folder.holders[entity.category].add(outcome.path)


def _lines(folders: dict[str, _Folder], loose: set[str], organisation: str) -> Iterator[str]:
    yield "# Drafted from what lies on the share today, not from what was agreed."
    yield "# Read every line, take out what a vendor does not need, then hold scans against it:"
    yield "#   sharewatch policy validate FILE && sharewatch scan SHARE --policy FILE"
    yield "version: 1"
    yield f"organisation: {_quoted(organisation)}"
    yield "defaults:"
    yield "  unlisted: deny       # what a vendor's allow does not cover"
    yield "  unassigned: deny     # files under no vendor's paths"
    yield "  unverifiable: fail   # a file that cannot be read is not a clean file"
    for name in sorted(loose):
        yield f"# under no vendor's folder: {printable(name)}"
    if not folders:
        yield "vendors: []   # no folder was found that could be a vendor's"
        return
    yield "vendors:"
    used: set[str] = set()
    for name in sorted(folders):
        yield from _vendor(name, _identifier(name, used), folders[name])


def _vendor(name: str, vendor_id: str, folder: _Folder) -> Iterator[str]:
    yield f"  - id: {vendor_id}"
    yield f"    name: {_quoted(printable(name))}"
    yield f"    paths: [{_quoted(_escaped(name) + '/**')}]"
    yield "    # purpose: what it needs the data for"
    yield "    # agreement: {ref: DPA-0000-000, expires: 2030-12-31}"
    found = sorted(folder.rows)
    allowed = [category for category in found if not _sensitive(category)]
    if not allowed:
        yield "    allow: []   # nothing personal was found, or only what is listed below"
    else:
        yield "    allow:"
        for category in allowed:
            yield f"      - {category:<40} # {_count(folder, category)}"
    for category in found:
        if _sensitive(category):
            yield f"      # found, and seldom needed: {category} ({_count(folder, category)})"
    yield f"    never: [{', '.join(_never(found))}]"


def _never(found: Iterable[str]) -> list[str]:
    return [key for key in _SENSITIVE[:2] if not any(covers(key, category) for category in found)]


def _sensitive(category: str) -> bool:
    return any(covers(key, category) for key in _SENSITIVE)


def _count(folder: _Folder, category: str) -> str:
    rows, files = folder.rows[category], len(folder.holders[category])
    return f"{rows} {label(category, rows)} in {files} file{'s' if files != 1 else ''}"


def _identifier(name: str, used: set[str]) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", printable(name).lower()).strip("-") or "vendor"
    base = f"vendor-{base}" if base.isdigit() else base
    made, number = base, 2
    while made in used:
        made, number = f"{base}-{number}", number + 1
    used.add(made)
    return made


def _escaped(name: str) -> str:
    """A folder's name as a pattern that matches it alone; bytes that are not text match any character."""
    text = re.sub(r"[\udc80-\udcff]", "?", name)
    return re.sub(r"[*\[]", lambda found: f"[{found[0]}]", text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
