"""The words that the reports for people share: labels, numbers, sentences. No layout."""

from __future__ import annotations

from datetime import datetime

from scanner import resources
from scanner.model import Estimate, Form, Reason, Verdict, printable
from scanner.reports.encode import scrub

#: What stands for the id of files that lie under no vendor's paths, wherever a report needs a key.
UNASSIGNED = "(unassigned)"
UNASSIGNED_NAME = "Files under no vendor's paths"

FORMS = {
    Form.CLEAR: "in clear text",
    Form.MASKED: "masked",
    Form.TRUNCATED: "truncated",
    Form.HASHED: "hashed",
    Form.TOKENIZED: "tokenized",
    Form.ENCRYPTED: "encrypted",
}

REASONS = {
    Reason.ENCRYPTED: "encrypted",
    Reason.CORRUPT: "damaged",
    Reason.UNSUPPORTED: "format not supported",
    Reason.TOO_LARGE: "too large",
    Reason.TOO_DEEP: "nested too deeply",
    Reason.TOO_MANY_MEMBERS: "too many members",
    Reason.RATIO: "unpacks to far more than its size",
    Reason.TIMEOUT: "took too long",
    Reason.MEMORY: "needed too much memory",
    Reason.PERMISSION: "no permission",
    Reason.CHANGED_WHILE_READ: "changed while it was read",
    Reason.VANISHED: "vanished during the scan",
    Reason.ENCODING: "unknown text encoding",
    Reason.CRASHED: "the worker process died",
    Reason.INTERNAL: "an error in this program",
    Reason.EXCLUDED: "left out on purpose",
}

VERDICTS = {
    Verdict.OVER_SHARED: "over-shared",
    Verdict.NEEDS_REVIEW: "needs review",
    Verdict.UNVERIFIABLE: "could not be judged",
}

# English like the rest of the report, whatever the locale.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

#: Longest name that a page or a terminal shows whole; longer ones are no names but an attack on the reader.
NAME_LENGTH = 300


def name(text: str) -> str:
    """A path, column or table name, safe to show; the middle of an absurdly long one is left out visibly."""
    shown = printable(scrub(text))
    if len(shown) <= NAME_LENGTH:
        return shown
    kept = NAME_LENGTH // 2
    return f"{shown[:kept]}[… {len(shown) - 2 * kept:,} characters …]{shown[-kept:]}"


def category(key: str | None) -> str:
    """The human name of a category, for several: ``email addresses``; a key without one in its own words."""
    if key is None:
        return ""
    names = resources.category_labels().get(key)
    return names[1] if names else key.rpartition(".")[2].replace("_", " ")


def what(key: str | None, form: Form | None) -> str:
    """Category and form in words: ``email addresses, hashed``."""
    return ", ".join(word for word in (category(key), FORMS[form] if form else "") if word)


def count(number: int, singular: str, plural: str | None = None) -> str:
    """``1 file``, ``1,204 files``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def people(estimate: Estimate, interval: bool = True) -> str:
    """``1,204 people``, or ``about 1,150 people (1,100 to 1,204)`` where the number is not exact."""
    best = count(estimate.best, "person", "people")
    if estimate.low == estimate.high:
        return best
    return f"about {best} ({estimate.low:,} to {estimate.high:,})" if interval else f"about {best}"


def size(number: int) -> str:
    """Bytes in the largest decimal unit that keeps the number above one: ``482.1 kB``."""
    if number < 1000:
        return count(number, "byte")
    value = float(number)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.95 or unit == "TB":
            break
    return f"{value:,.1f} {unit}"


def moment(stamp: str) -> str:
    """An RFC 3339 time to the second, as ``23 November 2026, 08:00:04 +01:00``."""
    then = datetime.fromisoformat(stamp)
    clock = then.isoformat(timespec="seconds")[11:]
    time, zone = clock[:8], clock[8:]
    return f"{then.day} {_MONTHS[then.month - 1]} {then.year}, {time} {zone}".rstrip()


def joined(parts: list[str]) -> str:
    """``a, b and c``."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def sentence(text: str) -> str:
    """A sentence that may quote names, safe to show and ending in a full stop."""
    shown = printable(scrub(text)).strip()
    return shown if not shown or shown.endswith((".", "!", "?")) else f"{shown}."
