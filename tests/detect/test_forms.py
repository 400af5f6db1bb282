"""Forms: masked, cut, hashed, tokenized and encrypted values are told, and what only looks so is not."""

from __future__ import annotations

import base64
import hashlib
import random
import uuid

import pytest

from scanner.config import Settings
from scanner.detect.forms import form_of, is_cut
from scanner.detect.judge import judge
from scanner.detect.nothing import digest
from scanner.detect.sample import Sample
from scanner.model import Form

GENERATOR = random.Random(5)
WORDS = [f"person{number}@example.org" for number in range(40)]
UUIDS = [str(uuid.UUID(int=GENERATOR.getrandbits(128), version=4)) for _ in range(40)]
NOISE = [base64.b64encode(GENERATOR.randbytes(size)).decode() for size in (32, 48, 64) for _ in range(12)]


def digests(name: str) -> list[str]:
    return [hashlib.new(name, word.encode(), usedforsecurity=False).hexdigest() for word in WORDS]


@pytest.mark.parametrize("name", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
def test_digests_in_hex_and_base64(name: str) -> None:
    """Every usual length, in small and capital letters, whatever the heading."""
    found = digests(name)
    assert form_of(found) is Form.HASHED
    assert form_of([value.upper() for value in found]) is Form.HASHED
    if name in {"md5", "sha1", "sha256", "sha512"}:
        assert form_of([base64.b64encode(bytes.fromhex(value)).decode() for value in found]) is Form.HASHED


@pytest.mark.parametrize(
    ("form", "values"),
    [
        (
            Form.HASHED,
            [f"$2b$12$abcdefghijklmnopqrstu{number:04d}vwxyzABCDEFGHIJKLMNOPQRS" for number in range(9)],
        ),
        (Form.HASHED, [f"$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ${number:08d}" for number in range(9)]),
        (Form.MASKED, ["j***@x.org", "a*****@y.example"]),
        (Form.MASKED, ["•••• 1234", "•••• 9876"]),
        (Form.MASKED, ["XXX-XX-1234", "XXX-XX-9876"]),
        (Form.MASKED, ["xxxxxxxx1234", "xxxxxxxx4321"]),
        (Form.MASKED, ["[REDACTED]", "redacted"]),
        (Form.TOKENIZED, ["tok_1aB9cD3e", "tok_9zY8xW7v"]),
        (Form.ENCRYPTED, ["-----BEGIN PGP MESSAGE-----"]),
        (Form.ENCRYPTED, ["vault:v1:abcdEFGH", "vault:v1:ijklMNOP"]),
        (Form.ENCRYPTED, ["eyJhbGciOiJSU0EifQ.OKOawDo13gRp.48V1_ALb6US0.5eym8TW_c8SuK0.XFBoMYUZodet"]),
        (Form.CLEAR, ["mary", "john"]),
        (Form.CLEAR, []),
        (Form.CLEAR, ["#ff00aa", "#0a0b0c"]),
        (Form.CLEAR, ["0" * 31 + "1", "0" * 31 + "2"]),
        (Form.CLEAR, UUIDS),
        (Form.CLEAR, NOISE),
        (Form.CLEAR, ["a short note…", "another one…"]),
        (Form.CLEAR, ["9f86d08", "2c26b46", "fcde2b2"]),
    ],
)
def test_forms_by_the_values_alone(form: Form, values: list[str]) -> None:
    """What is sure without a heading, and what is not: keys, colours, padded numbers, runs of base64."""
    assert form_of(values) is form


def test_forms_where_something_personal_is_expected() -> None:
    """A UUID in place of an address is a token, base64 a cipher, a cut name truncated; not for a key."""
    assert form_of(UUIDS, {"EMAIL_ADDRESS"}) is Form.TOKENIZED
    assert form_of(UUIDS, {"IDENTIFIER"}) is Form.CLEAR
    assert form_of(NOISE, {"PHONE_NUMBER"}) is Form.ENCRYPTED
    assert form_of(["Smi…", "Mül...", "Gar…"], {"PERSON"}) is Form.TRUNCATED


def test_a_role_is_a_key_and_an_address_is_replaced() -> None:
    """``patient`` holds the key of one; ``email`` names what the UUID stands for."""
    settings = Settings(model="none")
    assert not any(each.form is Form.TOKENIZED for each in judge("patient", "conditions", UUIDS, settings))
    best = judge("email", "customers", UUIDS, settings)[0]
    assert (best.entity_type, best.form) == ("EMAIL_ADDRESS", Form.TOKENIZED)


YEARS = [str(year) for year in (1948, 1961, 1975, 1983, 1990, 2001)]
AREAS = ["101", "946", "303", "606", "021", "100"]


@pytest.mark.parametrize(
    ("entity_type", "values"),
    [
        ("DATE_OF_BIRTH", YEARS),
        ("DATE_OF_BIRTH", [f"{year}.0" for year in YEARS]),
        ("DATE_OF_BIRTH", [f"{year}-07" for year in YEARS]),
        ("POSTAL_CODE", AREAS),
        ("POSTAL_CODE", ["10", "94", "30", "60"]),
        ("POSTAL_CODE", ["SW1A", "M1", "EC2", "K1A"]),
    ],
)
def test_generalised_values_are_truncated(entity_type: str, values: list[str]) -> None:
    """The year of a birth and the beginning of a postal code say less than the whole."""
    assert is_cut(values, entity_type)
    assert not is_cut(values, "PERSON")
    assert not is_cut([], entity_type)


@pytest.mark.parametrize(
    ("entity_type", "values"),
    [
        ("DATE_OF_BIRTH", [f"{year}-07-04" for year in YEARS]),
        ("DATE_OF_BIRTH", ["4711", "815", "1234", "3000"]),
        ("POSTAL_CODE", ["10115", "94103", "30301"]),
        ("POSTAL_CODE", ["1010", "3050", "8001"]),
        ("POSTAL_CODE", ["SW1A 1AA", "M1 1AE", "K1A 0B1"]),
        ("POSTAL_CODE", ["501", "10115", "94103"]),
    ],
)
def test_whole_values_are_clear(entity_type: str, values: list[str]) -> None:
    """Four digits are whole postal codes of many countries; short ones among longer lost their zeros."""
    assert not is_cut(values, entity_type)


def test_the_verdict_tells_generalised_columns() -> None:
    """``birth_year`` and ``zip3`` beside whole ones, by their values and not by their headings."""
    settings = Settings(model="none")
    for name, values in (("date_of_birth", YEARS), ("zip", AREAS)):
        best = judge(name, "patients", values, settings)[0]
        assert best.form is Form.TRUNCATED
    whole = [f"{year}-07-{day:02}" for day, year in enumerate(YEARS, 1)]
    assert judge("date_of_birth", "patients", whole, settings)[0].form is Form.CLEAR


def test_pictures_are_no_ciphers() -> None:
    """Base64 of a file begins as files do; text in base64 is not random."""
    pictures = [f"iVBORw0KGgo{value[:40]}" for value in NOISE]
    assert form_of(pictures, {"PERSON"}) is Form.CLEAR
    written = [
        base64.b64encode(f"aaaa aaaa aaaa aaaa {number % 3}".encode()).decode() for number in range(20)
    ]
    assert form_of(written, {"PERSON"}) is Form.CLEAR


def test_the_feature_of_digests_knows_keys_as_well() -> None:
    """Commit ids, UUIDs and digests are one kind of nothing."""
    assert digest(Sample(["9f86d08", "2c26b46b68ffc68ff99b453c1d30413413422d70", UUIDS[0]])) == 1.0
    assert digest(Sample(["1234567", "facade", "mary"])) == 0.0
