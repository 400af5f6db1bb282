"""The nouns of sharewatch: frozen, slotted dataclasses that every layer shares.

Standard library only, so that any process may import them at no cost. Nothing in here may hold a raw
personal value: samples are masked before they are stored, people and values are keyed 64-bit hashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from scanner.sketch import EMPTY, Distinct


class Form(StrEnum):
    """How a value appears in a field."""

    CLEAR = "clear"
    MASKED = "masked"
    TRUNCATED = "truncated"
    HASHED = "hashed"
    TOKENIZED = "tokenized"
    ENCRYPTED = "encrypted"


class Stage(StrEnum):
    """Where in the line something was not looked at."""

    LIST = "list"
    OPEN = "open"
    READ = "read"
    DETECT = "detect"


class Reason(StrEnum):
    """Why something was not looked at: a closed set, relied upon by reports and policies."""

    ENCRYPTED = "encrypted"
    CORRUPT = "corrupt"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    TOO_MANY_MEMBERS = "too_many_members"
    RATIO = "ratio"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    PERMISSION = "permission"
    CHANGED_WHILE_READ = "changed_while_read"
    VANISHED = "vanished"
    ENCODING = "encoding"
    CRASHED = "crashed"
    INTERNAL = "internal"
    EXCLUDED = "excluded"


class Status(StrEnum):
    """What became of an item."""

    SCANNED = "scanned"
    PARTIAL = "partial"
    UNSCANNED = "unscanned"
    EMPTY = "empty"


class Kind(StrEnum):
    """What a column is: one sort of value, prose that may hold many, or nothing personal."""

    ENTITY = "entity"
    FREE_TEXT = "free_text"
    NONE = "none"


class Verdict(StrEnum):
    """What a finding says of an exposure."""

    OVER_SHARED = "over_shared"
    NEEDS_REVIEW = "needs_review"
    UNVERIFIABLE = "unverifiable"


class Severity(StrEnum):
    """How bad a finding is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the worst; for sorting."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that was not looked at.

    Attributes:
        stage: the step that could not be done.
        reason: one of the closed set.
        detail: one sentence for a person. Never holds text taken from the scanned bytes.
        where: the place inside the item (``sheet 2``, ``line 17``), or None for the item as a whole.
    """

    stage: Stage
    reason: Reason
    detail: str
    where: str | None = None

    @property
    def intentional(self) -> bool:
        """True where somebody asked for it (an exclusion); such a gap does not make a scan incomplete."""
        return self.reason is Reason.EXCLUDED


@dataclass(frozen=True, slots=True)
class PolicySource:
    """A policy as it was written.

    Attributes:
        text: the policy file's.
        contracts: the texts of the data contracts that it takes in, by the names that it gives them.
    """

    text: str
    contracts: Mapping[str, str] = field(default_factory=dict)


#: Between the names of nested containers' members.
NESTED = "!/"
#: The kind of the signal that says that a digest can be undone: ``reversible:md5 of column email``.
REVERSIBLE = "reversible"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one entity type in one field, as reported.

    Attributes:
        entity_type: Presidio's name of the type.
        category: fideslang key.
        form: how the values appear.
        rows: rows of a column with a match; for a text, mentions.
        mentions: matches in all (a cell may hold several).
        distinct: keyed hashes of the distinct normalised values that matched.
        confidence: calibrated probability in [0, 1] that the field holds this type.
        signals: what counted, as ``kind:detail`` (``header:email``), strongest first.
        samples: masked values, at most a few.
        row_numbers: rows (from 1, header not counted) where it was found, when asked for.
        spans: ``(start, end)`` characters of the part's text, when asked for.
    """

    entity_type: str
    category: str
    form: Form
    rows: int
    mentions: int
    distinct: Distinct
    confidence: float
    signals: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    row_numbers: tuple[int, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def undone(self) -> str | None:
        """How a digest can be turned back (``md5 of column email``), None where nothing says it can."""
        found = (signal for signal in self.signals if signal.startswith(f"{REVERSIBLE}:"))
        return next((signal.removeprefix(f"{REVERSIBLE}:") for signal in found), None)

    @property
    def effective_form(self) -> Form:
        """The form by what its holder can make of it: a digest that can be undone is no better than clear."""
        return self.form if self.undone is None else Form.CLEAR


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a table, with or without evidence.

    ``values`` counts the cells that are neither absent nor blank. ``entities`` has the main meaning first.
    """

    name: str
    index: int
    values: int
    kind: Kind
    entities: tuple[Evidence, ...] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class PeopleKeys:
    """The people of a part, told apart by the strongest identifier it holds.

    Attributes:
        entity_type: the identifier that tells them apart; hashes of the same type can be united across
            items, those of different types cannot.
        keys: keyed hashes of its distinct normalised values.
        rows: rows that hold such an identifier.
    """

    entity_type: str
    keys: Distinct
    rows: int


@dataclass(frozen=True, slots=True)
class PersonKeys:
    """People of a part by one kind of identifier, with what is said of each: a theta sketch with payload.

    Keys are HMAC-SHA256 under the installation's key, cut to 64 bits, so that they can be compared over
    items, vendors and time. Only the keys below ``theta`` carry a payload (all, while it is `FULL`).

    Attributes:
        identifier: what the keys are made of (``email``, ``phone``, ``US_SSN``, ``account:customerid``, …).
        keys: kept keys, ascending, distinct, as little-endian 64-bit words.
        theta: keys at or above it carry no payload; ``1 << 64`` where none was dropped.
        traits: for each key the fields its rows have a value in, as the bits of a 64-bit word; the bits
            stand for the entries of ``fields``.
        fields: ``(column index, entity type)`` of each bit; for running text the index is -1.
        regions: for each key one plus the index in ``places``, 0 where nothing tells; 16-bit words.
        places: ISO 3166 codes, ``US-CA`` for states of the US, else the country's.
        inferred: for each key 1 where the region is a guess from phone number or postal code; bytes.
        owner: None where these keys tell the people of their rows apart; else the stronger identifier
            whose keys do, and ``owners`` says which.
        owners: for each key the key of the person (64-bit words); empty where ``owner`` is None.
        owner_theta: where ``owner`` is given, only rows of people whose keys are below it are kept.
        members: for exact membership where ``keys`` are but some: a keyed hash of every value, ascending, of
            a family of its own (`scanner.detect.personkeys.PersonKeyer.members`); else empty.
    """

    identifier: str
    keys: bytes
    theta: int
    traits: bytes
    fields: tuple[tuple[int, str], ...]
    regions: bytes = b""
    places: tuple[str, ...] = ()
    inferred: bytes = b""
    owner: str | None = None
    owners: bytes = b""
    owner_theta: int = 1 << 64
    members: bytes = b""


@dataclass(frozen=True, slots=True)
class Probe:
    """Some values of a clear column, digested in one way, to know them again where they are hashed.

    Attributes:
        source: the column's name.
        way: the digest: ``md5``, ``sha256``.
        packed: keyed hashes of the digests, as `Distinct` has them.
    """

    source: str
    way: str
    packed: bytes


@dataclass(frozen=True, slots=True)
class Table:
    """A part with named columns. ``rows`` counts records; columns below an array may hold more values.

    ``persons`` is there only where the scan is for a ledger; ``nameless`` then counts the rows with personal
    data that no identifier tells apart. ``probes`` are there while a scan goes on, and taken off at its end.
    """

    name: str
    rows: int
    columns: tuple[Column, ...]
    hidden: bool = False
    people: PeopleKeys | None = None
    persons: tuple[PersonKeys, ...] = ()
    nameless: int = 0
    probes: tuple[Probe, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A part of running text: a body, a comment, a property. ``characters`` is its whole length."""

    name: str
    characters: int
    entities: tuple[Evidence, ...] = ()
    hidden: bool = False
    persons: tuple[PersonKeys, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemRef:
    """One thing to scan, before it is opened.

    Attributes:
        root: absolute path of the scanned root, as given.
        path: path relative to the root, ``/`` between its parts. A name that is not UTF-8 keeps its bytes
            as surrogate escapes here; reports print it with `printable`.
        size: bytes, where known.
        done: how many of its members, from its first, need not be looked into: their outcomes are known.
    """

    root: str
    path: str
    size: int | None = None
    done: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one item: exactly one per item, whatever happened.

    Attributes:
        path: relative to the scanned root.
        member: path inside the container (``!/`` between nested containers), None for the file itself.
        format: what it was read as (``csv``, ``mysqldump``, …); ``unknown`` where nothing could read it.
        containers: compressions it came through, outermost first (``("gzip",)``).
        bytes: size of the file, or of the member when unpacked.
        sha256: hex digest of the file's bytes as stored, or of the unpacked member; None if not read whole.
    """

    path: str
    member: str | None
    format: str
    bytes: int
    sha256: str | None
    status: Status
    gaps: tuple[Gap, ...] = ()
    tables: tuple[Table, ...] = ()
    texts: tuple[Text, ...] = ()
    containers: tuple[str, ...] = ()
    modified: float | None = None

    @property
    def incomplete(self) -> bool:
        """True where anything was missed that nobody asked to miss."""
        return any(not gap.intentional for gap in self.gaps)

    @property
    def vanished(self) -> bool:
        """True where the file was not there any more when it was to be opened."""
        away = (Stage.OPEN, Reason.VANISHED)
        return self.member is None and any((gap.stage, gap.reason) == away for gap in self.gaps)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number of people, with the interval it lies in."""

    low: int
    best: int
    high: int


@dataclass(frozen=True, slots=True)
class Finding:
    """An exposure that the policy does not allow, or could not judge. See the report contract.

    ``accepted`` where somebody took it on for a time, in the ledger that the scan is recorded in.
    """

    id: str
    verdict: Verdict
    severity: Severity
    vendor: str | None
    path: str
    member: str | None
    part: str | None
    column: str | None
    entity_type: str | None
    category: str | None
    form: Form | None
    rows: int
    people: Estimate
    confidence: float
    rule: str
    because: str
    remedy: str
    attack: tuple[str, ...] = ()
    hidden: bool = False
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class CategorySummary:
    """A vendor's worst verdict on one category, with the people behind it. ``allowed`` is a verdict too."""

    verdict: str
    people: int


@dataclass(frozen=True, slots=True)
class VendorSummary:
    """What one vendor holds, over all scanned items. ``name`` is for people, the id for machines."""

    id: str | None
    name: str
    purpose: str | None
    people: Estimate
    items: int
    over_shared_fields: int
    categories: dict[str, CategorySummary] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScanInfo:
    """The frame of a report: which tool, with what, from when until when.

    ``verdict`` is one of ``clean``, ``over_shared``, ``needs_review``, ``incomplete``; times are RFC 3339.
    """

    id: str
    version: str
    rules_digest: str
    policy_digest: str | None
    model: str
    started_at: str
    finished_at: str
    complete: bool
    verdict: str
    roots: tuple[str, ...] = ()
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """All that a scan has to say; what `scanner.reports` renders.

    ``vendors`` maps an outcome's index in ``outcomes`` to its vendor's id (None: under nobody's paths, or no
    policy given). ``policy_name`` is None when the scan ran without a policy.
    """

    info: ScanInfo
    outcomes: tuple[Outcome, ...]
    vendors: tuple[str | None, ...]
    findings: tuple[Finding, ...]
    summary: tuple[VendorSummary, ...]
    policy_name: str | None = None
    explain: bool = False

    @property
    def bytes(self) -> int:
        """Bytes of the scanned files; members of archives are not counted again."""
        return sum(outcome.bytes for outcome in self.outcomes if outcome.member is None)


def printable(name: str) -> str:
    r"""A file name as printable text: bytes that are not UTF-8 and control characters become ``\xNN``."""
    return "".join(_printable_char(char) for char in name)


def _printable_char(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x20 or 0x7F <= code < 0xA0 or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069:
        return f"\\x{code:02x}"
    return char


def status_of(gaps: Iterable[Gap], has_parts: bool) -> Status:
    """The status of an item that gave these gaps, and at least one part or none."""
    missed = any(True for _ in gaps)
    if has_parts:
        return Status.PARTIAL if missed else Status.SCANNED
    return Status.UNSCANNED if missed else Status.EMPTY


def unread(item: ItemRef, gap: Gap) -> Outcome:
    """The outcome of an item of which nothing came."""
    status = status_of((gap,), has_parts=False)
    return Outcome(item.path, None, "unknown", item.size or 0, None, status, (gap,))


__all__ = [
    "EMPTY",
    "CategorySummary",
    "Column",
    "Distinct",
    "Estimate",
    "Evidence",
    "Finding",
    "Form",
    "Gap",
    "ItemRef",
    "Kind",
    "Outcome",
    "PeopleKeys",
    "PersonKeys",
    "Reason",
    "Report",
    "ScanInfo",
    "Severity",
    "Stage",
    "Status",
    "Table",
    "Text",
    "VendorSummary",
    "Verdict",
    "printable",
    "status_of",
    "unread",
]
