"""The metrics are what Prometheus reads, hold together, and name nobody."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scanner.ledger.outbox import Backlog
from scanner.sinks.dispatch import SinkStatus
from scanner.sinks.metrics import MOST_SERIES, AgentMetrics, Registry
from tests.sinks.making import TIME


def _samples(registry: Registry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What Prometheus' own parser reads."""
    families = text_string_to_metric_families(registry.render().decode("utf-8"))
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for each in families for s in each.samples}


def test_counters_gauges_and_histograms() -> None:
    """As the parser of Prometheus' own library reads them."""
    made = Registry()
    made.counter("plain_total", "Plain.").add(2)
    made.gauge("level", "A level.", "vendor").set(0.5, vendor="acme")
    times = made.histogram("took_seconds", "Time.", buckets=(0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7):
        times.observe(value)
    assert _samples(made) == {
        ("plain_total", ()): 2.0,
        ("level", (("vendor", "acme"),)): 0.5,
        ("took_seconds_bucket", (("le", "0.1"),)): 2.0,
        ("took_seconds_bucket", (("le", "1"),)): 3.0,
        ("took_seconds_bucket", (("le", "+Inf"),)): 4.0,
        ("took_seconds_sum", ()): 7.65,
        ("took_seconds_count", ()): 4.0,
    }


@pytest.mark.parametrize("vendor", ['a"b\\c\nd', "Müller", "x\udcfcy", "{}=,"])
def test_a_hostile_label_stays_one(vendor: str) -> None:
    """It is read back as it was."""
    made = Registry()
    made.gauge("level", "A level.", "vendor").set(1, vendor=vendor)
    ((_, labels),) = _samples(made)
    assert dict(labels) == {"vendor": vendor.encode("utf-8", "backslashreplace").decode("utf-8")}


def test_labels_are_the_declared_ones() -> None:
    """A wrong one is a mistake of ours."""
    metric = Registry().gauge("level", "A level.", "vendor")
    with pytest.raises(ValueError, match="has the labels vendor"):
        metric.set(1, seller="x")
    made = Registry()
    made.gauge("twice", "…")
    with pytest.raises(ValueError, match="already"):
        made.gauge("twice", "…")


def test_too_many_series_are_added_up() -> None:
    """Visibly, rather than growing without end."""
    made = Registry()
    metric = made.counter("seen_total", "Seen.", "what")
    for number in range(MOST_SERIES + 50):
        metric.add(what=f"w{number}")
    assert metric.value(what="other") == 50
    gauge = made.gauge("now", "Now.", "what")
    gauge.replace({(f"w{number}",): 1.0 for number in range(MOST_SERIES + 50)})
    assert gauge.value(what="other") == 50
    gauge.replace({("only",): 1.0})
    assert (gauge.value(what="only"), gauge.value(what="w1")) == (1, 0)


def test_threads_count_together() -> None:
    """No increment is lost."""
    metric = Registry().counter("seen_total", "Seen.")

    def count() -> None:
        for _ in range(2000):
            metric.add()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert metric.value() == 8000


def _agent() -> AgentMetrics:
    metrics = AgentMetrics("0.1.0")
    metrics.items.add(status="scanned")
    metrics.gaps.add(reason="encrypted")
    metrics.queue.set(3, priority="fresh")
    metrics.findings.replace({("acme", "high"): 2.0})
    metrics.verdict_seconds.observe(0.4)
    metrics.share_up.set(1, share="/srv/share")
    status = SinkStatus("siem", "webhook", False, 5, 2, 1, TIME, "HTTP 503", 3.0, TIME)
    now = 1_795_420_804.25 + 60
    metrics.sinks([status], [Backlog("siem", 7, 1, 4, TIME)], now)
    return metrics


def test_the_agents_metrics() -> None:
    """Set once, read back."""
    found = {name: value for (name, _), value in _samples(_agent().registry).items()}
    expected: dict[str, Any] = {
        "sharewatch_info": 1,
        "sharewatch_items_total": 1,
        "sharewatch_queue_items": 3,
        "sharewatch_findings_open": 2,
        "sharewatch_complete_to_verdict_seconds_count": 1,
        "sharewatch_sink_up": 0,
        "sharewatch_sink_down_seconds": 60,
        "sharewatch_sink_pending_events": 7,
        "sharewatch_sink_dead_events": 1,
        "sharewatch_sink_left_out_events_total": 4,
        "sharewatch_sink_lag_seconds": 60,
        "sharewatch_sink_delivered_events_total": 5,
        "sharewatch_sink_failures_total": 2,
    }
    assert {name: found[name] for name in expected} == expected


def test_names_follow_the_conventions() -> None:
    """One prefix, base units, and ``_total`` for counters alone."""
    families = list(text_string_to_metric_families(_agent().registry.render().decode()))
    assert len(families) > 15
    for each in families:
        assert each.name.startswith("sharewatch_")
        assert not each.name.endswith(("_ms", "_kb", "_mb", "_percent"))
        assert each.documentation.endswith(".")
    text = _agent().registry.render().decode()
    kinds = dict(line.split()[2:4] for line in text.splitlines() if line.startswith("# TYPE"))
    assert all(name.endswith("_total") == (kind == "counter") for name, kind in kinds.items())


def test_gauges_that_are_looked_up() -> None:
    """Before each rendering, not all the time."""
    made, asked = Registry(), [0]
    gauge = made.gauge("level", "A level.")

    def refresh() -> None:
        asked[0] += 1
        gauge.set(asked[0])

    made.before(refresh)
    assert asked == [0]
    assert _samples(made)[("level", ())] == 1
    assert _samples(made)[("level", ())] == 2
