"""A made-up but believable report for the format tests; every person, firm and value in it is invented."""

from __future__ import annotations

import dataclasses
import hashlib

from scanner import sketch
from scanner.model import (
    EMPTY,
    CategorySummary,
    Column,
    Distinct,
    Estimate,
    Evidence,
    Finding,
    Form,
    Gap,
    Kind,
    Outcome,
    PeopleKeys,
    Reason,
    Report,
    ScanInfo,
    Severity,
    Stage,
    Status,
    Table,
    Text,
    VendorSummary,
    Verdict,
)

#: Names that a hostile sender may choose: markup, a spreadsheet formula, bidirectional and control
#: characters, a link in SARIF's message syntax, a byte that is not UTF-8.
SCRIPT = "<script>alert(1)</script>.csv"
FORMULA = '=HYPERLINK("http://evil.invalid","x")'
BIDI = "invoice\u202efdp.exe"
ESCAPE = "red\x1b[31m\x9b31m\nline"
LINK = "[click](http://evil.invalid) {0}"
NOT_UTF8 = "kunden_m\udcfcller.csv"


def keys(start: int, count: int) -> Distinct:
    """A set of ``count`` pretend hashes; equal ranges give equal sets."""
    import numpy as np

    return sketch.of(np.arange(start, start + count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))


def estimated(count: int) -> Distinct:
    """A set too large to be exact, of about ``count`` values."""
    kept = 1000
    theta = sketch.FULL * kept // count
    step = theta // kept
    return Distinct(b"".join((i * step).to_bytes(8, "little") for i in range(kept)), theta)


def sha(name: str) -> str:
    """A hex digest to stand for a file's."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()


def evidence(entity_type: str, category: str, rows: int, **more: object) -> Evidence:
    """Evidence with believable defaults."""
    fields: dict[str, object] = {
        "form": Form.CLEAR,
        "mentions": rows,
        "confidence": 0.97,
        "signals": (f"header:{entity_type.lower()}",),
        **more,
    }
    if "distinct" not in fields:
        fields["distinct"] = keys(1, rows)
    return Evidence(entity_type=entity_type, category=category, rows=rows, **fields)  # type: ignore[arg-type]


def column(name: str, index: int, values: int, *entities: Evidence, hidden: bool = False) -> Column:
    """A column; its kind follows from its evidence."""
    kind = Kind.ENTITY if entities else Kind.NONE
    return Column(name=name, index=index, values=values, kind=kind, entities=entities, hidden=hidden)


NAME = evidence(
    "PERSON", "user.name", 1204, signals=("header:name", "lexicon:given"), samples=("M••••• S••••",)
)
EMAIL = evidence(
    "EMAIL_ADDRESS",
    "user.contact.email",
    1190,
    confidence=0.994321,
    signals=("header:email", "pattern:Email", "shape:a@a.a"),
    samples=("m•••@e••••••.org", "j•••@e••••••.net"),
    row_numbers=(1, 2, 5),
)
SSN = evidence(
    "US_SSN",
    "user.government_id.national_identification_number",
    980,
    confidence=0.99,
    signals=("header:ssn", "pattern:US_SSN"),
    samples=("•••-••-1234",),
)
PHONE = evidence(
    "PHONE_NUMBER", "user.contact.phone_number", 38, confidence=0.91, samples=("+49 ••• ••••12",)
)
HASHED = evidence("EMAIL_ADDRESS", "user.contact.email", 620, form=Form.HASHED, samples=("9f86d0••••",))
MAYBE = evidence(
    "DATE_OF_BIRTH", "user.demographic.date_of_birth", 410, confidence=0.55, samples=("19••-••-••",)
)


def outcomes() -> tuple[Outcome, ...]:
    """Every kind of outcome: whole, partial, unread, empty, excluded; members; hidden parts; texts."""
    customer = Table(
        "customer",
        1204,
        (
            column("customer_no", 0, 1204),
            column("full_name", 1, 1204, NAME),
            column("email", 2, 1190, EMAIL),
            column("ssn", 3, 980, SSN),
        ),
        people=PeopleKeys("EMAIL_ADDRESS", keys(1, 1190), 1190),
    )
    payroll = Table(
        "Payroll (old)",
        38,
        (
            column("who", 0, 38, evidence("PERSON", "user.name", 38)),
            column("mobile", 1, 38, PHONE, hidden=True),
        ),
        hidden=True,
        people=PeopleKeys("PHONE_NUMBER", keys(50_000, 38), 38),
    )
    visible = Table("Tyres", 210, (column("sku", 0, 210), column("price", 1, 210)))
    letter = Text(
        "body",
        5210,
        (
            evidence(
                "PERSON", "user.name", 4, distinct=keys(1, 3), confidence=0.9, spans=((10, 22), (90, 101))
            ),
            evidence("PHONE_NUMBER", "user.contact.phone_number", 1, samples=("0151 •••••12",)),
        ),
    )
    newsletter = Table(
        "subscribers",
        620,
        (column("email_sha256", 0, 620, HASHED), column("born", 1, 410, MAYBE)),
        people=PeopleKeys("EMAIL_ADDRESS", keys(100, 620), 620),
    )
    hostile = Table(
        FORMULA,
        3,
        (
            column(ESCAPE, 0, 3, evidence("EMAIL_ADDRESS", "user.contact.email", 3, samples=("@•••",))),
            column(LINK, 1, 3, evidence("PHONE_NUMBER", "user.contact.phone_number", 3, samples=("+•••",))),
            column("\ud800lone", 2, 3),
        ),
    )
    big = Table(
        "events",
        4_000_000,
        (
            column(
                "user_email",
                0,
                4_000_000,
                evidence("EMAIL_ADDRESS", "user.contact.email", 4_000_000, distinct=estimated(310_000)),
            ),
        ),
        people=PeopleKeys("EMAIL_ADDRESS", estimated(310_000), 4_000_000),
    )
    return (
        Outcome(
            "northwind/customers_2026-11.sql.gz",
            None,
            "mysqldump",
            482_113,
            sha("a"),
            Status.SCANNED,
            tables=(customer,),
            containers=("gzip",),
            modified=1_790_000_000.0,
        ),
        Outcome(
            "northwind/archive.zip",
            None,
            "zip",
            90_210,
            sha("b"),
            Status.PARTIAL,
            gaps=(
                Gap(
                    Stage.OPEN,
                    Reason.ENCRYPTED,
                    "The member is encrypted and no password is known.",
                    "old/hr.xlsx",
                ),
            ),
        ),
        Outcome(
            "northwind/archive.zip",
            "tyres/prices.xlsx",
            "xlsx",
            51_000,
            sha("c"),
            Status.SCANNED,
            tables=(visible, payroll),
        ),
        Outcome(
            "brightmail/subscribers.csv", None, "csv", 71_002, sha("d"), Status.SCANNED, tables=(newsletter,)
        ),
        Outcome("brightmail/readme.txt", None, "text", 0, sha("e"), Status.EMPTY),
        Outcome(
            "paperworks/letters/2026-10-03.txt",
            None,
            "text",
            5_300,
            sha("f"),
            Status.SCANNED,
            texts=(letter,),
        ),
        Outcome(
            "paperworks/scan.tif",
            None,
            "unknown",
            1_048_576,
            None,
            Status.UNSCANNED,
            gaps=(Gap(Stage.READ, Reason.UNSUPPORTED, "No reader knows this format."),),
        ),
        Outcome(
            "paperworks/.git",
            None,
            "unknown",
            0,
            None,
            Status.UNSCANNED,
            gaps=(Gap(Stage.LIST, Reason.EXCLUDED, "Excluded by the settings."),),
        ),
        Outcome(SCRIPT, None, "csv", 120, sha("g"), Status.SCANNED, tables=(hostile,)),
        Outcome(BIDI, None, "csv", 9, sha("h"), Status.SCANNED, tables=(big,)),
        Outcome(
            NOT_UTF8,
            None,
            "csv",
            44,
            sha("i"),
            Status.PARTIAL,
            tables=(Table("", 1, ()),),
            gaps=(Gap(Stage.READ, Reason.ENCODING, "Line 2 is not valid in any encoding tried.", "line 2"),),
        ),
    )


VENDORS = (
    "northwind",
    "northwind",
    "northwind",
    "brightmail",
    "brightmail",
    "paperworks",
    "paperworks",
    "paperworks",
    None,
    None,
    None,
)


def finding(number: int, **fields: object) -> Finding:
    """A finding with believable defaults."""
    base: dict[str, object] = {
        "id": f"{number:032x}",
        "verdict": Verdict.OVER_SHARED,
        "severity": Severity.HIGH,
        "vendor": "northwind",
        "path": "northwind/customers_2026-11.sql.gz",
        "member": None,
        "part": "customer",
        "column": "email",
        "entity_type": "EMAIL_ADDRESS",
        "category": "user.contact.email",
        "form": Form.CLEAR,
        "rows": 1190,
        "people": Estimate(1190, 1190, 1190),
        "confidence": 0.994321,
        "rule": "vendors.northwind.allow",
        "because": "Northwind Support may have email addresses hashed or masked only; these are in clear.",
        "remedy": "Hash the column email before the delivery, or allow the clear form in the policy.",
        "attack": ("T1199", "T1213.004"),
        **fields,
    }
    return Finding(**base)  # type: ignore[arg-type]


def findings() -> tuple[Finding, ...]:
    """Every verdict and severity, in no order."""
    return (
        finding(1),
        finding(
            2,
            severity=Severity.CRITICAL,
            column="ssn",
            entity_type="US_SSN",
            category="user.government_id.national_identification_number",
            rows=980,
            people=Estimate(980, 980, 980),
            confidence=0.99,
            rule="vendors.northwind.never",
            because="National identification numbers are never shared with Northwind Support.",
            remedy="Remove the column ssn from the export and replace the delivered file.",
        ),
        finding(
            3,
            severity=Severity.MEDIUM,
            path="northwind/archive.zip",
            member="tyres/prices.xlsx",
            part="Payroll (old)",
            column="mobile",
            entity_type="PHONE_NUMBER",
            category="user.contact.phone_number",
            rows=38,
            people=Estimate(38, 38, 38),
            confidence=0.91,
            because="Northwind Support's list of allowed categories does not cover phone numbers.",
            remedy="Delete the hidden sheet Payroll (old) before the delivery.",
            hidden=True,
        ),
        finding(
            4,
            verdict=Verdict.UNVERIFIABLE,
            severity=Severity.MEDIUM,
            path="northwind/archive.zip",
            part=None,
            column=None,
            entity_type=None,
            category=None,
            form=None,
            rows=0,
            people=Estimate(0, 0, 0),
            confidence=1.0,
            rule="defaults.unverifiable",
            because="A part of the file could not be read: it is encrypted.",
            remedy="Ask the sender for the password, or have the member left out.",
            attack=(),
        ),
        finding(
            5,
            verdict=Verdict.NEEDS_REVIEW,
            severity=Severity.LOW,
            vendor="brightmail",
            path="brightmail/subscribers.csv",
            part="subscribers",
            column="born",
            entity_type="DATE_OF_BIRTH",
            category="user.demographic.date_of_birth",
            rows=410,
            people=Estimate(380, 402, 410),
            confidence=0.55,
            rule="vendors.brightmail.allow",
            because="The column may hold dates of birth (0.55), which Brightmail may not have.",
            remedy="Look at a few rows of born; remove the column if they are dates of birth.",
            attack=(),
        ),
        finding(
            6,
            verdict=Verdict.UNVERIFIABLE,
            severity=Severity.LOW,
            vendor="paperworks",
            path="paperworks/scan.tif",
            part=None,
            column=None,
            entity_type=None,
            category=None,
            form=None,
            rows=0,
            people=Estimate(0, 0, 0),
            confidence=1.0,
            rule="defaults.unverifiable",
            because="The file could not be read: its format is not supported.",
            remedy="Look at the file by hand, or have it delivered in a format that can be read.",
            attack=(),
        ),
        finding(
            7,
            vendor=None,
            path=SCRIPT,
            part=FORMULA,
            column=ESCAPE,
            rows=3,
            people=Estimate(3, 3, 3),
            confidence=0.97,
            rule="defaults.unassigned",
            because=f"The file lies under no vendor's paths, and holds email addresses in {LINK}.",
            remedy="Move it into the folder of the vendor it is meant for, or delete it.",
        ),
        finding(
            8,
            vendor=None,
            severity=Severity.CRITICAL,
            path=BIDI,
            part="events",
            column="user_email",
            rows=4_000_000,
            people=Estimate(290_000, 310_000, 330_000),
            confidence=0.97,
            rule="defaults.unassigned",
            because="The file lies under no vendor's paths.",
            remedy="Move it into the folder of the vendor it is meant for, or delete it.",
        ),
        finding(
            9,
            vendor="northwind",
            severity=Severity.MEDIUM,
            part=None,
            column=None,
            entity_type=None,
            category=None,
            form=None,
            rows=1204,
            people=Estimate(1204, 1204, 1204),
            confidence=1.0,
            rule="vendors.northwind.limits.people",
            because="Northwind Support holds data of 1,204 people; the policy's limit is 1,000.",
            remedy="Deliver fewer customers at a time, or agree on a higher limit.",
            attack=("T1199",),
        ),
    )


def summary() -> tuple[VendorSummary, ...]:
    """What the policy says of each vendor, the files of nobody last."""
    return (
        VendorSummary(
            "brightmail",
            "Brightmail Ltd",
            "newsletters",
            Estimate(600, 620, 640),
            2,
            0,
            {
                "user.contact.email": CategorySummary("allowed", 620),
                "user.demographic.date_of_birth": CategorySummary("needs_review", 402),
            },
        ),
        VendorSummary(
            "northwind",
            "Northwind Support GmbH",
            "customer-service callbacks",
            Estimate(1204, 1204, 1242),
            3,
            3,
            {
                "user.name": CategorySummary("allowed", 1204),
                "user.contact.email": CategorySummary("over_shared", 1190),
                "user.contact.phone_number": CategorySummary("over_shared", 38),
                "user.government_id.national_identification_number": CategorySummary("over_shared", 980),
            },
        ),
        VendorSummary(
            "paperworks",
            "Paperworks & Söhne <KG>",
            None,
            Estimate(3, 3, 4),
            3,
            0,
            {
                "user.name": CategorySummary("allowed", 3),
                "user.contact.phone_number": CategorySummary("allowed", 1),
            },
        ),
        VendorSummary(
            None,
            "",
            None,
            Estimate(290_000, 310_003, 330_003),
            3,
            2,
            {"user.contact.email": CategorySummary("over_shared", 310_003)},
        ),
    )


INFO = ScanInfo(
    id="0f0e0d0c-1111-4222-8333-444455556666",
    version="0.1.0",
    rules_digest="sha256:" + "ab" * 32,
    policy_digest="sha256:" + "cd" * 32,
    model="en_core_web_sm 3.8.0",
    started_at="2026-11-23T08:00:00+01:00",
    finished_at="2026-11-23T08:00:04.250+01:00",
    complete=False,
    verdict="over_shared",
    roots=("/srv/share",),
)


def report(**changes: object) -> Report:
    """The full report: three vendors, every verdict, gaps, members, hidden parts, hostile names."""
    full = Report(INFO, outcomes(), VENDORS, findings(), summary(), policy_name="policy.yaml")
    return dataclasses.replace(full, **changes)  # type: ignore[arg-type]


def without_policy(**changes: object) -> Report:
    """The same share, scanned without a policy."""
    info = dataclasses.replace(INFO, policy_digest=None, verdict="incomplete")
    everyone = (VendorSummary(None, "", None, Estimate(310_000, 311_231, 331_867), 11, 0, {}),)
    bare = Report(info, outcomes(), (None,) * len(VENDORS), (), everyone)
    return dataclasses.replace(bare, **changes)  # type: ignore[arg-type]


def clean() -> Report:
    """One vendor, one file, all of it allowed."""
    info = dataclasses.replace(INFO, verdict="clean", complete=True)
    only = VendorSummary(
        "brightmail",
        "Brightmail Ltd",
        "newsletters",
        Estimate(620, 620, 620),
        1,
        0,
        {"user.contact.email": CategorySummary("allowed", 620)},
    )
    return Report(info, (outcomes()[3],), ("brightmail",), (), (only,), policy_name="policy.yaml")


def nothing() -> Report:
    """A scan that found no file at all."""
    info = dataclasses.replace(INFO, verdict="clean", complete=True, roots=())
    return Report(info, (), (), (), (), policy_name="policy.yaml")


__all__ = [
    "EMPTY",
    "clean",
    "evidence",
    "finding",
    "findings",
    "nothing",
    "outcomes",
    "report",
    "without_policy",
]
