"""The shipped categories are fideslang's and ours, and every entity type has its place among them."""

from __future__ import annotations

import inspect
import warnings

import pytest

from scanner.model import Form, Severity
from scanner.policy.categories import covers, is_identifying, label, taxonomy
from scanner.policy.severity import Circumstances, grade, scale, sensitivity, techniques

#: Ours: fideslang has no key for these.
EXTENSIONS = {
    "user.demographic.nationality",
    "user.unique_id.professional_license",
    "user.unique_id.vehicle_identification_number",
}
#: The scanner's own types beside Presidio's.
OWN = [
    "STREET_ADDRESS",
    "POSTAL_CODE",
    "CITY",
    "REGION",
    "COUNTRY",
    "DATE_OF_BIRTH",
    "AGE",
    "GENDER",
    "ETHNICITY",
    "RELIGION",
    "MARITAL_STATUS",
    "NATIONALITY",
    "LANGUAGE",
    "OCCUPATION",
    "ORGANIZATION",
    "USERNAME",
    "PASSWORD",
    "SECRET",
    "GEO_COORDINATE",
    "VEHICLE_IDENTIFICATION_NUMBER",
    "LICENSE_PLATE",
    "IMEI",
    "DEVICE_ID",
    "BANK_ACCOUNT",
    "HEALTH",
    "IDENTIFIER",
]


def test_categories_are_those_of_fideslang_and_ours() -> None:
    """None is missing, none is made up, and each extension lies below a key of fideslang."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fideslang.default_taxonomy import DEFAULT_TAXONOMY
    theirs = {category.fides_key for category in DEFAULT_TAXONOMY.data_category}
    assert set(taxonomy().labels) == theirs | EXTENSIONS
    assert theirs.isdisjoint(EXTENSIONS)
    assert all(key.rpartition(".")[0] in theirs for key in EXTENSIONS)


def test_every_type_of_presidio_has_a_place() -> None:
    """What a predefined recognizer may find is a category, or said to be nobody's."""
    import presidio_analyzer.predefined_recognizers as predefined
    from presidio_analyzer import PatternRecognizer

    kinds = [kind for _, kind in inspect.getmembers(predefined, inspect.isclass)]
    types = {
        parameter.default
        for kind in kinds
        if issubclass(kind, PatternRecognizer)
        for name, parameter in inspect.signature(kind).parameters.items()
        if name == "supported_entity" and isinstance(parameter.default, str)
    }
    assert len(types) > 60
    assert types <= set(taxonomy().types)


def test_every_own_type_has_a_category() -> None:
    """A type of the scanner's own is always personal data."""
    assert all(taxonomy().types[name] in taxonomy().labels for name in OWN)


def test_the_file_names_known_things_only() -> None:
    """A misspelt category or type in the rules would never match anything."""
    known = taxonomy()
    assert {category for category in known.types.values() if category} <= set(known.labels)
    assert known.context_only <= set(known.types)
    assert set(known.identifying) <= set(known.labels)
    assert set(scale().categories) | set(scale().attack.categories) <= set(known.labels)


@pytest.mark.parametrize(
    ("parent", "child", "expected"),
    [
        ("user.contact", "user.contact.email", True),
        ("user.contact.email", "user.contact.email", True),
        ("user.contact.email", "user.contact", False),
        ("user.contact", "user.contacts", False),
    ],
)
def test_a_parent_covers_its_children(parent: str, child: str, expected: bool) -> None:
    """Whole parts of the key count, and never the other way round."""
    assert covers(parent, child) is expected


def test_labels_follow_the_number() -> None:
    """One address, several addresses; an unknown key is named by its last part."""
    assert [label("user.contact.email", n) for n in (0, 1, 2)] == [
        "email addresses",
        "email address",
        "email addresses",
    ]
    assert label("user.shoe_size") == "shoe size"


def test_who_is_told_by_what() -> None:
    """A passport number says who somebody is; a gender does not."""
    assert is_identifying("user.government_id.passport_number")
    assert not is_identifying("user.demographic.gender")


def _grade(category: str, **changes: object) -> Severity:
    plain = {"form": Form.CLEAR, "people": 1, "identified": False, "hidden": False, "uncertain": False}
    return grade(category, Circumstances(**{**plain, **changes}))  # type: ignore[arg-type] # words of the test


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Severity.MEDIUM),
        ({"people": 9_999}, Severity.MEDIUM),
        ({"people": 10_000}, Severity.HIGH),
        ({"hidden": True}, Severity.HIGH),
        ({"hidden": True, "people": 10_000}, Severity.CRITICAL),
        ({"uncertain": True}, Severity.LOW),
        ({"form": Form.HASHED}, Severity.LOW),
        ({"form": Form.ENCRYPTED, "uncertain": True}, Severity.LOW),
        ({"identified": True}, Severity.MEDIUM),
    ],
)
def test_circumstances_move_the_severity(changes: dict[str, object], expected: Severity) -> None:
    """Of an email address: up for many people and for hiding, down for doubt and for a changed form."""
    assert _grade("user.contact.email", **changes) is expected


def test_a_sensitive_field_beside_a_name_is_worse() -> None:
    """A social security number alone is bad; with the name of its holder it is critical."""
    assert sensitivity("user.government_id.passport_number") is Severity.HIGH
    assert _grade("user.government_id.passport_number") is Severity.HIGH
    assert _grade("user.government_id.passport_number", identified=True) is Severity.CRITICAL


def test_techniques_follow_the_category_and_the_place() -> None:
    """Customer contact data, and what lies open to all of a share."""
    assert techniques("user.contact.email", assigned=True) == ("T1199", "T1213.004")
    assert techniques(None, assigned=False) == ("T1199", "T1039")
