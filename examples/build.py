"""Build the example share: what a car maker has put on the file server it shares with three vendors.

    python examples/build.py [FOLDER]     (default: the folder `share` beside this file)

Everybody in it is made up. Addresses and names are combined at random; e-mail addresses end in domains
reserved for examples (RFC 2606); telephone numbers come from the ranges that Ofcom (United Kingdom),
Bundesnetzagentur (Germany) and Arcep (France) keep free for fiction; the bank codes of the IBANs and the
maker's code of the vehicle numbers are assigned to nobody, their check digits are right.

The result depends on nothing but this file: text files are the same byte for byte each time, binary ones
have the same content.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import hmac
import io
import json
import random
import sqlite3
import string
import struct
import sys
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEED = 20_261_123
#: What the made-up car maker keeps to itself: without it nobody can try addresses out on the digests.
KEY = b"a key that stays in the house"
#: Dates of archive members and workbooks: the day the deliveries were made.
DELIVERED = dt.datetime(2026, 11, 20, 6, 0, 0, tzinfo=dt.UTC)

MODELS = ("EM1", "EM3", "EM3 Touring", "EM5", "EM5 Cargo")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("," if "," in text else " "))


@dataclass(frozen=True)
class Country:
    """Where customers live: what names, streets, places and telephone numbers look like there."""

    code: str
    first: tuple[str, ...]
    last: tuple[str, ...]
    streets: tuple[str, ...]
    places: tuple[tuple[str, str], ...]
    street: Callable[[str, int], str]
    phone: Callable[[random.Random], str]
    dialling_code: str


@dataclass(frozen=True)
class Customer:
    """One made-up person and the car they drive."""

    number: str
    country: str
    first: str
    last: str
    email: str
    phone: str
    phone_abroad: str
    street: str
    postcode: str
    city: str
    born: dt.date
    vin: str
    model: str

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"

    @property
    def email_hash(self) -> str:
        """Keyed SHA-256 (HMAC) of the e-mail address, the form agreed with the call centre."""
        return hmac.new(KEY, self.email.encode(), "sha256").hexdigest()


def _german_phone(rng: random.Random) -> str:
    area, block, digits = rng.choice(
        [
            ("030", "23125", 3),
            ("040", "66969", 3),
            ("069", "90009", 3),
            ("089", "99998", 3),
            ("0171", "39200", 2),
        ]
    )
    return f"{area} {block}{rng.randrange(10**digits):0{digits}d}"


def _british_phone(rng: random.Random) -> str:
    area = rng.choice(["020 7946", "0113 496", "0121 496", "0131 496", "0151 496", "0161 496"])
    return f"{area} 0{rng.randrange(1000):03d}"


def _french_phone(rng: random.Random) -> str:
    area = rng.choice(["01 99 00", "02 61 91", "03 53 01", "04 65 71", "05 36 49"])
    return f"{area} {rng.randrange(100):02d} {rng.randrange(100):02d}"


GERMANY = Country(
    "DE",
    _words(
        "Anna Lena Katharina Sabine Ursula Monika Petra Heike Julia Marie Lukas Jonas Felix Stefan Thomas "
        "Andreas Michael Jürgen Wolfgang Matthias Florian Björn Sebastian Tobias"
),
    _words(
        "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer "
        "Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hartmann Lange Krause Lehmann "
        "Köhler Maier Großmann Vogel"
),
    _words(
        "Lindenweg,Gartenstraße,Bahnhofstraße,Am Mühlbach,Kirchgasse,Birkenallee,Schillerstraße,Rosenweg,"
        "Hauptstraße,Ringstraße,Ahornweg,Goethestraße,Bergstraße,Wiesenweg"
),
    (
        ("10967", "Berlin"), ("20253", "Hamburg"), ("80636", "München"), ("50823", "Köln"),
        ("60318", "Frankfurt am Main"), ("70193", "Stuttgart"), ("04229", "Leipzig"), ("28203", "Bremen"),
    ),
    lambda street, number: f"{street} {number}",
    _german_phone,
    "+49",
)  # fmt: skip
BRITAIN = Country(
    "GB",
    _words(
        "Olivia Amelia Charlotte Emily Sophie Margaret Helen Susan Rachel Laura James Oliver George Harry "
        "William Thomas Daniel Matthew Andrew Peter Simon Stephen Edward Joseph"
),
    _words(
        "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White "
        "Roberts Green Hall Wood Jackson Clarke Patel Harrison Whitcombe Holloway Marsden Fairclough "
        "Pemberton Ashworth Ellison Hargreaves"
),
    _words(
        "Larkspur Lane,Station Road,Church Street,Mill Lane,Victoria Road,The Crescent,Orchard Close,"
        "Meadow Drive,Park Avenue,Highfield Road,Bridge Street,Chapel Hill,Kings Road,Elm Grove"
),
    (
        ("LS6 2QT", "Leeds"), ("B15 3HE", "Birmingham"), ("EH9 1QS", "Edinburgh"), ("M14 5RB", "Manchester"),
        ("L17 8XD", "Liverpool"), ("BS8 4UD", "Bristol"), ("YO31 7EA", "York"), ("NR2 3LS", "Norwich"),
    ),
    lambda street, number: f"{number} {street}",
    _british_phone,
    "+44",
)  # fmt: skip
FRANCE = Country(
    "FR",
    _words(
        "Camille Manon Chloé Élodie Nathalie Isabelle Sylvie Céline Aurélie Claire Louis Hugo Théo Nicolas "
        "Julien Pierre Philippe François Benoît Mathieu"
),
    _words(
        "Martin Bernard Dubois Durand Moreau Laurent Simon Michel Lefebvre Leroy Roux David Bertrand Morel "
        "Fournier Girard Bonnet Dupont Lambert Fontaine Rousseau Mercier Chevalier Gauthier"
),
    _words(
        "rue du Moulin,avenue des Tilleuls,rue de la Gare,chemin des Vignes,rue Victor Hugo,place du Marché,"
        "boulevard Pasteur,allée des Acacias,rue des Écoles,impasse du Lavoir"
),
    (
        ("69003", "Lyon"), ("31400", "Toulouse"), ("44000", "Nantes"), ("67000", "Strasbourg"),
        ("35000", "Rennes"), ("21000", "Dijon"),
    ),
    lambda street, number: f"{number} {street}",
    _french_phone,
    "+33",
)  # fmt: skip


def vehicle_number(rng: random.Random) -> str:
    """A vehicle identification number with its check digit (49 CFR 565.15); maker code 7EM."""
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ"
    values = dict(
        zip(letters, (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)
    )
    values.update({digit: int(digit) for digit in string.digits})
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    start = "7EM" + "".join(rng.choice(letters) for _ in range(2)) + f"{rng.randrange(1000):03d}"
    end = rng.choice("LMNPRST") + rng.choice("ABC") + f"{rng.randrange(10**6):06d}"
    body = f"{start}0{end}"
    check = sum(values[char] * weight for char, weight in zip(body, weights, strict=True)) % 11
    return f"{start}{'X' if check == 10 else check}{end}"


def iban(rng: random.Random) -> str:
    """A German IBAN with its check digits (ISO 13616) and a bank code that no bank has."""
    account = f"99{rng.randrange(10**6):06d}{rng.randrange(10**10):010d}"
    check = 98 - int(f"{account}131400") % 97
    return f"DE{check:02d}{account}"


def _ascii(text: str) -> str:
    german = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
    plain = unicodedata.normalize("NFKD", text.lower().translate(german))
    return plain.encode("ascii", "ignore").decode()


def customers(rng: random.Random, country: Country, count: int, first_number: int) -> list[Customer]:
    """``count`` people with distinct names, e-mail addresses and telephone numbers."""
    found: dict[str, Customer] = {}
    phones: set[str] = set()
    while len(found) < count:
        first, last = rng.choice(country.first), rng.choice(country.last)
        email = f"{_ascii(first)}.{_ascii(last)}@{rng.choice(['example.com', 'example.org', 'example.net'])}"
        phone = country.phone(rng)
        postcode, city = rng.choice(country.places)
        person = Customer(
            number=f"K{first_number + len(found)}",
            country=country.code,
            first=first,
            last=last,
            email=email,
            phone=phone,
            phone_abroad=f"{country.dialling_code} {phone[1:]}",
            street=country.street(rng.choice(country.streets), rng.randrange(1, 140)),
            postcode=postcode,
            city=city,
            born=dt.date(1948, 1, 1) + dt.timedelta(days=rng.randrange(20_000)),
            vin=vehicle_number(rng),
            model=rng.choice(MODELS),
        )
        if email not in found and phone not in phones:
            found[email] = person
            phones.add(phone)
    return list(found.values())


def delimited(
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    delimiter: str = ",",
    encoding: str = "utf-8",
    newline: str = "\n",
) -> bytes:
    """A delimited text file."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=newline)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


# --- Ringline, the call centre: names and telephone numbers; e-mail addresses only as hashes ---------------

SLOTS = ("vormittags", "mittags", "nachmittags", "abends")
RESULTS = ("reached", "busy", "none")
REASONS = ("Rückruf Inspektion", "Frage zur Rechnung", "Probefahrt", "Garantie", "Ersatzwagen")


def callbacks_october(people: list[Customer], rng: random.Random) -> bytes:
    """As agreed: number, name, telephone, hash of the e-mail address."""
    return delimited(
        ["Kundennummer", "Vorname", "Nachname", "Telefon", "Email_SHA256", "Zeitfenster", "Grund"],
        [
            (p.number, p.first, p.last, p.phone, p.email_hash, rng.choice(SLOTS), rng.choice(REASONS))
            for p in people[:140]
        ],
        ";",
        "cp1252",
        "\r\n",
    )


def callbacks_november(people: list[Customer], rng: random.Random) -> bytes:
    """A month later somebody chose the columns by hand: clear e-mail addresses, and dates of birth."""
    return delimited(
        ["Kundennummer", "Vorname", "Nachname", "Geburtsdatum", "Telefon", "E-Mail", "Zeitfenster", "Grund"],
        [
            (p.number, p.first, p.last, p.born.strftime("%d.%m.%Y"), p.phone, p.email, rng.choice(SLOTS),
             rng.choice(REASONS))
            for p in people[60:220]
        ],
        ";",
        "cp1252",
        "\r\n",
    )  # fmt: skip


def _sql(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def _mysql_table(name: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    values = ",".join("(" + ",".join(map(_sql, row)) + ")" for row in rows)
    definition = ",\n".join([f"  {column}" for column in columns])
    return (
        f"--\n-- Table structure for table `{name}`\n--\n\nDROP TABLE IF EXISTS `{name}`;\n"
        f"CREATE TABLE `{name}` (\n{definition}\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n\n"
        f"LOCK TABLES `{name}` WRITE;\nINSERT INTO `{name}` VALUES {values};\nUNLOCK TABLES;\n\n"
    )


def crm_dump(people: list[Customer], rng: random.Random) -> bytes:
    """A dump of the whole schema instead of one table: `payment_mandate` came along."""
    start = dt.datetime(2026, 11, 16, 8, 0, tzinfo=dt.UTC)
    queue = [
        (
            i,
            p.number,
            p.name,
            p.phone,
            f"{start + dt.timedelta(minutes=7 * i):%Y-%m-%d %H:%M:%S}",
            rng.randrange(1, 4),
        )
        for i, p in enumerate(people[:180], 1)
    ]
    mandates = [
        (i, p.number, p.name, iban(rng), f"{dt.date(2024, 1, 1) + dt.timedelta(days=rng.randrange(900))}")
        for i, p in enumerate(people[:120], 1)
    ]
    dump = (
        "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n-- Host: localhost    Database: crm\n"
        "-- ------------------------------------------------------\n-- Server version\t8.0.36\n\n"
        "/*!40101 SET NAMES utf8mb4 */;\n/*!40014 SET FOREIGN_KEY_CHECKS=0 */;\n\n"
        + _mysql_table(
            "callback_queue",
            [
                "`queue_id` int NOT NULL AUTO_INCREMENT",
                "`customer_no` varchar(12) NOT NULL",
                "`contact_name` varchar(80) NOT NULL",
                "`phone` varchar(24) DEFAULT NULL",
                "`due_at` datetime NOT NULL",
                "`priority` tinyint NOT NULL",
                "PRIMARY KEY (`queue_id`)",
            ],
            queue,
        )
        + _mysql_table(
            "payment_mandate",
            [
                "`mandate_id` int NOT NULL AUTO_INCREMENT",
                "`customer_no` varchar(12) NOT NULL",
                "`account_holder` varchar(80) NOT NULL",
                "`iban` char(22) NOT NULL",
                "`signed_on` date NOT NULL",
                "PRIMARY KEY (`mandate_id`)",
            ],
            mandates,
        )
        + "/*!40014 SET FOREIGN_KEY_CHECKS=1 */;\n\n-- Dump completed on 2026-11-20  6:00:00\n"
    )
    return gzip.compress(dump.encode(), mtime=0)


def open_cases(people: list[Customer], rng: random.Random) -> bytes:
    """Nested JSON lines, as agreed."""
    summaries = (
        "brake noise at low speed", "navigation update failed twice", "waiting for a spare key",
        "charging stops after ten minutes", "wiper motor replaced under warranty",
    )  # fmt: skip
    lines = [
        json.dumps(
            {
                "case": f"C-{26_000 + i}",
                "opened": f"{dt.date(2026, 11, 1) + dt.timedelta(days=rng.randrange(19))}",
                "customer": {
                    "number": p.number,
                    "name": p.name,
                    "phones": [{"kind": "private", "number": p.phone}],
                    "email_sha256": p.email_hash,
                },
                "vehicle": {"model": p.model},
                "summary": rng.choice(summaries),
            },
            ensure_ascii=False,
        )
        for i, p in enumerate(people[40:130])
    ]
    return ("\n".join(lines) + "\n").encode()


def call_log(people: list[Customer], rng: random.Random) -> bytes:
    """The telephone system's log: whom the centre called, as agreed."""
    moment = dt.datetime(2026, 11, 19, 8, 0, tzinfo=dt.UTC)
    lines = []
    for person in people[:160]:
        moment += dt.timedelta(seconds=rng.randrange(20, 240))
        lines.append(
            f"{moment:%Y-%m-%d %H:%M:%S} INFO dialer queue=warranty seat={rng.randrange(1, 30):02d} "
            f'called="{person.phone}" talk={rng.randrange(0, 600)}s result={rng.choice(RESULTS)}'
        )
    return ("\n".join(lines) + "\n").encode()


# --- Clearvoice, the survey agency: first names and e-mail addresses ----------------------------------------


def respondents_csv(people: list[Customer], rng: random.Random) -> bytes:
    """As agreed."""
    return delimited(
        ["respondent", "first_name", "email", "model", "bought"],
        [
            (f"R{7000 + i}", p.first, p.email, p.model, f"2026-{rng.randrange(1, 9):02d}")
            for i, p in enumerate(people[:150])
        ],
    )


def respondents_workbook(people: list[Customer], rng: random.Random) -> bytes:
    """The sheet that was agreed, and behind it, hidden, the export it was made from."""
    from openpyxl import Workbook

    book = Workbook()
    book.properties.creator = "export"
    book.properties.created = book.properties.modified = DELIVERED.replace(tzinfo=None)
    sheet = book.active
    assert sheet is not None
    sheet.title = "Wave 8"
    sheet.append(["respondent", "first_name", "email", "model", "bought"])
    for i, person in enumerate(people[100:220]):
        sheet.append(
            [f"R{8000 + i}", person.first, person.email, person.model, f"2026-{rng.randrange(5, 11):02d}"]
        )
    hidden = book.create_sheet("crm_export")
    hidden.append(["Customer name", "E-mail", "Telephone", "Street", "Postcode", "City", "Date of birth"])
    for p in people[:260]:
        hidden.append([p.name, p.email, p.phone, p.street, p.postcode, p.city, p.born])
    hidden.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def answers(people: list[Customer], rng: random.Random) -> bytes:
    """Answers in numbers: nobody's data by themselves."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    count = len(people[100:220])
    table = pa.table(
        {
            "respondent": [f"R{8000 + i}" for i in range(count)],
            **{
                f"q{n}": pa.array([rng.randrange(1, 6) for _ in range(count)], pa.int8()) for n in range(1, 7)
            },
            "minutes": [round(rng.uniform(2, 14), 1) for _ in range(count)],
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out, compression="snappy")
    return out.getvalue()


REMARKS = (
    "the car is quiet and the seats are comfortable",
    "delivery took three weeks longer than promised",
    "charging at home works well, on the road less so",
    "the display is hard to read in the sun",
    "very happy with the service at the workshop",
    "the boot is smaller than expected",
    "I would buy it again",
    "nothing to add",
    "the app logs me out every few days",
    "good value for the money",
)
ASIDES = (
    "please call me back on {phone}, nobody answers at the workshop",
    "still waiting for the spare key, you can reach me at {phone} after six",
    "my number is {phone} if you need details",
)


def open_comments(people: list[Customer], rng: random.Random) -> bytes:
    """What people wrote into the last box; some left their telephone number there."""
    rows = []
    for i, person in enumerate(people[:160]):
        remark = rng.choice(REMARKS)
        if i % 9 == 4:
            remark = rng.choice(ASIDES).format(phone=person.phone)
        rows.append((f"R{8000 + i}", rng.randrange(1, 11), remark))
    return delimited(["respondent", "score", "comment"], rows, "\t")


def letter(people: list[Customer]) -> bytes:
    """The sample for the print shop was a real letter."""
    p = people[7]
    return (
        f"{p.name}\n{p.street}\n{p.city}\n{p.postcode}\n\n20 November 2026\n\nDear {p.name},\n\n"
        "thank you for choosing an Example Motors car. Three months ago you took delivery of your "
        f"{p.model}, and we\nwould like to hear how you are getting on with it.\n\n"
        "The questions take five minutes. If you would rather answer them by telephone, we will call you on\n"
        f"{p.phone}, the number you gave us when you ordered.\n\n"
        "Yours sincerely,\nthe customer care team\n"
    ).encode()


# --- Partway, parts and logistics: names, postal addresses, telephone numbers -------------------------------

PARTS = (
    "brake pad set",
    "wiper blade",
    "cabin filter",
    "roof rack",
    "charging cable",
    "tow bar",
    "floor mat",
)


def deliveries(people: Sequence[Customer], rng: random.Random, first_order: int) -> bytes:
    """As agreed: where the parcel goes, and whom to ring."""
    return delimited(
        ["order", "recipient", "street", "postcode", "city", "country", "phone", "part", "quantity"],
        [
            (f"EM-{first_order + i}", p.name, p.street, p.postcode, p.city, p.country, p.phone_abroad,
             rng.choice(PARTS), rng.randrange(1, 5))
            for i, p in enumerate(people)
        ],
    )  # fmt: skip


def returns_dump(people: list[Customer], rng: random.Random) -> bytes:
    """A pg_dump of the table that was agreed; its e-mail addresses are covered by an exception."""
    rows = "\n".join(
        "\t".join(
            [str(i), p.name, p.street, p.postcode, p.city, p.email, rng.choice(PARTS), rng.choice("tf")]
        )
        for i, p in enumerate(people[:90], 1)
    )
    return (
        "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 16.4\n\n"
        "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n\n"
        "CREATE TABLE public.returns (\n    return_id integer NOT NULL,\n    recipient text NOT NULL,\n"
        "    street text,\n    postcode text,\n    city text,\n    email text,\n    part text,\n"
        "    refunded boolean\n);\n\n\n"
        "COPY public.returns (return_id, recipient, street, postcode, city, email, part, refunded) "
        f"FROM stdin;\n{rows}\n\\.\n\n\nALTER TABLE ONLY public.returns\n"
        "    ADD CONSTRAINT returns_pkey PRIMARY KEY (return_id);\n\n\n"
        "--\n-- PostgreSQL database dump complete\n--\n\n"
    ).encode()


def catalogue(path: Path, rng: random.Random) -> None:
    """A SQLite file of parts: nobody's data."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as base:
        base.execute(
            "CREATE TABLE part (part_no TEXT PRIMARY KEY, description TEXT, grams INTEGER, cents INTEGER)"
        )
        base.executemany(
            "INSERT INTO part VALUES (?, ?, ?, ?)",
            [
                (f"{rng.choice('ABC')}{i:04d}-{rng.randrange(100):02d}", f"{rng.choice(PARTS)}, {model}",
                 rng.randrange(80, 9000), rng.randrange(500, 40_000))
                for i, model in enumerate(MODELS * 24)
            ],
        )  # fmt: skip
    base.close()


def _zip_entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, DELIVERED.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def recall(people: list[Customer]) -> bytes:
    """For the letters of a recall: owners and addresses as agreed, but the vehicle numbers came along."""
    owners = delimited(
        ["vin", "owner", "street", "postcode", "city"],
        [(p.vin, p.name, p.street, p.postcode, p.city) for p in people[:110]],
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as bundle:
        bundle.writestr(_zip_entry("README.txt"), "One letter for each line of owners.csv.\n")
        bundle.writestr(_zip_entry("owners.csv"), owners)
    return out.getvalue()


def last_year(people: list[Customer], rng: random.Random) -> bytes:
    """Two old delivery lists in a tape archive, as agreed."""
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as bundle,
    ):
        for name, chosen in (("2025/q3.csv", people[30:90]), ("2025/q4.csv", people[90:150])):
            content = deliveries(chosen, rng, 61_000)
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), int(DELIVERED.timestamp())
            bundle.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def sealed(rng: random.Random) -> bytes:
    """A zip with a password (traditional PKWARE encryption, APPNOTE 6.1): nobody can say what is in it."""
    content = delimited(["drawing", "revision"], [(f"D{n}", rng.randrange(1, 9)) for n in range(400)])
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush()
    checksum = zlib.crc32(content)
    encrypted = _pkware(rng.randbytes(11) + bytes([checksum >> 24]) + packed, b"only for the press shop")
    name, day, time = b"drawings.csv", (2026 - 1980) << 9 | 11 << 5 | 20, 6 << 11
    shared = struct.pack("<5H3L2H", 20, 1, 8, time, day, checksum, len(encrypted), len(content), len(name), 0)
    local = b"PK\x03\x04" + shared + name + encrypted
    directory = b"PK\x01\x02\x14\x03" + shared + struct.pack("<3H2L", 0, 0, 0, 0o644 << 16, 0) + name
    end = b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 1, 1, len(directory), len(local), 0)
    return local + directory + end


def _pkware(data: bytes, password: bytes) -> bytes:
    keys = [0x12345678, 0x23456789, 0x34567890]

    def crc(value: int, byte: int) -> int:
        return zlib.crc32(bytes([byte]), value ^ 0xFFFFFFFF) ^ 0xFFFFFFFF

    def update(byte: int) -> None:
        keys[0] = crc(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134_775_813 + 1) & 0xFFFFFFFF
        keys[2] = crc(keys[2], keys[1] >> 24)

    for byte in password:
        update(byte)
    out = bytearray()
    for byte in data:
        key = (keys[2] & 0xFFFF) | 2
        out.append(byte ^ (((key * (key ^ 1)) >> 8) & 0xFF))
        update(byte)
    return bytes(out)


# --- nobody's folder ----------------------------------------------------------------------------------------


def forgotten(people: list[Customer]) -> bytes:
    """Put down "for a moment" where no vendor's folder is."""
    return delimited(
        ["Vorname", "Nachname", "E-Mail", "Telefon", "Modell"],
        [(p.first, p.last, p.email, p.phone, p.model) for p in people[150:230]],
        ";",
    )


def build(root: Path) -> None:
    """Write the whole share below ``root``."""
    rng = random.Random(SEED)
    german = customers(rng, GERMANY, 240, 400_100)
    british = customers(rng, BRITAIN, 280, 500_100)
    french = customers(rng, FRANCE, 120, 600_100)
    mixed = [person for group in zip(german, british, french, strict=False) for person in group]
    rng.shuffle(mixed)
    files: dict[str, Any] = {
        "ringline/2026-10/callbacks.csv": callbacks_october(german, rng),
        "ringline/2026-11/callbacks.csv": callbacks_november(german, rng),
        "ringline/2026-11/crm.sql.gz": crm_dump(german, rng),
        "ringline/2026-11/open_cases.jsonl": open_cases(german, rng),
        "ringline/2026-11/dialer.log": call_log(german, rng),
        "clearvoice/wave-07/respondents.csv": respondents_csv(british, rng),
        "clearvoice/wave-08/respondents.xlsx": respondents_workbook(british, rng),
        "clearvoice/wave-08/answers.parquet": answers(british, rng),
        "clearvoice/wave-08/comments.tsv": open_comments(british, rng),
        "clearvoice/wave-08/letter.txt": letter(british),
        "partway/deliveries/2026-11-18.csv": deliveries(mixed[:130], rng, 73_400),
        "partway/deliveries/2025.tar.gz": last_year(mixed, rng),
        "partway/returns.sql": returns_dump(mixed, rng),
        "partway/recall/2026-03.zip": recall(german),
        "partway/tender/drawings.zip": sealed(rng),
        "upload/kunden_neu.csv": forgotten(german),
    }
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    catalogue(root / "partway" / "catalogue.sqlite", rng)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent / "share")
