"""Build what is installed on servers: a .deb, an .rpm, a software bill of materials, checksums.

    python packaging/build.py [deb] [rpm] [--out dist] [--python /usr/bin/python3.11] [--quick]
    python packaging/build.py lock

Run it with an environment that has the project's development tools (`make packages` does), on the
distribution that the package is for: the package carries a virtual environment with everything but the
interpreter, which is the distribution's own. ``lock`` writes ``requirements-….lock`` anew: every library that
is installed, with its version and the hash of its file for this interpreter and machine. The time in all
files is that of the last commit (``SOURCE_DATE_EPOCH``), so two builds of one commit hold the same files.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
# Found as neighbours of this file: the folder's own name is that of a library, so it is no package.
sys.path.insert(0, str(HERE))

import debian  # noqa: E402
import locking  # noqa: E402
import redhat  # noqa: E402
import tree  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Build; gives the exit status."""
    options = _options(arguments)
    if "lock" in options.what:
        locking.write(options.python, PROJECT, locking.lock_for(options.python, HERE))
        return 0
    out: Path = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    moment, level = _epoch(), 1 if options.quick else 12
    with tempfile.TemporaryDirectory(prefix="sharewatch-build-") as folder:
        work = Path(folder)
        root, facts = tree.stage(PROJECT, work, options.python, moment, options.version)
        bom = out / f"sharewatch-{facts.version}.cdx.json"
        shutil.copyfile(root / tree.BOM, bom)
        made = [bom]
        if "deb" in options.what:
            made.append(debian.build(root, facts, HERE, work, out, level))
        if "rpm" in options.what:
            made.append(redhat.build(root, facts, HERE, work, out, level))
    _write_sums(out / "SHA256SUMS", made)
    for each in made:
        print(f"{each}  {each.stat().st_size / 1e6:,.1f} MB")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="*", metavar="deb|rpm|lock", default=[])
    parser.add_argument("--out", type=Path, default=PROJECT / "dist", help="folder for what is built")
    parser.add_argument(
        "--python", type=Path, default=Path("/usr/bin/python3.11"), help="the interpreter to run on"
    )
    parser.add_argument("--version", help="of the package, where it is not the project's")
    parser.add_argument("--quick", action="store_true", help="compress little: to try a package out")
    options = parser.parse_args(arguments)
    unknown = set(options.what) - {"deb", "rpm", "lock"}
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))} to build")
    if not options.python.exists():
        parser.error(f"{options.python} does not exist (Debian: apt-get install python3.11-venv)")
    lock = locking.lock_for(options.python, HERE)
    if "lock" not in options.what and not lock.exists():
        parser.error(f"there is no {lock.name} yet; make it with: build.py lock --python {options.python}")
    options.what = options.what or ["deb", "rpm"]
    return options


def _epoch() -> int:
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    command = ["git", "-C", str(PROJECT), "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _write_sums(file: Path, made: list[Path]) -> None:
    """What was built now, beside what lies there from another build."""
    sums = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in made}
    for line in file.read_text().splitlines() if file.exists() else ():
        digest, name = line.split("  ", 1)
        if (file.parent / name).exists():
            sums.setdefault(name, digest)
    file.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))


if __name__ == "__main__":
    raise SystemExit(main())
