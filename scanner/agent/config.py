"""The agent's configuration: strict, and every mistake is told with its place in the file."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from scanner.agent.places import within
from scanner.config import ConfigError, Settings

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class AgentConfigError(ConfigError):
    """The configuration is wrong. ``problems`` lists all that is, as ``file:line:column: sentence``."""


@dataclass(frozen=True, slots=True)
class AgentLimits:
    """What the agent may cost.

    Attributes:
        memory_mb: resident MiB of one worker process.
        item_seconds: wall-clock seconds for one file, its members included.
        workers: processes that scan at the same time; one more may run for a fresh small file.
        cpu_percent: share of one core's time, for each worker, that work which can wait may take.
        item_tries: scans of a file that may end without an outcome before it becomes a gap.
        small_mb: a file up to this size is small: it goes before big ones.
        idle_seconds: a worker without work for so long is ended.
        load: work that can wait does so while the load of each core is above it.
        min_free_mb: the same while the machine has less available memory than this.
        min_disk_mb: the same while the file system of the ledger has less room than this.
        outbox: events that may wait for one sink.
    """

    memory_mb: int = 1024
    item_seconds: float = 3600.0
    workers: int = 2
    cpu_percent: float = 50.0
    item_tries: int = 3
    small_mb: int = 10
    idle_seconds: float = 60.0
    load: float = 2.0
    min_free_mb: int = 256
    min_disk_mb: int = 256
    outbox: int = 100_000


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where numbers are served. ``listen`` is an address and a port of this machine; None for nowhere."""

    listen: str | None = None


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Where the policy's ``quarantine`` moves files to. ``folder`` must not be in reach of any vendor."""

    folder: str | None = None


@dataclass(frozen=True, slots=True)
class GateWay:
    """A gate: what lies in ``staging`` and scans clean is moved to ``outbound``, in or below a share."""

    staging: str
    outbound: str


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """What to watch, and where to tell.

    Attributes:
        shares: folders that vendors' paths are relative to.
        policy: which vendor may have what.
        ledger: a file, or ``postgresql://…``.
        settle_seconds: quiet time before a file counts as complete.
        settle_max_seconds: a file that is written to for longer is read as it is.
        reconcile_minutes: between two walks of everything.
        verify_days: every file is scanned anew after so many days; 0 for never.
        poll_seconds: between two looks at a folder that gives no events.
        answer_seconds: a network's file system that does not answer for so long counts as not mounted.
        exclude: glob patterns, relative to the share, of what not to scan.
        quiet_hours: ``22:00-06:00``, in local time: work that can wait does so then.
        account_seconds: at most so often is judged what vendors hold over all files, when that changed.
        heartbeat_seconds: between two signs of life.
        selftest_minutes: between two self-tests; 0 for none.
        sinks: see ``docs/sinks.md``.
        sink_down_minutes: a sink that is down for longer is an alarm; 0 for never.
        metrics: see `Metrics`.
        limits: see `AgentLimits`.
        quarantine: see `Quarantine`.
        gates: see `GateWay`; as ``{from: …, to: …}`` each.
        scan: settings of a scan: ``model``, ``regions``, ``samples``, and further ``limits``.
    """

    shares: tuple[str, ...]
    policy: str
    ledger: str
    settle_seconds: float = 2.0
    settle_max_seconds: float = 300.0
    reconcile_minutes: float = 60.0
    verify_days: float = 30.0
    poll_seconds: float = 30.0
    answer_seconds: float = 10.0
    exclude: tuple[str, ...] = ()
    quiet_hours: tuple[str, ...] = ()
    account_seconds: float = 60.0
    heartbeat_seconds: float = 300.0
    selftest_minutes: float = 60.0
    sinks: tuple[Mapping[str, Any], ...] = ()
    sink_down_minutes: float = 15.0
    metrics: Metrics = field(default_factory=Metrics)
    limits: AgentLimits = field(default_factory=AgentLimits)
    quarantine: Quarantine = field(default_factory=Quarantine)
    gates: tuple[GateWay, ...] = ()
    scan: Mapping[str, Any] = field(default_factory=dict)

    @property
    def roots(self) -> tuple[str, ...]:
        """All folders that are watched: shares, and what lies before gates."""
        return (*self.shares, *(gate.staging for gate in self.gates))


_SECTIONS = {"metrics": Metrics, "limits": AgentLimits, "quarantine": Quarantine}
#: Numbers that must not be zero.
_POSITIVE = frozenset(
    {"settle_max_seconds", "reconcile_minutes", "poll_seconds", "heartbeat_seconds", "memory_mb"}
    | {
        "answer_seconds",
        "item_seconds",
        "workers",
        "cpu_percent",
        "item_tries",
        "small_mb",
        "idle_seconds",
        "load",
        "outbox",
    }
)


def load(file: Path) -> AgentConfig:
    """Read a configuration.

    Raises:
        AgentConfigError: it is not one; all mistakes at once.
        OSError: the file cannot be read.
    """
    import yaml

    text = file.read_text(encoding="utf-8")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise AgentConfigError([f"{file}:{line}:{column}: is no YAML: {error.problem}"]) from None
    except yaml.YAMLError:
        raise AgentConfigError([f"{file}: is no YAML"]) from None
    reading = _Reading(str(file))
    if not isinstance(node, yaml.MappingNode):
        raise AgentConfigError([f"{file}:1:1: must be a mapping with shares, policy and ledger"])
    values = reading.section(node, AgentConfig)
    for name in ("shares", "policy", "ledger"):
        if name not in values and not any(f"{name}:" in problem for problem in reading.problems):
            reading.problems.append(f"{file}:1:1: {name} is missing")
    _check(reading, node, values)
    if reading.problems:
        raise AgentConfigError(sorted(reading.problems, key=_place))
    return AgentConfig(**values)


def _place(problem: str) -> tuple[int, int]:
    found = re.search(r":(\d+):(\d+): ", problem)
    return (int(found[1]), int(found[2])) if found else (0, 0)


class _Reading:
    """Turns nodes into values, noting what is wrong with them."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.problems: list[str] = []

    def wrong(self, node: Any, sentence: str) -> None:
        """Note a mistake at a node."""
        self.problems.append(
            f"{self._file}:{node.start_mark.line + 1}:{node.start_mark.column + 1}: {sentence}"
        )

    def section(self, node: Any, kind: type) -> dict[str, Any]:
        """A mapping as arguments of a dataclass."""
        import yaml

        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, "must be a mapping")
            return {}
        hints = get_type_hints(kind)
        names = {each.name for each in dataclasses.fields(kind)}
        values: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if name not in names:
                near = difflib.get_close_matches(name, names, 1)
                self.wrong(key, f"there is no setting {name}{f'; {near[0]} is one' if near else ''}")
            elif name in values:
                self.wrong(key, f"{name} is set twice")
            elif name in _SECTIONS:
                values[name] = _SECTIONS[name](**self.section(value, _SECTIONS[name]))
            else:
                self._take(values, name, value, hints[name])
        return values

    def _take(self, values: dict[str, Any], name: str, node: Any, hint: Any) -> None:
        import yaml

        given = yaml.SafeLoader("").construct_object(node, deep=True) if node is not None else None
        if name == "sinks":
            values[name] = tuple(given) if isinstance(given, list) else given
        elif name == "gates":
            values[name] = tuple(self._gates(node))
        elif name == "scan":
            if isinstance(given, dict):
                values[name] = given
            else:
                self.wrong(node, "scan must be a mapping")
        elif str(hint).startswith("tuple"):
            if isinstance(given, list) and all(isinstance(each, str) for each in given):
                values[name] = tuple(given)
            else:
                self.wrong(node, f"{name}: must be a list of words")
        else:
            self._scalar(values, name, node, given, hint)

    def _gates(self, node: Any) -> Iterator[GateWay]:
        import yaml

        if not isinstance(node, yaml.SequenceNode):
            self.wrong(node, "gates: must be a list of {from: FOLDER, to: FOLDER}")
            return
        for each in node.value:
            given = yaml.SafeLoader("").construct_object(each, deep=True)
            if (
                isinstance(given, dict)
                and given.keys() == {"from", "to"}
                and all(isinstance(value, str) for value in given.values())
            ):
                yield GateWay(given["from"].rstrip("/"), given["to"].rstrip("/"))
            else:
                self.wrong(each, "gates: must be {from: FOLDER, to: FOLDER}")

    def _scalar(self, values: dict[str, Any], name: str, node: Any, given: Any, hint: Any) -> None:
        optional = "None" in str(hint)
        if given is None and optional:
            values[name] = None
        elif hint is int or hint is float:
            if isinstance(given, bool) or not isinstance(given, int if hint is int else (int, float)):
                self.wrong(node, f"{name}: must be {'a whole number' if hint is int else 'a number'}")
            elif given < 0 or (given == 0 and name in _POSITIVE):
                self.wrong(node, f"{name}: must be above zero")
            else:
                values[name] = hint(given)
        elif isinstance(given, str) and given.strip():
            values[name] = given
        else:
            self.wrong(node, f"{name}: must be a text")


def _check(reading: _Reading, node: Any, values: dict[str, Any]) -> None:
    """What a type does not say."""
    at = {str(key.value): value for key, value in node.value}
    shares = values.get("shares")
    if shares is not None and not shares:
        reading.wrong(at["shares"], "shares: name at least one folder")
    for share in shares or ():
        if not share.startswith("/"):
            reading.wrong(at["shares"], f"shares: {share} must be an absolute path")
    for one in shares or ():
        for other in shares or ():
            if one != other and within(other, one):
                reading.wrong(at["shares"], f"shares: {other} lies in {one}; a file would be looked at twice")
    for gate in values.get("gates", ()):
        for problem in _gate_problems(gate, values):
            reading.wrong(at["gates"], f"gates: {problem}")
    for hours in values.get("quiet_hours", ()):
        if not _HOURS.fullmatch(hours):
            reading.wrong(at["quiet_hours"], f"quiet_hours: {hours} is no time like 22:00-06:00")
    _check_sinks(reading, at, values)


def _gate_problems(gate: GateWay, values: dict[str, Any]) -> Iterator[str]:
    shares = [share.rstrip("/") for share in values.get("shares") or ()]
    others = [each.staging for each in values["gates"] if each is not gate]
    quarantine = values.get("quarantine", Quarantine()).folder
    for folder in (gate.staging, gate.outbound):
        if not folder.startswith("/"):
            yield f"{folder or '/'} must be the absolute path of a folder"
    if any(within(gate.staging, share) or within(share, gate.staging) for share in shares):
        yield f"{gate.staging} and a share hold one the other: what waits there could be had already"
    if not any(within(gate.outbound, share) for share in shares):
        yield f"{gate.outbound} lies in no share: nobody would watch what went through"
    if any(within(gate.staging, other) for other in others):
        yield f"{gate.staging} lies in what another gate watches"
    if quarantine is not None and within(quarantine, gate.staging):
        yield f"quarantine.folder lies in {gate.staging}: what is taken out of reach would come back"


def _check_sinks(reading: _Reading, at: dict[str, Any], values: dict[str, Any]) -> None:
    from scanner.sinks.config import SinkConfigError, build

    try:
        for sink in build(values.get("sinks", ())):
            sink.close()
    except SinkConfigError as error:
        for problem in error.problems:
            node = at["sinks"]
            for part in problem.place:
                node = _inside(node, part)
            reading.wrong(node, str(problem))


def _inside(node: Any, part: str | int) -> Any:
    """The node at a key or position of another; that one where there is none."""
    import yaml

    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part]
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), node)
    return node


def quiet(hours: tuple[str, ...], minute: int) -> bool:
    """Whether a minute of the day lies in one of some hours, which may go over midnight."""
    for each in hours:
        found = _HOURS.fullmatch(each)
        assert found is not None
        start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
        inside = start <= minute < end if start <= end else minute >= start or minute < end
        if inside:
            return True
    return False


def scan_settings(config: AgentConfig) -> Settings:
    """The settings of a scan that a configuration gives.

    Raises:
        ConfigError: one of them is none.
    """
    from scanner.config import load as load_settings

    limits = dict(config.scan.get("limits") or {})
    limits |= {"memory_mb": config.limits.memory_mb, "item_seconds": config.limits.item_seconds}
    return load_settings(None, environment={}, flags={**config.scan, "limits": limits})
