"""What detection needs from this machine, checked: as data, for a surface to print."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from scanner import resources
from scanner.config import Settings

_PACKAGES = ("presidio-analyzer", "spacy", "pyarrow", "phonenumbers", "python-stdnum")


class Health(StrEnum):
    """How a check went."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. ``mend`` says what to do, None where nothing needs doing."""

    name: str
    health: Health
    detail: str
    mend: str | None = None


def checks(settings: Settings | None = None) -> Iterator[Check]:
    """All checks, quick ones first; one that itself fails is a failed check."""
    chosen = settings or Settings()
    looks: tuple[tuple[str, Callable[[Settings], Iterator[Check]]], ...] = (
        ("python", _python),
        ("packages", _packages),
        ("rules", _rules),
        ("column filters", _filters),
        ("compiled loops", _compiled),
        ("lexicons", _lexicons),
        ("phone regions", _regions),
        ("language model", _model),
        ("offline", _offline),
        ("memory limit", _memory_limit),
        ("shared memory", _shared_memory),
        ("open files", _open_files),
    )
    for name, look in looks:
        try:
            yield from look(chosen)
        except Exception as error:  # noqa: BLE001 # a broken installation may fail anywhere, and that is the answer
            yield Check(
                name, Health.FAIL, f"cannot be checked ({type(error).__name__})", "reinstall sharewatch"
            )


def _python(_: Settings) -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info[:2] < (3, 14)
    mend = None if good else "install sharewatch with Python 3.11, 3.12 or 3.13"
    yield Check("python", Health.OK if good else Health.FAIL, version, mend)


def _packages(_: Settings) -> Iterator[Check]:
    for package in _PACKAGES:
        try:
            yield Check(package, Health.OK, importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            yield Check(package, Health.FAIL, "not installed", f"pip install {package}")


def _rules(_: Settings) -> Iterator[Check]:
    from scanner.detect import specs

    found, problems = specs.load(resources.path("rules", "recognizers"))
    if problems:
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        yield Check(
            "rules", Health.FAIL, f"{problems[0]}{more}", "run 'sharewatch rules test' and mend what it lists"
        )
    else:
        yield Check("rules", Health.OK, f"{len(found)} recognizers, {resources.rules_digest()[:19]}…")


def _filters(_: Settings) -> Iterator[Check]:
    import pyarrow as pa
    import pyarrow.compute as pc

    from scanner.detect import specs

    refused = []
    for spec in specs.load(resources.path("rules", "recognizers"))[0]:
        try:
            pc.match_substring_regex(pa.array([""]), spec.re2_filter)
        except pa.ArrowInvalid:
            refused.append(f"{spec.name} ({spec.source})")
    if refused:
        yield Check(
            "column filters", Health.FAIL, f"RE2 refuses {', '.join(refused)}", "simplify these filters"
        )
    else:
        yield Check("column filters", Health.OK, "RE2 takes all of them")


def _compiled(_: Settings) -> Iterator[Check]:
    from scanner import native

    if native.ready():
        yield Check("compiled loops", Health.OK, "in use")
    else:
        mend = f"install a C compiler and then sharewatch anew; do not set {native.VARIABLE}=0"
        yield Check(
            "compiled loops", Health.WARN, "none: tables are read more slowly, with the same results", mend
        )


def _lexicons(_: Settings) -> Iterator[Check]:
    try:
        files = [file for file in resources.path("rules", "lexicons").iterdir() if file.is_file()]
    except FileNotFoundError:
        files = []
    if files:
        size = sum(file.stat().st_size for file in files)
        yield Check("lexicons", Health.OK, f"{len(files)} files, {size / 1e6:.1f} MB")
    else:
        yield Check(
            "lexicons", Health.WARN, "none: names and places are told less surely", "reinstall sharewatch"
        )


def _regions(settings: Settings) -> Iterator[Check]:
    from scanner.detect import phones

    unknown = []
    for region in settings.regions:
        try:
            phones.phone_pattern(region)
        except ValueError:
            unknown.append(region)
    if unknown:
        mend = "use two-letter ISO 3166 codes in the setting 'regions'"
        yield Check("phone regions", Health.FAIL, f"unknown: {', '.join(unknown)}", mend)
    else:
        yield Check("phone regions", Health.OK, ", ".join(settings.regions))


def _model(settings: Settings) -> Iterator[Check]:
    from scanner.detect import language_model

    if settings.model == language_model.NO_MODEL:
        mend = f"set 'model: {language_model.VERIFIED_MODEL}' to find names without a title or label"
        yield Check("language model", Health.WARN, "none: text is read with patterns only", mend)
        return
    try:
        language_model.verify_model(settings.model)
    except language_model.ModelError as error:
        detail, _, mend = str(error).partition("; ")
        yield Check("language model", Health.FAIL, detail, mend)
        return
    verified = (
        ", weights verified"
        if settings.model == language_model.VERIFIED_MODEL
        else ", weights not known to us"
    )
    yield Check("language model", Health.OK, language_model.model_label(settings) + verified)


def _offline(_: Settings) -> Iterator[Check]:
    import tldextract

    extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    good = extract("person@mail.example.co.uk").suffix == "co.uk"
    mend = None if good else "reinstall tldextract"
    yield Check("offline", Health.OK if good else Health.FAIL, "the list of domains is built in", mend)


def _memory_limit(settings: Settings) -> Iterator[Check]:
    import psutil

    available = psutil.virtual_memory().available // 2**20
    wanted = settings.limits.memory_mb * settings.workers
    try:
        import resource

        limited = hasattr(resource, "RLIMIT_AS")
    except ImportError:
        limited = False
    if not limited:
        mend = "run on Linux to hold a worker to its memory limit"
        yield Check("memory limit", Health.WARN, "this system cannot limit a worker's memory", mend)
    elif wanted > available:
        mend = "lower 'jobs' or 'limits.memory_mb', or free memory"
        yield Check(
            "memory limit", Health.WARN, f"workers may use {wanted} MiB, {available} MiB are free", mend
        )
    else:
        yield Check("memory limit", Health.OK, f"workers may use {wanted} of {available} MiB free")


def _shared_memory(_: Settings) -> Iterator[Check]:
    folder = Path("/dev/shm")  # noqa: S108 # the place itself is looked at, nothing is written
    if folder.is_dir():
        yield Check("shared memory", Health.OK, str(folder))
    else:
        yield Check(
            "shared memory", Health.WARN, f"no {folder}", "mount it, or expect workers to start slower"
        )


def _open_files(settings: Settings) -> Iterator[Check]:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 64 * (settings.workers + 1)
    if soft != resource.RLIM_INFINITY and soft < needed:
        yield Check(
            "open files", Health.WARN, f"limit {soft}, {needed} wanted", f"raise it: ulimit -n {needed}"
        )
    else:
        yield Check("open files", Health.OK, f"limit {soft}")
