"""What a data contract allows in some folders is allowed in the ledger's answers too, and nowhere else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.truth import START
from scanner.policy.evaluate import evaluate
from scanner.policy.loading import load
from tests.ledger.conftest import Shop

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: 53581432-6c55-4ba2-a65f-72344a91553a
version: 1.0.0
status: active
schema:
  - name: callbacks
    properties:
      - {name: phone, classification: user.contact.phone_number}
"""
POLICY = """\
version: 1
vendors:
  - id: acme
    paths: ["acme/**"]
    allow: [user.name]
    contracts: [{odcs: calls.yaml, paths: ["acme/calls/**"]}]
"""
ROWS = "full_name,phone\n" + "".join(f"Anna Weber,+49 30 901820{n:02}\n" for n in range(40))


@pytest.fixture
def policy_file(tmp_path: Path, shop: Shop) -> Path:
    (tmp_path / "calls.yaml").write_text(CONTRACT)
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    shop.policy = load(path).policy
    return path


def allowed(shop: Shop, at: float) -> dict[str, bool]:
    """What the ledger says, which is what a scan says of the same file at the same places."""
    held = shop.exposure(at)["acme"]["categories"]
    found = {name: each["allowed"] for name, each in held.items()}
    paths = [str(each.relative_to(shop.root)) for each in shop.root.rglob("*.csv")]
    outcomes = [shop.read(path) for path in paths]
    judged = evaluate(shop.policy, outcomes, paths=paths, today=START.date())
    assert {name for name, fine in found.items() if not fine} == {each.category for each in judged.findings}
    return found


def test_a_contract_counts_where_it_holds(shop: Shop, policy_file: Path) -> None:
    """Moved out of its folder the same content is over-shared, though nothing else has changed; and back."""
    calls, other = shop.root / "acme/calls/a.csv", shop.root / "acme/other/a.csv"
    for each in (calls, other):
        each.parent.mkdir(parents=True)
    calls.write_text(ROWS)
    shop.scan(1)
    assert allowed(shop, 1) == {"user.name": True, "user.contact.phone_number": True}
    calls.rename(other)
    shop.scan(2)
    assert allowed(shop, 2) == {"user.name": True, "user.contact.phone_number": False}
    calls.write_text(ROWS)  # here and there
    shop.scan(3)
    assert allowed(shop, 3)["user.contact.phone_number"] is False
    other.unlink()
    shop.scan(4)
    assert allowed(shop, 4)["user.contact.phone_number"] is True


@pytest.mark.parametrize("absolute", [False, True])
def test_the_command_says_the_same(shop: Shop, policy_file: Path, tmp_path: Path, absolute: bool) -> None:
    """By a policy that is given, and by that of the latest scan, which took its contracts along."""
    if absolute:
        policy_file.write_text(POLICY.replace("calls.yaml", str(tmp_path / "calls.yaml")))
    (shop.root / "acme/calls").mkdir(parents=True)
    (shop.root / "acme/calls/a.csv").write_text(ROWS)
    program = [sys.executable, "-c", "from scanner.surfaces.cli import main; main()"]
    ledger = ["--ledger", str(tmp_path / "own.db")]
    policy = ["--policy", str(policy_file)]
    scan = [*program, "scan", str(shop.root), *policy, *ledger, "--model", "none", "-o", str(tmp_path / "r")]
    assert subprocess.run(scan).returncode == 0
    for more in (policy, []):
        if not more:
            (tmp_path / "calls.yaml").unlink()
        asked = subprocess.run(
            [*program, "exposure", *ledger, *more, "--format", "json"], capture_output=True, check=True
        )
        (acme,) = [each for each in json.loads(asked.stdout)["vendors"] if each["id"] == "acme"]
        assert acme["categories"]["user.contact.phone_number"]["allowed"] is True
