"""The packages: what is in them, and their life on a server from the first start to the purge."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.needs import missing
from tests.packaging.machine import Machine, make, until

PROJECT = Path(__file__).parents[2]
PACKAGING = PROJECT / "packaging"
UNIT = PACKAGING / "systemd/sharewatch.service"
POLICY = """\
version: 1
organisation: Example Motors
vendors:
  - id: ringline
    paths: ["ringline/**"]
    allow: [user.name]
"""
#: Seconds: the service reads its libraries with the lowest disk priority, whatever else goes on.
PATIENCE = 300.0
EVENTS = "/var/log/sharewatch/findings.jsonl"


def _need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            missing(
                program, "Debian: apt-get install debootstrap systemd systemd-container rpm fakeroot zstd"
            )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both packages, built as a maintainer builds them."""
    _need("dpkg-deb", "rpmbuild")
    if not Path("/usr/bin/python3.11").exists():
        missing("/usr/bin/python3.11", "Debian: apt-get install python3.11-venv")
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, str(PACKAGING / "build.py"), "--quick", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def deb(built: Path) -> Path:
    return next(built.glob("*.deb"))


@pytest.fixture(scope="module")
def tree(deb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Debian package installs."""
    folder = tmp_path_factory.mktemp("tree")
    subprocess.run(["dpkg-deb", "-x", str(deb), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def rpm(built: Path) -> Path:
    return next(built.glob("*.rpm"))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A Debian with systemd running as its first process."""
    _need("debootstrap", "systemd-nspawn", "nsenter")
    if os.geteuid() != 0:
        missing("a root account", "run the tests as root to boot a system of their own")
    root = tmp_path_factory.mktemp("machine") / "root"
    try:
        make(root)
    except subprocess.CalledProcessError as error:
        missing("a Debian mirror", f"debootstrap said: {error.stdout[-300:]}")
    with Machine(root) as booted:
        yield booted


def test_the_unit_is_as_closed_as_it_says() -> None:
    _need("systemd-analyze")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-400:]


def test_the_lock_has_what_the_project_needs() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["postgresql"]
    for lock in PACKAGING.glob("requirements-*.lock"):
        lines = [line.split() for line in lock.read_text().splitlines() if not line.startswith("#")]
        assert all(len(line) == 2 and line[1].startswith("--hash=sha256:") for line in lines)
        held = dict(line[0].lower().replace("_", "-").split("==") for line in lines)
        for text in wanted:
            requirement = Requirement(text)
            name = requirement.name.lower().replace("_", "-")
            assert name in held, f"{lock.name} lacks {name}: python packaging/build.py lock"
            assert Version(held[name]) in requirement.specifier, f"{lock.name}: {name}"


def test_what_is_built_is_listed_with_its_checksum(built: Path) -> None:
    sums = dict(reversed(line.split("  ")) for line in (built / "SHA256SUMS").read_text().splitlines())
    files = {path.name: path for path in built.iterdir() if path.name != "SHA256SUMS"}
    assert set(sums) == set(files)
    for name, digest in sums.items():
        assert hashlib.sha256(files[name].read_bytes()).hexdigest() == digest


def test_the_bill_of_materials_names_every_library(built: Path, tree: Path) -> None:
    bill = json.loads(next(built.glob("*.cdx.json")).read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    named = {each["name"].lower().replace("_", "-") for each in bill["components"]}
    packages = next((tree / "opt/sharewatch/lib").glob("python3.*/site-packages"))
    installed = {path.name.split("-")[0].lower().replace("_", "-") for path in packages.glob("*.dist-info")}
    assert len(installed) > 50
    assert installed - named <= {"sharewatch"}


def test_nothing_of_the_building_machine_is_in_it(tree: Path) -> None:
    found = subprocess.run(
        ["grep", "-rlE", f"{PROJECT}|sharewatch-build-", str(tree)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""
    links = [path for path in tree.rglob("*") if path.is_symlink() and PROJECT in path.readlink().parents]
    assert links == []


def test_both_packages_hold_the_same_files(tree: Path, rpm: Path) -> None:
    of_deb = {f"/{path.relative_to(tree)}" for path in tree.rglob("*") if path.is_symlink() or path.is_file()}
    asked = subprocess.run(["rpm", "-qpl", str(rpm)], check=True, capture_output=True, text=True).stdout
    of_rpm = set(asked.splitlines())
    assert of_deb <= of_rpm


def test_the_manual_page_and_the_completions_know_every_command(tree: Path) -> None:
    page = gzip.decompress((tree / "usr/share/man/man1/sharewatch.1.gz").read_bytes()).decode()
    for command in ("scan", "watch", "exposure", "policy validate", "minimise"):
        assert f".SS sharewatch {command}" in page
    for path in ("bash-completion/completions/sharewatch", "zsh/vendor-completions/_sharewatch"):
        assert "_SHAREWATCH_COMPLETE" in (tree / "usr/share" / path).read_text()


def _customers(path: Path, count: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "email"])
        names = [
            f"{first} {last}" for first in ("Anna", "Peter", "Julia", "Mark") for last in ("Weber", "Klein")
        ]
        writer.writerows([name, f"{name.lower().replace(' ', '.')}{count}@example.org"] for name in names)


def _events(machine: Machine) -> list[dict[str, object]]:
    file = machine.file(EVENTS)
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def _opened(machine: Machine, path: str) -> bool:
    return any(
        event["event"] in {"finding.opened", "finding.updated"} and event["finding"]["path"] == path  # type: ignore[index]
        for event in _events(machine)
    )


def _active(machine: Machine) -> str:
    return machine.run("systemctl", "is-active", "sharewatch", check=False).stdout.strip()


def _state(machine: Machine) -> str:
    journal = machine.run("journalctl", "-u", "sharewatch", "-n", "40", "--no-pager", check=False).stdout
    return journal + machine.run("systemctl", "status", "sharewatch", "--no-pager", check=False).stdout


def _clean(machine: Machine) -> None:
    """What the other package's life left behind: a removal keeps state, and RPM keeps it for good."""
    left = ("/srv/share", "/var/lib/sharewatch", "/var/log/sharewatch", "/etc/sharewatch")
    machine.run("rm", "-rf", *left)


def test_life_of_the_debian_package(machine: Machine, deb: Path, tmp_path: Path) -> None:
    _clean(machine)
    machine.place(deb, "/root/first.deb")
    machine.run("dpkg", "-i", "/root/first.deb")
    assert _active(machine) == "inactive"  # nothing runs before it was told what to watch
    assert (
        machine.run("stat", "-c", "%U:%G %a", "/etc/sharewatch/agent.yaml").stdout == "root:sharewatch 640\n"
    )

    # The share of the sample configuration, and a policy.
    _customers(machine.file("/srv/share/ringline/before.csv"), 1)
    machine.file("/srv/share/ringline").chmod(0o700)  # of root: the watcher may read it all the same
    machine.file("/etc/sharewatch/policy.yaml").write_text(POLICY)
    machine.run("systemctl", "enable", "--now", "sharewatch")
    assert _active(machine) == "active", _state(machine)
    until(lambda: _opened(machine, "ringline/before.csv"), PATIENCE, "what lay there is found")
    _customers(machine.file("/srv/share/ringline/dropped.csv"), 2)
    until(lambda: _seen(machine, "ringline/dropped.csv"), PATIENCE, "a dropped file is seen")
    status = machine.run("sharewatch", "status").stdout
    assert "/srv/share" in status
    ledger = "/var/lib/sharewatch/ledger.db"
    assert machine.file(ledger).stat().st_mode & 0o077 == 0

    # Upgrade: it runs on, with its state and what an administrator wrote.
    main = machine.run("systemctl", "show", "-p", "MainPID", "sharewatch").stdout
    machine.place(_newer(deb, tmp_path), "/root/second.deb")
    machine.run("dpkg", "-i", "/root/second.deb")
    assert _active(machine) == "active", _state(machine)
    assert machine.run("systemctl", "show", "-p", "MainPID", "sharewatch").stdout != main
    assert machine.file("/etc/sharewatch/policy.yaml").read_text() == POLICY
    _customers(machine.file("/srv/share/ringline/later.csv"), 3)
    until(lambda: _seen(machine, "ringline/later.csv"), PATIENCE, "it watches on")
    opened = [event["id"] for event in _events(machine) if event["event"] == "finding.opened"]
    assert len(opened) == len(set(opened))

    machine.run("dpkg", "-r", "sharewatch")
    assert _active(machine) != "active"
    assert not machine.file("/opt/sharewatch").exists()
    assert machine.file(ledger).exists()
    assert machine.file("/etc/sharewatch/policy.yaml").exists()
    machine.run("dpkg", "-P", "sharewatch")
    for path in ("/var/lib/sharewatch", "/var/log/sharewatch", "/etc/sharewatch"):
        assert not machine.file(path).exists(), path
    assert machine.run("getent", "passwd", "sharewatch", check=False).returncode != 0


def _seen(machine: Machine, path: str) -> bool:
    """Whether a scan of a file was told of; a finding that is open already is not opened again."""
    return any(
        event["event"] == "item.scanned" and event["item"]["path"] == path  # type: ignore[index]
        for event in _events(machine)
    )


def _newer(deb: Path, folder: Path) -> Path:
    """The same package under a higher version."""
    subprocess.run(["dpkg-deb", "-R", str(deb), str(folder / "tree")], check=True)
    control = folder / "tree/DEBIAN/control"
    control.write_text(control.read_text().replace("Version: ", "Version: 9."))
    target = folder / "newer.deb"
    command = ["dpkg-deb", "--root-owner-group", "-Znone", "-b", str(folder / "tree"), str(target)]
    subprocess.run(command, check=True, capture_output=True)
    return target


def test_life_of_the_rpm_package(machine: Machine, rpm: Path) -> None:
    _clean(machine)
    machine.place(rpm, "/root/first.rpm")
    machine.run("rpm", "-i", "--nodeps", "/root/first.rpm")
    assert machine.run("sharewatch", "version").stdout.startswith("sharewatch ")
    _customers(machine.file("/srv/share/ringline/rpm.csv"), 4)
    machine.file("/etc/sharewatch/policy.yaml").write_text(POLICY)
    machine.run("systemctl", "enable", "--now", "sharewatch")
    assert _active(machine) == "active", _state(machine)
    until(lambda: _seen(machine, "ringline/rpm.csv"), PATIENCE, "what lay there is found")
    assert any(event["event"] == "finding.opened" for event in _events(machine))
    machine.run("rpm", "-e", "--nodeps", "sharewatch")
    assert _active(machine) != "active"
    assert not machine.file("/opt/sharewatch/bin").exists()
    # What an administrator changed is kept, as RPM does it.
    kept = [machine.file(f"/etc/sharewatch/policy.yaml{end}") for end in ("", ".rpmsave")]
    assert any(path.exists() for path in kept)
