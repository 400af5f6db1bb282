"""The example share is what its generator makes, and everybody in it is made up."""

from __future__ import annotations

import gzip
import importlib.util
import io
import random
import sqlite3
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from scanner import resources

EXAMPLES = resources.path("examples", "share").parent
SHARE = EXAMPLES / "share"
FILES = sorted(path.relative_to(SHARE).as_posix() for path in SHARE.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def generator() -> Iterator[ModuleType]:
    """The generator as a module."""
    spec = importlib.util.spec_from_file_location("example_share_build", EXAMPLES / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def built(generator: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The share, built anew."""
    root = tmp_path_factory.mktemp("share")
    generator.build(root)
    return root


def _content(path: Path) -> Any:
    """What a file holds, whatever version of a library packed it."""
    data = path.read_bytes()
    match path.suffix:
        case ".gz" if path.name.endswith(".tar.gz"):
            with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as bundle:
                return {m.name: file.read() for m in bundle if (file := bundle.extractfile(m)) is not None}
        case ".gz":
            return gzip.decompress(data)
        case ".zip":
            with zipfile.ZipFile(io.BytesIO(data)) as bundle:
                return {
                    entry.filename: entry.CRC if entry.flag_bits & 1 else bundle.read(entry)
                    for entry in bundle.infolist()
                }
        case ".xlsx":
            from openpyxl import load_workbook

            book = load_workbook(io.BytesIO(data))
            return [(sheet.title, sheet.sheet_state, list(sheet.values)) for sheet in book.worksheets]
        case ".parquet":
            import pyarrow.parquet as pq

            return pq.read_table(io.BytesIO(data))
        case ".sqlite":
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as base:
                statements = list(base.iterdump())
            base.close()
            return statements
        case _:
            return data


def test_the_generator_makes_the_same_files(built: Path) -> None:
    """Nothing is in the share that the generator does not make, and the other way round."""
    assert sorted(p.relative_to(built).as_posix() for p in built.rglob("*") if p.is_file()) == FILES


@pytest.mark.parametrize("name", FILES)
def test_the_generator_makes_the_same_content(built: Path, name: str) -> None:
    """Text files are equal byte for byte, binary ones in what they hold."""
    assert _content(built / name) == _content(SHARE / name)


def test_the_share_is_small() -> None:
    """It is part of every installation."""
    assert sum((SHARE / name).stat().st_size for name in FILES) < 500_000


def test_people_are_made_up(generator: ModuleType) -> None:
    """Addresses, numbers and codes lie where no real person's can, and are well formed all the same."""
    import phonenumbers

    from scanner.detect.validators import iban_check, vin_check

    rng = random.Random(1)
    for country in (generator.GERMANY, generator.BRITAIN, generator.FRANCE):
        people = generator.customers(rng, country, 50, 1)
        assert len({person.email for person in people}) == 50
        for person in people:
            assert person.email.split("@")[1] in {"example.com", "example.org", "example.net"}
            assert phonenumbers.is_valid_number(phonenumbers.parse(person.phone, country.code))
            assert vin_check(person.vin)
            assert person.vin.startswith("7EM")
    assert iban_check(generator.iban(rng))


def test_expectations_name_files_that_exist() -> None:
    """What a scan must find is said of files of the share and of vendors of the policy."""
    expected = yaml.safe_load((EXAMPLES / "expected.yaml").read_text(encoding="utf-8"))
    policy = yaml.safe_load((EXAMPLES / "policy.yaml").read_text(encoding="utf-8"))
    vendors = {vendor["id"] for vendor in policy["vendors"]} | {None}
    for section in expected.values():
        for entry in section:
            assert entry["path"] in FILES
            assert entry["vendor"] in vendors
