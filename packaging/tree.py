"""The files that a package installs, laid out below one folder."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import locking
import manual

HOME = "opt/sharewatch"
DOC = "usr/share/doc/sharewatch"
BOM = f"{DOC}/sbom.cdx.json"
#: What no running program reads: tests of libraries, headers and sources of what is compiled.
_SUPERFLUOUS_FOLDERS = (
    "pyarrow/include",
    "pyarrow/includes",
    "pyarrow/tests",
    "numpy/_core/include",
    "spacy/tests",
    "thinc/tests",
    "srsly/tests",
    "sqlalchemy/testing",
    "pandas/tests",
)
_SUPERFLUOUS_FILES = (".pyx", ".pxd", ".pxi", ".cpp", ".c", ".h", ".hpp", ".pyi")
_LAUNCHER = """\
#!/{home}/bin/python -I
import sys

from scanner.surfaces.cli import main

# Workers import this file too.
if __name__ == "__main__":
    sys.exit(main())
"""


@dataclass(frozen=True)
class Facts:
    """What the packages say of themselves.

    Attributes:
        version: of the project, or as asked for.
        python: the interpreter, as an absolute path on the installed system.
        python_version: ``3.11``.
        moment: time of all files, in seconds since the epoch.
    """

    version: str
    python: str
    python_version: str
    moment: int


def stage(project: Path, work: Path, python: Path, moment: int, version: str | None) -> tuple[Path, Facts]:
    """Lay everything out below ``work/root``.

    Raises:
        subprocess.CalledProcessError: a step failed; it has said why on standard error.
    """
    root = work / "root"
    wheel = _wheel(project, work)
    facts = Facts(version or wheel.name.split("-")[1], str(python), _version_of(python), moment)
    _environment(project, root, wheel, facts)
    _bill(project, root, facts)
    _trim(root)
    _relocate(root, facts)
    _compile(root)
    _files(project, root, facts)
    _stamp(root, moment)
    return root, facts


def _wheel(project: Path, work: Path) -> Path:
    command = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(work / "wheel"), str(project)], check=True)
    return next((work / "wheel").glob("sharewatch-*.whl"))


def _version_of(python: Path) -> str:
    command = [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _environment(project: Path, root: Path, wheel: Path, facts: Facts) -> None:
    home = root / HOME
    subprocess.run([facts.python, "-m", "venv", "--without-pip", "--symlinks", home], check=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(home / "bin/python"), "install"]
    pip += ["--no-compile", "--no-deps", "--only-binary", ":all:", "--no-warn-script-location"]
    lock = locking.lock_for(Path(facts.python), project / "packaging")
    subprocess.run([*pip, "--require-hashes", "--requirement", str(lock)], check=True)
    subprocess.run([*pip, str(wheel)], check=True)


def _bill(project: Path, root: Path, facts: Facts) -> None:
    """A CycloneDX bill of materials of what was really installed."""
    target = root / BOM
    target.parent.mkdir(parents=True)
    command = [
        sys.executable,
        "-m",
        "cyclonedx_py",
        "environment",
        "--spec-version",
        "1.6",
        "--mc-type",
        "application",
    ]
    command += [
        "--output-reproducible",
        "--pyproject",
        str(project / "pyproject.toml"),
        "--output-file",
        str(target),
    ]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(facts.moment)}
    subprocess.run([*command, str(root / HOME / "bin/python")], check=True, env=environment)
    # Where the wheel was built is nobody's business, and would differ from build to build.
    text = re.sub(r'file://[^"]*/(sharewatch-[^"/]*\.whl)', r"\1", target.read_text(encoding="utf-8"))
    target.write_text(text, encoding="utf-8")


def _trim(root: Path) -> None:
    packages = next((root / HOME / "lib").glob("python3.*/site-packages"))
    for name in _SUPERFLUOUS_FOLDERS:
        shutil.rmtree(packages / name, ignore_errors=True)
    for path in packages.rglob("*"):
        if path.suffix in _SUPERFLUOUS_FILES and path.is_file() and "typeshed" not in path.parts:
            path.unlink()


def _relocate(root: Path, facts: Facts) -> None:
    """Take the build's own paths out of the environment, which is to run at its final place."""
    home = root / HOME
    for script in (home / "bin").iterdir():
        if not script.name.startswith("python"):
            script.unlink()
    launcher = home / "bin/sharewatch"
    launcher.write_text(_LAUNCHER.format(home=HOME))
    launcher.chmod(0o755)
    directory = Path(facts.python).parent
    lines = [
        f"home = {directory}",
        "include-system-site-packages = false",
        f"version = {facts.python_version}",
    ]
    (home / "pyvenv.cfg").write_text("\n".join(lines) + "\n")
    for name in ("direct_url.json", "RECORD", "INSTALLER", "REQUESTED"):
        for file in home.glob(f"lib/python3.*/site-packages/*.dist-info/{name}"):
            file.unlink()
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/sharewatch").symlink_to(f"/{HOME}/bin/sharewatch")


def _compile(root: Path) -> None:
    """Byte code beside the sources: the environment is read-only where it runs, and starts sooner so."""
    command = [str(root / HOME / "bin/python"), "-m", "compileall", "-q", "-q", "-j", "2"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", "/"]
    # A few libraries ship files that are meant for other versions of the language; those stay as they are.
    subprocess.run([*command, str(root / HOME / "lib")], check=False)


def _files(project: Path, root: Path, facts: Facts) -> None:
    here = project / "packaging"
    placed = {
        "systemd/sharewatch.service": "usr/lib/systemd/system/sharewatch.service",
        "systemd/sharewatch.sysusers": "usr/lib/sysusers.d/sharewatch.conf",
        "systemd/sharewatch.tmpfiles": "usr/lib/tmpfiles.d/sharewatch.conf",
        "systemd/sharewatch-network.conf": f"{DOC}/examples/sharewatch-network.conf",
        "systemd/sharewatch-actions.conf": f"{DOC}/examples/sharewatch-actions.conf",
        "etc/logrotate": "etc/logrotate.d/sharewatch",
        "etc/agent.yaml": "etc/sharewatch/agent.yaml",
        "etc/policy.yaml": "etc/sharewatch/policy.yaml",
        "debian/copyright": f"{DOC}/copyright",
        "../examples/policy.yaml": f"{DOC}/examples/policy.yaml",
    }
    placed |= {f"../docs/{file.name}": f"{DOC}/{file.name}" for file in (project / "docs").glob("*.md")}
    for source, target in placed.items():
        _place(here / source, root / target)
    for name in ("agent.yaml", "policy.yaml"):
        (root / "etc/sharewatch" / name).chmod(0o640)
    _compressed(root / DOC / "changelog.gz", (project / "CHANGELOG.md").read_bytes())
    python = root / HOME / "bin/python"
    texts = manual.texts(python, facts.version, facts.moment)
    _compressed(root / "usr/share/man/man1/sharewatch.1.gz", texts["man"].encode())
    for shell, target in manual.COMPLETIONS.items():
        (root / target).parent.mkdir(parents=True, exist_ok=True)
        (root / target).write_text(texts[shell])
        (root / target).chmod(0o644)


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)


def _compressed(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(content, 9, mtime=0))
    target.chmod(0o644)


def _stamp(root: Path, moment: int) -> None:
    for folder, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = os.path.join(folder, name)  # noqa: PTH118 # tens of thousands of them
            if not os.path.islink(path) and os.path.isdir(path):  # noqa: PTH112, PTH114
                os.chmod(path, 0o755)  # noqa: PTH101
            os.utime(path, (moment, moment), follow_symlinks=False)
    # Only who runs the watcher may know who the vendors are.
    (root / "etc/sharewatch").chmod(0o750)
