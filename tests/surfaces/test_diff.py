"""The commands that compare: ``diff`` of deliveries, ``policy diff`` over a ledger."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from click.testing import CliRunner

from scanner.surfaces.cli import cli

NAMES = ("Anna Weber", "Boris Klein", "Clara Schulz", "David Wolf", "Emma Neumann", "Felix Krause")
POLICY = 'version: 1\norganisation: Example\nvendors: [{id: bolt, paths: ["bolt/**"], allow: [%s]}]\n'


def customers(path: Path, columns: list[str], times: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        for number in range(6 * times):
            name = NAMES[number % 6]
            mail = f"{name.replace(' ', '.').lower()}{number}@example.org"
            writer.writerow(
                {"name": name, "email": mail, "city": "München", "country": "DE", "tag": number % 3}
            )
    return path


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli, [str(each) for each in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_two_files(tmp_path: Path) -> None:
    old = customers(tmp_path / "a.csv", ["name", "city", "tag"])
    new = customers(tmp_path / "b.csv", ["name", "city", "tag", "email"])
    code, text = run("diff", old, new, "--jobs", 1)
    assert code == 1
    assert "! -.email: new column with user.contact.email" in text
    assert "@" not in text
    assert run("diff", new, old, "--jobs", 1)[0] == 0
    assert run("diff", old)[0] == 2
    assert run("diff")[0] == 2


def test_two_reports(tmp_path: Path) -> None:
    reports = []
    for name, columns in (("a", ["name", "city", "tag"]), ("b", ["name", "city", "tag", "email"])):
        customers(tmp_path / f"{name}.csv", columns)
        reports.append(tmp_path / f"{name}.json")
        run("scan", tmp_path / f"{name}.csv", "--format", "json", "-o", reports[-1], "--jobs", 1)
    code, text = run("diff", *reports, "--format", "json")
    assert code == 1
    assert [each["kind"] for each in json.loads(text)["deliveries"][0]["changes"]] == ["column_added"]


def test_the_latest_deliveries_of_each_feed_in_a_ledger(tmp_path: Path) -> None:
    share, where, policy = tmp_path / "share", tmp_path / "l.db", tmp_path / "policy.yaml"
    policy.write_text(POLICY % "user.name")
    scan = ("scan", share, "--policy", policy, "--ledger", where, "--jobs", 1, "--observed-at")
    columns = ["name", "city", "country", "tag"]
    customers(share / "bolt/2026-01.csv", columns)
    run(*scan, "2026-01-01")
    customers(share / "bolt/2026-02.csv", [*columns, "email"], times=20)
    (share / "bolt/notes.csv").write_text("sku,price\nA1,2\nA2,3\n")
    run(*scan, "2026-02-01")
    code, text = run("diff", "--ledger", where)
    assert code == 1
    assert "bolt/2026-01.csv -> bolt/2026-02.csv" in text
    assert "-.email: new column with user.contact.email" in text
    assert "120 rows, 6 before" in text
    assert "notes" not in text
    assert run("diff", "--ledger", where, "--feed", "no-such-feed")[0] == 2
    assert run("diff", "--ledger", where, "--vendor", "acme") == (0, "no vendor gets more than before\n")
    assert run("diff", "--ledger", where, "--from", "2026-01-15")[0] == 1


def test_policies_over_the_history_of_a_ledger(tmp_path: Path) -> None:
    share, where = tmp_path / "share", tmp_path / "l.db"
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(POLICY % "user.name, user.contact")
    new.write_text(POLICY % "user.name, user.contact.address")
    customers(share / "bolt/2026-01.csv", ["name", "city", "email"])
    scan = ("scan", share, "--policy", old, "--ledger", where, "--jobs", 1, "--observed-at")
    run(*scan, "2026-01-01")
    (share / "bolt/2026-01.csv").unlink()
    (share / "bolt/keep.csv").write_text("sku,price\nA1,2\n")
    run(*scan, "2026-02-01")
    code, text = run("policy", "diff", old, new, "--ledger", where)
    assert code == 1
    assert "bolt/2026-01.csv / email (user.contact.email): allowed -> over_shared (bolt)" in text
    assert (
        run("policy", "diff", old, new, "--ledger", where, "--as-of", "2026-03-01")[1] == "nothing changes\n"
    )
    assert run("policy", "diff", old, new)[0] == 2
    assert run("policy", "diff", old, new, share, "--ledger", where)[0] == 2
