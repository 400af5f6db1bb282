"""What the formats share: the registry, the words, the counting of people, the order of things."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from scanner import resources
from scanner.model import CategorySummary, Estimate, Form, Reason, Report, Verdict
from scanner.reports import people, registry, view, wording
from tests.reports import factory

HOLD = "3 vendors hold personal data of about 1,204 people"


def test_formats_of_the_command_line() -> None:
    """The formats are those that ``--format`` promises, text first."""
    assert registry.names() == ("text", "json", "jsonl", "sarif", "ocsf", "csv", "html")
    assert all(callable(registry.get(name).render) for name in registry.names())


def test_unknown_format() -> None:
    """Another name is refused."""
    with pytest.raises(KeyError):
        registry.get("pdf")


def test_formats_are_documented() -> None:
    """Each format has its section in the documentation."""
    text = resources.path("docs", "reports.md").read_text(encoding="utf-8")
    assert [name for name in registry.names() if f"## {name}" not in text] == []


def test_registry_is_light() -> None:
    """Listing the formats imports no renderer and nothing heavy."""
    code = (
        "import sys; from scanner.reports import registry; registry.names();"
        "print([m for m in sys.modules if m.split('.')[0] in"
        " {'rich', 'numpy', 'orjson', 'yaml', 'pyarrow'} or m.startswith('scanner.reports.') and"
        " m != 'scanner.reports.registry'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_form_and_reason_has_words() -> None:
    """No member of a closed set is without words."""
    assert set(wording.FORMS) == set(Form)
    assert set(wording.REASONS) == set(Reason)
    assert set(wording.VERDICTS) == set(Verdict)


def test_category_labels() -> None:
    """A category has the name that the rules give it, an unknown one its own last word."""
    assert wording.category("user.contact.email") == "email addresses"
    assert wording.category("user.own.shoe_size") == "shoe size"
    assert wording.category(None) == ""
    assert wording.what("user.contact.email", Form.HASHED) == "email addresses, hashed"
    assert wording.what(None, None) == ""


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_960, "1.0 MB"),
        (5 * 10**15, "5,000.0 TB"),
    ],
)
def test_size(number: int, words: str) -> None:
    """Bytes are told in the unit that fits."""
    assert wording.size(number) == words


def test_people_words() -> None:
    """An exact number stands alone, an estimate with its interval."""
    assert wording.people(Estimate(1, 1, 1)) == "1 person"
    assert wording.people(Estimate(1204, 1204, 1204)) == "1,204 people"
    assert wording.people(Estimate(5, 7, 9)) == "about 7 people (5 to 9)"
    assert wording.people(Estimate(5, 7, 9), interval=False) == "about 7 people"


def test_moment() -> None:
    """A time is told to the second with its offset, in English whatever the locale."""
    assert wording.moment("2026-03-01T08:00:04.250+01:00") == "1 March 2026, 08:00:04 +01:00"
    assert wording.moment("2026-12-24T18:30:00Z") == "24 December 2026, 18:30:00 +00:00"


def test_absurd_names_are_shortened_visibly() -> None:
    """A name of a million characters does not bury the report, and does not pass for a short one."""
    shown = wording.name("a" * 1_000_000)
    assert len(shown) < 400
    assert "999,700 characters" in shown
    assert wording.name("a" * 300) == "a" * 300


def test_joined() -> None:
    """A list reads as a sentence part."""
    assert [wording.joined(list(parts)) for parts in ("", "a", "ab", "abc")] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def _report(*starts: tuple[str | None, int, int]) -> Report:
    """A report of one table for each ``(vendor, first person, people)``."""
    outcome = factory.outcomes()[3]
    made = []
    for vendor, start, count in starts:
        table = dataclasses.replace(
            outcome.tables[0], people=factory.PeopleKeys("EMAIL_ADDRESS", factory.keys(start, count), count)
        )
        made.append((vendor, dataclasses.replace(outcome, path=f"{vendor}/{start}", tables=(table,))))
    summaries = tuple(
        factory.VendorSummary(vendor, vendor or "", None, Estimate(count, count, count), 1, 0)
        for vendor, _, count in starts
    )
    return factory.report(
        outcomes=tuple(o for _, o in made), vendors=tuple(v for v, _ in made), summary=summaries, findings=()
    )


def test_people_of_several_vendors_are_counted_once() -> None:
    """People that two vendors both hold are the same people, known by the same identifier."""
    assert people.everyone(_report(("a", 1, 100), ("b", 51, 100))) == Estimate(150, 150, 150)
    assert people.everyone(_report(("a", 1, 100), ("b", 1, 100))) == Estimate(100, 100, 100)


def test_people_of_nobody_count_without_a_policy_only() -> None:
    """Under a policy the headline is about vendors; without one it is about all there is."""
    both = _report(("a", 1, 100), (None, 1001, 100))
    assert people.everyone(both) == Estimate(100, 100, 100)
    assert people.everyone(dataclasses.replace(both, policy_name=None)) == Estimate(200, 200, 200)


def test_people_of_different_identifiers_may_be_the_same() -> None:
    """Two identifier types bound the number: at least the larger, at most the sum."""
    report = _report(("a", 1, 100), ("b", 1, 40))
    table = dataclasses.replace(
        report.outcomes[1].tables[0], people=factory.PeopleKeys("PHONE_NUMBER", factory.keys(1, 40), 40)
    )
    mixed = (report.outcomes[0], dataclasses.replace(report.outcomes[1], tables=(table,)))
    assert people.everyone(dataclasses.replace(report, outcomes=mixed)) == Estimate(100, 100, 140)


def test_people_of_running_text_count() -> None:
    """People that only the vendor's summary knows of widen the interval."""
    report = _report(("a", 1, 100))
    summary = (dataclasses.replace(report.summary[0], people=Estimate(100, 104, 110)),)
    assert people.everyone(dataclasses.replace(report, summary=summary)) == Estimate(100, 104, 110)


def test_nobody() -> None:
    """An empty report is about nobody."""
    assert people.everyone(factory.nothing()) == Estimate(0, 0, 0)


@pytest.mark.parametrize(
    ("report", "headline"),
    [
        (factory.nothing(), "There was nothing to scan."),
        (factory.clean(), "1 vendor holds personal data of 620 people, all of it allowed by the policy."),
        (
            factory.report(findings=factory.findings()[6:8]),
            f"{HOLD}; the policy is broken by files that lie under no vendor's paths.",
        ),
        (
            factory.report(findings=factory.findings()[4:5]),
            f"{HOLD}; nothing is over-shared, but 1 field needs a review.",
        ),
        (
            factory.report(findings=()),
            f"{HOLD}; nothing is over-shared in what could be read.",
        ),
        (
            dataclasses.replace(
                factory.clean(),
                outcomes=(factory.outcomes()[4],),
                summary=(factory.VendorSummary("b", "B", None, Estimate(0, 0, 0), 1, 0),),
            ),
            "No vendor holds personal data in the 1 file scanned.",
        ),
        (
            factory.without_policy(outcomes=(factory.outcomes()[4],), vendors=(None,)),
            "No personal data was found in 1 file.",
        ),
    ],
)
def test_headline(report: Report, headline: str) -> None:
    """The first sentence is true of each kind of result."""
    assert view.headline(report) == headline


def test_finding_of_an_unknown_vendor_is_kept() -> None:
    """A finding whose vendor has no summary still shows."""
    lost = factory.report(summary=(), findings=(factory.finding(1, vendor="ghost"),))
    (only,) = view.vendors(lost)
    assert (only.title, only.state, len(only.findings)) == ("ghost", "over_shared", 1)


def test_allowed_categories_are_named() -> None:
    """What a vendor may have and has is told by its human name."""
    summary = factory.VendorSummary(
        "a", "A", None, Estimate(1, 1, 1), 1, 0,
        {"user.name": CategorySummary("allowed", 1), "user.contact.email": CategorySummary("over_shared", 1)},
    )  # fmt: skip
    (only,) = view.vendors(factory.report(summary=(summary,), findings=()))
    assert only.allowed == ["names"]


@pytest.mark.parametrize(
    ("place", "part", "column", "name"),
    [
        (("a/customers.csv", None), "customers", "email", "email"),
        (("a/dump.sql.gz", None), "customers", "email", "customers.email"),
        (("a.zip", "in/customers.csv"), "customers", "email", "email"),
        (("a.txt", None), "body", None, "body"),
        (("a.txt", None), "a", None, "a"),
        (("a.csv", None), "", "x", "x"),
        (("a.csv", None), None, None, "the whole file"),
    ],
)
def test_field_name(place: view.Place, part: str | None, column: str | None, name: str) -> None:
    """A field is named as shortly as it is clear."""
    assert view.field_name(place, part, column) == name
