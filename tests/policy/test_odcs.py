"""Data contracts as a source of what a vendor may have."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scanner.model import Form
from scanner.policy.evaluate import evaluate
from scanner.policy.explain import explain
from scanner.policy.loading import PolicyError, load
from scanner.policy.model import Loaded
from tests.policy.build import outcome

DAY = date(2026, 11, 23)
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: 53581432-6c55-4ba2-a65f-72344a91553a
version: 1.0.0
status: active
schema:
  - name: callbacks
    logicalType: object
    properties:
      - name: full_name
        logicalType: string
        customProperties: [{property: category, value: user.name}]
      - name: email_hash
        customProperties:
          - {property: dataCategory, value: user.contact.email}
          - {property: form, value: [hashed, tokenized]}
      - name: phone
        classification: confidential
        tags: [callcentre, "category:user.contact.phone_number"]
      - name: home
        logicalType: object
        properties: [{name: city, classification: user.contact.address.city}]
      - name: plates
        logicalType: array
        items: {logicalType: object, properties: [{name: plate, tags: [user.unique_id]}]}
      - {name: total, logicalType: number, classification: internal}
"""
POLICY = """\
version: 1
vendors:
  - id: acme
    paths: ["acme/**"]
    allow: [user.account.username]
    contracts: [{odcs: contracts/calls.yaml, paths: ["acme/calls/**"]}]
"""


def loaded(tmp_path: Path, contract: str = CONTRACT, policy: str = POLICY) -> Loaded:
    """The policy with its contract beside it."""
    (tmp_path / "contracts").mkdir(exist_ok=True)
    (tmp_path / "contracts" / "calls.yaml").write_text(contract)
    (tmp_path / "policy.yaml").write_text(policy)
    return load(tmp_path / "policy.yaml", DAY)


def over_shared(policy: Loaded, path: str, **columns: object) -> set[tuple[str | None, str]]:
    """The columns of a file that are over-shared, each with its rule."""
    item = outcome({"path": path, "tables": [{"columns": columns}]})
    judged = evaluate(policy.policy, [item], paths=[path], today=DAY)
    return {(finding.column, finding.rule) for finding in judged.findings}


def test_categories_of_properties_are_allowed(tmp_path: Path) -> None:
    """By custom property, tag or classification, at any depth; what says none allows nothing."""
    made = loaded(tmp_path)
    assert made.warnings == ()
    assert made.contracts == (str(tmp_path / "contracts" / "calls.yaml"),)
    (feed,) = made.policy.vendors[0].feeds
    assert {entry.category: entry.forms for entry in feed.allow} == {
        "user.name": None,
        "user.contact.email": frozenset({Form.HASHED, Form.TOKENIZED}),
        "user.contact.phone_number": None,
        "user.contact.address.city": None,
        "user.unique_id": None,
    }


def test_a_contract_holds_for_its_feed_alone(tmp_path: Path) -> None:
    """Beside what the vendor may have anyway; forms hold as elsewhere."""
    made = loaded(tmp_path)
    columns = {"name": "PERSON", "email": "EMAIL_ADDRESS", "login": "USERNAME"}
    assert over_shared(made, "acme/calls/a.csv", **columns) == {("email", "vendors.acme.contracts[0]")}
    assert over_shared(made, "acme/b.csv", **columns) == {
        ("name", "vendors.acme.allow"),
        ("email", "vendors.acme.allow"),
    }
    hashed = {"type": "EMAIL_ADDRESS", "form": "hashed"}
    assert over_shared(made, "acme/calls/a.csv", email=hashed) == set()
    assert "by contract" in explain(made.policy, "acme/calls/a.csv").text
    assert "by contract" not in explain(made.policy, "acme/b.csv").text


def test_a_contract_without_paths_holds_for_all(tmp_path: Path) -> None:
    """And a vendor may have contracts alone."""
    policy = POLICY.replace(', paths: ["acme/calls/**"]', "").replace(
        "    allow: [user.account.username]\n", ""
    )
    made = loaded(tmp_path, policy=policy)
    assert made.warnings == ()
    assert over_shared(made, "acme/b.csv", name="PERSON", login="USERNAME") == {
        ("login", "vendors.acme.allow")
    }


def test_never_beats_a_contract(tmp_path: Path) -> None:
    """A contract with one party does not lift what the organisation forbids."""
    policy = POLICY.replace("    allow:", "    never: [user.name]\n    allow:")
    made = loaded(tmp_path, policy=policy)
    assert over_shared(made, "acme/calls/a.csv", name="PERSON") == {("name", "vendors.acme.never")}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("kind: DataContract", "kind: Table", "calls.yaml:2:7: 'kind' must be DataContract"),
        ("v3.1.0", "v2.2.0", "calls.yaml:1:13: 'apiVersion' must be v3"),
        (
            "value: user.name",
            "value: user.nmae",
            "calls.yaml:12:56: unknown category 'user.nmae'; did you mean",
        ),
        ("category:user.contact.phone_number", "user.phone", "unknown category 'user.phone'"),
        ("[hashed, tokenized]", "[hashd]", "unknown form 'hashd'"),
        ("schema:", "schema: [", "is not valid YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    """In the contract's own lines."""
    with pytest.raises(PolicyError) as error:
        loaded(tmp_path, CONTRACT.replace(old, new))
    assert told in str(error.value)


def test_a_contract_that_is_not_there(tmp_path: Path) -> None:
    """An allowance that cannot be read allows nothing in silence otherwise."""
    with pytest.raises(PolicyError, match=r"gone\.yaml:1:1: cannot be read"):
        loaded(tmp_path, policy=POLICY.replace("calls.yaml", "gone.yaml"))


@pytest.mark.parametrize(
    ("contract", "told"),
    [
        (CONTRACT.replace("active", "retired"), "the contract is retired"),
        (CONTRACT[: CONTRACT.index("schema:")], "it allows nothing"),
    ],
)
def test_what_is_amiss_is_warned_of(tmp_path: Path, contract: str, told: str) -> None:
    """Neither is wrong."""
    (warning,) = loaded(tmp_path, contract).warnings
    assert told in warning
