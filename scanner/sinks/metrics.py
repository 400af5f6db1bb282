"""Numbers for Prometheus, in its text format 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/. Nothing but dictionaries and a lock: a counter
costs no memory worth a mention, and no thread. Labels hold words of a closed set or names from the
configuration; a metric of more than `MOST_SERIES` is cut, visibly. Names of files and values of persons have
no place there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: Series of one metric; further ones are added up under the label value ``other``.
MOST_SERIES = 1000
_OTHER = "other"
#: Seconds: from a small file's verdict to a large one's.
SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0)

Labels = tuple[str, ...]


class Metric:
    """One metric: a value for each set of label values.

    Args:
        kind: ``counter``, ``gauge`` or ``histogram``.
        name: with the unit at its end, ``_total`` for counters.
        about: one sentence.
        labels: names of the labels.
        buckets: upper bounds of a histogram's buckets, ascending.
    """

    def __init__(
        self, kind: str, name: str, about: str, labels: Labels = (), buckets: Sequence[float] = ()
    ) -> None:
        self.kind, self.name, self.about, self.labels = kind, name, about, labels
        self._buckets = tuple(buckets)
        self._lock = threading.Lock()
        self._values: dict[Labels, float] = {} if labels or kind == "histogram" else {(): 0.0}
        self._counts: dict[Labels, list[int]] = {}

    def add(self, amount: float = 1.0, **labels: str) -> None:
        """Count."""
        with self._lock:
            key = self._key(labels)
            self._values[key] = self._values.get(key, 0.0) + amount

    def set(self, value: float, **labels: str) -> None:
        """Set a gauge."""
        with self._lock:
            self._values[self._key(labels)] = float(value)

    def observe(self, value: float, **labels: str) -> None:
        """Put a value into a histogram."""
        with self._lock:
            key = self._key(labels)
            counts = self._counts.setdefault(key, [0] * (len(self._buckets) + 1))
            # Buckets are few: a search would cost more than the walk.
            at = next((i for i, bound in enumerate(self._buckets) if value <= bound), len(self._buckets))
            counts[at] += 1
            self._values[key] = self._values.get(key, 0.0) + value

    def replace(self, values: Mapping[Labels, float]) -> None:
        """Set all of a gauge's series at once; others of it are gone."""
        with self._lock:
            self._values = {}
            for key, value in values.items():
                kept = key if len(self._values) < MOST_SERIES else (_OTHER,) * len(key)
                self._values[kept] = self._values.get(kept, 0.0) + value

    def value(self, **labels: str) -> float:
        """The value of one series, 0 where there is none; for a histogram its sum."""
        with self._lock:
            return self._values.get(self._named(labels), 0.0)

    def lines(self) -> Iterable[str]:
        """The metric in the text format."""
        with self._lock:
            values = dict(self._values)
            counts = {key: list(each) for key, each in self._counts.items()}
        yield f"# HELP {self.name} {_help(self.about)}"
        yield f"# TYPE {self.name} {self.kind}"
        for key, value in sorted(values.items()):
            if self.kind == "histogram":
                yield from self._histogram(key, value, counts[key])
            else:
                yield f"{self.name}{_labels(self.labels, key)} {_number(value)}"

    def _histogram(self, key: Labels, total: float, counts: Sequence[int]) -> Iterable[str]:
        names, reached = (*self.labels, "le"), 0
        for bound, count in zip((*map(_number, self._buckets), "+Inf"), counts, strict=True):
            reached += count
            yield f"{self.name}_bucket{_labels(names, (*key, bound))} {reached}"
        yield f"{self.name}_sum{_labels(self.labels, key)} {_number(total)}"
        yield f"{self.name}_count{_labels(self.labels, key)} {reached}"

    def _named(self, labels: Mapping[str, str]) -> Labels:
        if tuple(sorted(labels)) != tuple(sorted(self.labels)):
            raise ValueError(f"{self.name} has the labels {', '.join(self.labels) or 'none'}")
        return tuple(labels[name] for name in self.labels)

    def _key(self, labels: Mapping[str, str]) -> Labels:
        key = self._named(labels)
        if key in self._values or len(self._values) < MOST_SERIES:
            return key
        return (_OTHER,) * len(key)


class Registry:
    """The metrics of one process, in the order in which they were made."""

    def __init__(self) -> None:
        self._metrics: dict[str, Metric] = {}
        self._before: list[Callable[[], None]] = []

    def counter(self, name: str, about: str, *labels: str) -> Metric:
        """A number that only grows."""
        return self._made(Metric("counter", name, about, labels))

    def gauge(self, name: str, about: str, *labels: str) -> Metric:
        """A number that goes up and down."""
        return self._made(Metric("gauge", name, about, labels))

    def histogram(self, name: str, about: str, *labels: str, buckets: Sequence[float] = SECONDS) -> Metric:
        """How often values fell into which range."""
        return self._made(Metric("histogram", name, about, labels, buckets))

    def before(self, refresh: Callable[[], None]) -> None:
        """Call this before each rendering, for gauges that are looked up rather than kept."""
        self._before.append(refresh)

    def render(self) -> bytes:
        """All metrics in the text format."""
        for refresh in self._before:
            refresh()
        return "".join(f"{line}\n" for each in self._metrics.values() for line in each.lines()).encode(
            "utf-8"
        )

    def _made(self, metric: Metric) -> Metric:
        if metric.name in self._metrics:
            raise ValueError(f"there is a metric {metric.name} already")
        self._metrics[metric.name] = metric
        return metric


class AgentMetrics:
    """The agent's metrics. Times are seconds, sizes bytes; moments are seconds of the epoch.

    Attributes:
        registry: holds them all.
    """

    def __init__(self, version: str) -> None:
        made = self.registry = Registry()
        made.gauge("sharewatch_info", "The program that runs; always 1.", "version").set(1, version=version)
        self.items = made.counter("sharewatch_items_total", "Items whose scan ended.", "status")
        self.scanned_bytes = made.counter("sharewatch_scanned_bytes_total", "Bytes of scanned files.")
        self.gaps = made.counter("sharewatch_gaps_total", "What was not looked at.", "reason")
        self.scan_seconds = made.histogram("sharewatch_scan_seconds", "Time of a scan of one item.")
        self.verdict_seconds = made.histogram(
            "sharewatch_complete_to_verdict_seconds", "From when a file was complete to its recorded verdict."
        )
        self.queue = made.gauge("sharewatch_queue_items", "Items that wait to be scanned.", "priority")
        self.queue_oldest = made.gauge(
            "sharewatch_queue_oldest_seconds", "How long the oldest item has waited."
        )
        self.findings = made.gauge("sharewatch_findings_open", "Open findings.", "vendor", "severity")
        self.workers = made.gauge("sharewatch_workers", "Worker processes that run.")
        self.worker_restarts = made.counter(
            "sharewatch_worker_restarts_total", "Workers that died or were ended.", "reason"
        )
        self.last_walk = made.gauge(
            "sharewatch_last_reconcile_timestamp_seconds", "When a reconciling walk last ended."
        )
        self.walk_seconds = made.gauge("sharewatch_last_reconcile_seconds", "How long that walk took.")
        self.share_up = made.gauge("sharewatch_share_up", "1 while a share can be read.", "share")
        self.gate_files = made.counter("sharewatch_gate_files_total", "Files at gates.", "passage")
        self.gate_held = made.gauge("sharewatch_gate_held_files", "Files that a gate holds.", "staging")
        self.self_test = made.gauge(
            "sharewatch_self_test_timestamp_seconds", "When the self-test last found its people."
        )
        self.alarms = made.counter("sharewatch_alarms_total", "Alarms that were raised.", "what")
        self.sink_up = made.gauge("sharewatch_sink_up", "1 while a sink takes events.", "sink")
        self.sink_down = made.gauge("sharewatch_sink_down_seconds", "How long a sink has been down.", "sink")
        self.sink_pending = made.gauge("sharewatch_sink_pending_events", "Events that wait.", "sink")
        self.sink_lag = made.gauge(
            "sharewatch_sink_lag_seconds", "How long the oldest event has waited.", "sink"
        )
        self.sink_dead = made.gauge("sharewatch_sink_dead_events", "Events that were given up.", "sink")
        self.sink_left_out = made.counter(
            "sharewatch_sink_left_out_events_total", "Routine events that a full outbox left out.", "sink"
        )
        self.sink_delivered = made.counter(
            "sharewatch_sink_delivered_events_total", "Events handed over since the start.", "sink"
        )
        self.sink_failures = made.counter(
            "sharewatch_sink_failures_total", "Tries that failed since the start.", "sink"
        )

    def sinks(self, statuses: Iterable[Any], backlog: Iterable[Any], now: float) -> None:
        """Set the sinks' metrics.

        Args:
            statuses: `scanner.sinks.dispatch.SinkStatus` of each.
            backlog: ``scanner.ledger.outbox.Backlog`` of each.
            now: seconds of the epoch.
        """
        from datetime import datetime

        def seconds(since: str | None) -> float:
            return 0.0 if since is None else max(0.0, now - datetime.fromisoformat(since).timestamp())

        found, waiting = list(statuses), list(backlog)
        self.sink_up.replace({(each.name,): float(each.up is not False) for each in found})
        self.sink_down.replace({(each.name,): seconds(each.down_since) for each in found})
        self.sink_delivered.replace({(each.name,): each.delivered for each in found})
        self.sink_failures.replace({(each.name,): each.failures for each in found})
        self.sink_pending.replace({(each.sink,): each.pending for each in waiting})
        self.sink_dead.replace({(each.sink,): each.dead for each in waiting})
        self.sink_left_out.replace({(each.sink,): each.shed for each in waiting})
        self.sink_lag.replace({(each.sink,): seconds(each.oldest) for each in waiting})


def _labels(names: Sequence[str], values: Sequence[str]) -> str:
    if not names:
        return ""
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True))
    return f"{{{pairs}}}"


def _escaped(value: str) -> str:
    clean = value.encode("utf-8", "backslashreplace").decode("utf-8")
    return clean.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)
