"""Generate the customer table that the speed bench reads: any number of made-up people, the same each time.

Fourteen columns, no free text; e-mail addresses, telephone numbers, streets and vehicle numbers are (nearly)
all distinct, names repeat as they do in life.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

SEED = 20_261_123
BLOCK = 50_000
#: Rows of one INSERT: about 1 MB, as mysqldump's default net_buffer_length makes them.
INSERT_ROWS = 5_000
TEXT_COLUMNS = (
    "first_name", "last_name", "email", "phone", "street", "postcode", "city", "country", "birth_date",
    "vin", "order_no",
)  # fmt: skip
COLUMNS = ("customer_id", *TEXT_COLUMNS, "amount", "created_at")
_LETTERS = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
_VALUES = (*range(10), 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9)
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_DDL = """-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
/*!40101 SET NAMES utf8mb4 */;

DROP TABLE IF EXISTS `customer`;
CREATE TABLE `customer` (
  `customer_id` int NOT NULL AUTO_INCREMENT,
{columns},
  `amount` decimal(10,2) DEFAULT NULL,
  `created_at` datetime DEFAULT NULL,
  PRIMARY KEY (`customer_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

LOCK TABLES `customer` WRITE;
"""


def _vocabulary() -> dict[str, Any]:
    words: dict[str, list[str]] = {"first": [], "last": [], "city": []}
    for locale in ("en_US", "en_GB", "de_DE", "fr_FR"):
        person = importlib.import_module(f"faker.providers.person.{locale}").Provider
        words["first"] += sorted(set(person.first_names))
        words["last"] += sorted(set(person.last_names))
    for locale, name in (("de_DE", "cities"), ("fr_FR", "regions"), ("es_ES", "states")):
        provider = importlib.import_module(f"faker.providers.address.{locale}").Provider
        words["city"] += sorted(set(getattr(provider, name, ())))
    return {
        key: pa.array(sorted({v for v in value if not set(v) & set(',"')})) for key, value in words.items()
    }


def _digits(rng: np.random.Generator, count: int, width: int) -> Any:
    return pc.utf8_lpad(pa.array(rng.integers(0, 10**width, count)).cast(pa.string()), width, "0")


def _pick(rng: np.random.Generator, values: Any, count: int, skew: float = 1.0) -> Any:
    """``count`` of the values; with ``skew`` above 1 the first ones come more often."""
    return values.take(pa.array((rng.random(count) ** skew * len(values)).astype(np.int64)))


def _vins(rng: np.random.Generator, count: int) -> Any:
    codes = rng.integers(0, len(_LETTERS), (count, 17))
    codes[:, :3] = [7, _LETTERS.index("E"), _LETTERS.index("M")]
    codes[:, 12:] = rng.integers(0, 10, (count, 5))
    check = (np.array(_VALUES)[codes] * np.array(_WEIGHTS)).sum(axis=1) % 11
    letters = np.frombuffer(_LETTERS.encode(), dtype="u1")[codes]
    letters[:, 8] = np.where(check == 10, ord("X"), check + ord("0"))
    return pa.array(np.ascontiguousarray(letters).view("S17").ravel().astype("U17"))


def _phones(rng: np.random.Generator, count: int) -> Any:
    start = pa.array(["+49 30 2", "+49 89 4", "+44 20 79", "+44 161 49", "+33 1 42"])
    rest = _digits(rng, count, 7)
    chosen = rng.integers(0, len(start), count)
    lengths = np.array([7, 7, 6, 5, 6])[chosen]
    tails = [pc.utf8_slice_codeunits(rest, 0, n) for n in (5, 6, 7)]
    tail = pc.choose(pa.array(lengths - 5), *tails)
    return pc.binary_join_element_wise(start.take(pa.array(chosen)), tail, "")


def _join(*parts: Any) -> Any:
    return pc.binary_join_element_wise(*parts, "")


def _dates(rng: np.random.Generator, count: int, first: str, days: int, form: str) -> Any:
    moments = np.datetime64(first, "s") + rng.integers(0, days * 86_400, count).astype("timedelta64[s]")
    return pc.strftime(pa.array(moments), form)


def _block(number: int, rows: int, words: dict[str, Any]) -> Any:
    rng = np.random.default_rng([SEED, number])
    ids = np.arange(number * BLOCK + 1, number * BLOCK + rows + 1)
    first, last = _pick(rng, words["first"], rows, 2.0), _pick(rng, words["last"], rows, 1.6)
    plain = [pc.replace_substring_regex(pc.utf8_lower(part), "[^a-z]", "") for part in (first, last)]
    unique = pa.array(ids).cast(pa.string())
    hosts = pa.array(["example.com", "example.org", "example.net", "mail.example"])
    ways = pa.array([" Street", " Road", " Avenue", " Lane", " Drive", " Close"])
    countries = pa.array(["Germany", "United Kingdom", "France", "Austria"])
    columns = [
        pa.array(ids),
        first,
        last,
        _join(plain[0], pa.scalar("."), plain[1], unique, pa.scalar("@"), _pick(rng, hosts, rows)),
        _phones(rng, rows),
        _join(
            pa.array(rng.integers(1, 400, rows)).cast(pa.string()),
            pa.scalar(" "),
            _pick(rng, words["last"], rows),
            _pick(rng, ways, rows),
        ),
        _digits(rng, rows, 5),
        _pick(rng, words["city"], rows, 2.0),
        _pick(rng, countries, rows, 1.5),
        _dates(rng, rows, "1945-01-01", 21_000, "%Y-%m-%d"),
        _vins(rng, rows),
        _join(pa.scalar("SO-"), _digits(rng, rows, 8)),
        pc.divide(pa.array(rng.integers(100, 900_000, rows)).cast(pa.float64()), 100.0),
        _dates(rng, rows, "2023-01-01", 1_300, "%Y-%m-%d %H:%M:%S"),
    ]
    return pa.table(columns, names=list(COLUMNS))


def blocks(rows: int) -> Iterator[Any]:
    """The table, some rows at a time."""
    words = _vocabulary()
    for number, start in enumerate(range(0, rows, BLOCK)):
        yield _block(number, min(BLOCK, rows - start), words)


def write_csv(path: Path, rows: int) -> None:
    """As a comma-separated file with a header; no value needs quotes."""
    options = csv.WriteOptions(quoting_style="none")
    with path.open("wb") as file:
        writer = None
        for block in blocks(rows):
            writer = writer or csv.CSVWriter(file, block.schema, write_options=options)
            writer.write_table(block)
        if writer is not None:
            writer.close()


def write_mysqldump(path: Path, rows: int) -> None:
    """As mysqldump writes it: extended inserts of about 1 MB."""
    definition = ",\n".join(f"  `{name}` varchar(120) DEFAULT NULL" for name in TEXT_COLUMNS)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(_DDL.format(columns=definition))
        for block in blocks(rows):
            for start in range(0, block.num_rows, INSERT_ROWS):
                file.write("INSERT INTO `customer` VALUES ")
                file.write(",".join(_tuples(block.slice(start, INSERT_ROWS))))
                file.write(";\n")
        file.write("UNLOCK TABLES;\n-- Dump completed on 2026-11-20  6:00:00\n")


def _tuples(part: Any) -> list[str]:
    quote = pa.scalar("'")
    values = []
    for name in COLUMNS:
        column = part.column(name).combine_chunks()
        if name in ("customer_id", "amount"):
            values.append(column.cast(pa.string()))
        else:
            escaped = pc.replace_substring(pc.replace_substring(column, "\\", "\\\\"), "'", "\\'")
            values.append(_join(quote, escaped, quote))
    joined = pc.binary_join_element_wise(*values, ",")
    return [f"({row})" for row in joined.to_pylist()]


def ensure(folder: Path, rows: int, kind: str) -> Path:
    """The file of ``rows`` rows as ``csv`` or ``sql``, made where it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"customers-{rows}.{kind}"
    if not path.exists():
        unfinished = path.with_suffix(path.suffix + ".part")
        (write_csv if kind == "csv" else write_mysqldump)(unfinished, rows)
        unfinished.rename(path)
    return path
