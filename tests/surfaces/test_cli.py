"""The installed command: exit codes, messages, formats, standard input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from scanner import resources

HEADER = "name,email\n"
ROWS = "".join(f"Maria Schmidt,maria{number}@example.org\n" for number in range(30))
COMMAND = [sys.executable, "-c", "from scanner.surfaces.cli import main; main()"]
POLICY = "version: 1\nvendors:\n  - {id: acme, name: Acme, paths: ['acme/**'], allow: [user.name]}\n"


def run(
    *arguments: str | Path, stdin: bytes | None = None, **more: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the command as a shell would."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        timeout=120,
        env={**os.environ, **more},
    )


@pytest.fixture
def share(tmp_path: Path) -> Path:
    """A share with one delivery of names and addresses of mail."""
    (tmp_path / "share" / "acme").mkdir(parents=True)
    (tmp_path / "share" / "acme" / "people.csv").write_text(HEADER + ROWS)
    (tmp_path / "policy.yaml").write_text(POLICY)
    return tmp_path / "share"


def test_version_and_help_import_nothing_heavy() -> None:
    """They answer at once: no pyarrow, numpy, yaml, rich, Presidio or spaCy is imported for them."""
    script = (
        "import sys\nsys.argv=['sharewatch','version']\nfrom scanner.surfaces.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy={'pyarrow','numpy','yaml','rich','presidio_analyzer','spacy','psutil'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0].startswith("sharewatch ")
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_structured_scan_loads_no_language_model(share: Path) -> None:
    """A purely structured file is scanned without Presidio's or spaCy's import."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom scanner.config import Settings\n"
        "from scanner.detect.fold import Detector\nfrom scanner.item import read_item\n"
        "from scanner.model import ItemRef\nsettings=Settings()\n"
        f"list(read_item(ItemRef({str(share)!r},'acme/people.csv'),settings,Detector(settings,b'k'*16)))\n"
        "print(sorted({'spacy','presidio_analyzer'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_over_sharing_is_one(share: Path) -> None:
    """Addresses of mail that the policy does not allow: exit code 1, and the finding names them."""
    done = run("scan", share, "--policy", share.parent / "policy.yaml", "--format", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert [(each["column"], each["verdict"]) for each in report["findings"]] == [("email", "over_shared")]
    assert report["findings"][0]["people"] == {"low": 30, "best": 30, "high": 30}
    assert b"maria0@" not in done.stdout


def test_folders_above_a_scanned_root_are_not_guessed_at(tmp_path: Path) -> None:
    """A file in nobody's folder stays nobody's, though a folder far above is called like a vendor."""
    (tmp_path / "acme" / "share").mkdir(parents=True)
    (tmp_path / "acme" / "share" / "loose.csv").write_text(HEADER + ROWS)
    (tmp_path / "policy.yaml").write_text(POLICY.replace("user.name", "user"))
    done = run("scan", tmp_path / "acme" / "share", "--policy", tmp_path / "policy.yaml", "--format", "json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["items"][0]["vendor"]) == (1, None)
    assert {finding["rule"] for finding in report["findings"]} == {"defaults.unassigned"}


def test_what_unverifiable_does_to_the_verdict(share: Path) -> None:
    """``fail``: what cannot be read is not clean. ``warn``: the verdict stands, the exit code still tells."""
    (share / "acme" / "scan.pdf").write_bytes(b"%PDF-1.7\n" + bytes(200))
    policy = share.parent / "policy.yaml"
    allowed = POLICY.replace("user.name", "user")
    for word, verdict in (("fail", "incomplete"), ("warn", "clean")):
        policy.write_text(allowed + f"defaults: {{unverifiable: {word}}}\n")
        done = run("scan", share, "--policy", policy, "--format", "json")
        scan = json.loads(done.stdout)["scan"]
        assert (done.returncode, scan["verdict"], scan["complete"]) == (3, verdict, False)


def test_a_single_file_inside_a_named_share_belongs_to_the_same_vendor(share: Path) -> None:
    """``--share`` says where the share begins, so one delivery by itself has the vendor of its folder."""
    policy = share.parent / "policy.yaml"
    file = share / "acme" / "people.csv"
    done = run("scan", file, "--share", share, "--policy", policy, "--format", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["items"][0]["vendor"] == "acme"


def test_allowed_data_is_zero_and_fail_on_decides(share: Path) -> None:
    """Within the policy the code is 0; ``--fail-on allowed`` makes any personal data a failure."""
    policy = share.parent / "policy.yaml"
    policy.write_text(POLICY.replace("user.name", "user"))
    assert run("scan", share, "--policy", policy).returncode == 0
    assert run("scan", share, "--policy", policy, "--fail-on", "allowed").returncode == 1


def test_standard_input_is_scanned_under_its_name(share: Path) -> None:
    """``-`` reads standard input; ``--name`` hints at its format and is its path."""
    data = (share / "acme" / "people.csv").read_bytes()
    done = run("scan", "-", "--name", "people.csv", "--format", "json", stdin=data)
    item = json.loads(done.stdout)["items"][0]
    assert (done.returncode, item["path"], item["format"], item["tables"][0]["rows"]) == (
        0,
        "people.csv",
        "csv",
        30,
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("scan", "/nonexistent/x"), "no such file or folder"),
        (("scan", ".", "--policy", "missing.yaml"), "cannot be read"),
        (("scan", ".", "--vendor", "acme"), "--vendor needs --policy"),
        (("scan", ".", "--format", "pdf"), "pdf"),
        (("scan",), "Missing argument"),
        (("scan", ".", "--config", "missing.yaml"), "cannot be read"),
        (("nonsense",), "No such command"),
        (("scan", ".", "--model", "xx_missing"), "is not installed"),
        (("rules", "explain", "Emial"), "did you mean Email"),
    ],
)
def test_wrong_use_is_two_with_a_sentence(arguments: tuple[str, ...], words: str) -> None:
    """A usage, configuration or policy error: exit code 2, a sentence, no traceback."""
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_a_wrong_policy_lists_all_its_problems(share: Path) -> None:
    """Every problem with its place, before anything is scanned."""
    policy = share.parent / "policy.yaml"
    policy.write_text(
        "version: 1\nvendrs: []\nvendors:\n  - {id: a, paths: [x], allow: [user.nmae], never: [3]}\n"
    )
    done = run("scan", share, "--policy", policy)
    assert done.returncode == 2
    assert done.stderr.decode().count("error: ") == 3
    assert f"{policy}:2:1" in done.stderr.decode()
    assert run("policy", "validate", policy).returncode == 2


def test_nothing_to_scan_is_four(tmp_path: Path) -> None:
    """An empty folder is not a clean one."""
    assert run("scan", tmp_path).returncode == 4


def test_every_format_can_be_written_to_a_file(share: Path, tmp_path: Path) -> None:
    """``-o`` writes the whole report or nothing, readable by its owner only."""
    for name in ("text", "json", "jsonl", "sarif", "ocsf", "csv", "html"):
        out = tmp_path / f"report.{name}"
        done = run("scan", share, "--policy", share.parent / "policy.yaml", "--format", name, "-o", out)
        assert done.returncode == 1, done.stderr
        assert out.stat().st_size > 200
        assert out.stat().st_mode & 0o077 == 0
        assert b"maria0" not in out.read_bytes()
    assert not list(tmp_path.glob(".report*"))


def test_policy_init_drafts_what_policy_validate_accepts(share: Path, tmp_path: Path) -> None:
    """From a share to a policy that loads, and never over an existing file."""
    out = tmp_path / "draft.yaml"
    assert run("policy", "init", share, "-o", out).returncode == 0
    assert "user.contact.email" in out.read_text()
    assert run("policy", "validate", out).returncode == 0
    assert run("policy", "init", share, "-o", out).returncode == 2
    done = run("policy", "explain", "acme/x.csv", "--policy", out)
    assert b"belongs to acme" in done.stdout
    assert json.loads(run("policy", "schema").stdout)["title"].startswith("sharewatch policy")


def test_an_interrupted_scan_reports_what_it_knows(tmp_path: Path) -> None:
    """Ctrl-C: the report is written, marked incomplete, with exit code 3."""
    for number in range(40):
        (tmp_path / f"{number:02}.csv").write_text(HEADER + ROWS * 400)
    process = subprocess.Popen(
        [*COMMAND, "scan", str(tmp_path), "--format", "json", "--jobs", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    # From its first worker on a scan has something to say when it is ended.
    while process.poll() is None and not psutil.Process(process.pid).children():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    report = json.loads(out)
    assert not report["scan"]["complete"] or len(report["items"]) == 40
    assert process.returncode in ((3,) if not report["scan"]["complete"] else (0,))
    assert b"Traceback" not in err


def test_a_reader_that_goes_away_is_no_error(share: Path) -> None:
    """``| head`` closes the pipe early: no message, no traceback, and not the code of a clean scan."""
    process = subprocess.Popen(
        [*COMMAND, "scan", str(share), "--format", "csv"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert (err, process.returncode) == (b"", 141)


def test_doctor_and_rules_answer() -> None:
    """The installation is sound, every rule is listed, and one can be explained."""
    done = run("doctor")
    assert done.returncode == 0, done.stdout
    assert b"FAIL" not in done.stdout
    listed = run("rules", "list").stdout.decode()
    assert "EMAIL_ADDRESS" in listed
    assert "US_SSN" in listed
    assert b"user.contact.email" in run("rules", "explain", "Email").stdout


def test_the_demo_share_is_there() -> None:
    """What ``sharewatch demo`` scans ships with the program."""
    assert resources.path("examples", "share").is_dir()
    assert resources.path("examples", "policy.yaml").is_file()


def test_every_command_is_found() -> None:
    """Those that lie in modules of their own are listed, and listed once."""
    import importlib
    import pkgutil

    import click

    from scanner import surfaces
    from scanner.surfaces.cli import cli

    context = click.Context(cli)
    listed: set[str] = set()
    for group in (cli, cli.get_command(context, "policy")):
        assert isinstance(group, click.Group)
        listed.update(group.list_commands(context))
        assert all(group.get_command(context, name) for name in group.list_commands(context))
    assert cli.get_command(context, "no-such-command") is None
    modules = [
        importlib.import_module(f"scanner.surfaces.{each.name}")
        for each in pkgutil.iter_modules(surfaces.__path__)
    ]
    defined = {command.name for module in modules for command in getattr(module, "COMMANDS", ())}
    assert defined
    assert defined <= listed
