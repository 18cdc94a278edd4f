"""Numbers for Prometheus, counted in batches out of the access log, so that a request never touches a metric.

`http_route` is the name of a route of ours, never a path: the number of series is bounded by the config. Names follow
OpenTelemetry's semantic conventions where they have one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.eventlog.entry import AccessEntry
from gateway.eventlog.histogram import BatchHistogram

CONTENT_TYPE = CONTENT_TYPE_LATEST
LAST_RELOAD = "paywall_config_last_reload_successful"
SET_ASIDE = "paywall_upstream_set_aside"
SPOOL_BYTES = "paywall_events_spool_bytes"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_OWN_SECONDS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25)


class Metrics:
    """The metrics of one process."""

    def __init__(
        self,
        events_dropped: Callable[[], int] = lambda: 0,
        upstreams_set_aside: Callable[[], Mapping[str, bool]] = dict,
        events_spool_bytes: Callable[[], int] = lambda: 0,
    ) -> None:
        self.requests = 0
        """How many have ended."""
        self._registry = CollectorRegistry()
        self._requests = BatchHistogram(
            "http_server_request_duration_seconds",
            "From a request's head to the end of its answer.",
            ["http_request_method", "http_route", "http_response_status_code"],
            _SECONDS,
        )
        overhead = BatchHistogram(
            "paywall_overhead_seconds",
            "What the gateway itself took of a request: everything but waiting for the application and the client.",
            [],
            _OWN_SECONDS,
        )
        self._overhead = overhead.labels()
        self._registry.register(self._requests)
        self._registry.register(overhead)
        self._decisions = Counter(
            "paywall_decisions",
            "Requests by what was decided and why.",
            ["http_route", "decision", "reason"],
            registry=self._registry,
        )
        self._short_way = Counter(
            "paywall_short_way_requests",
            "Requests that went the short way, which costs about a third of the long one.",
            registry=self._registry,
        )
        self._reloads = Counter(
            "paywall_config_reloads", "New configs, by whether they were taken.", ["result"], registry=self._registry
        )
        self._config_ok = Gauge(LAST_RELOAD, "1 unless the newest config was refused.", registry=self._registry)
        self._config_ok.set(1)
        dropped = Gauge(
            "paywall_events_dropped",
            "Events lost since the start: no room was left for what waits, or they could not be read any more.",
            registry=self._registry,
        )
        dropped.set_function(events_dropped)
        waiting = Gauge(SPOOL_BYTES, "Bytes of events that wait on disk for the store.", registry=self._registry)
        waiting.set_function(events_spool_bytes)
        self._registry.register(_SetAside(upstreams_set_aside))

    def count(self, entries: Sequence[AccessEntry]) -> None:
        """Count what the access log is about to write."""
        self.requests += len(entries)
        self._short_way.inc(sum([entry.short_way for entry in entries]))
        self._overhead.observe([max(0, entry.duration_ns - entry.waited_ns) / 1e9 for entry in entries])
        alike: dict[tuple[str, str, int, str, str], list[float]] = {}
        for entry in entries:
            labels = (entry.method, entry.route, entry.status, entry.decision, entry.reason)
            durations = alike.get(labels)
            if durations is None:
                durations = alike[labels] = []
            durations.append(entry.duration_ns / 1e9)
        for (method, route, status, decision, reason), durations in alike.items():
            method = method if method in _METHODS else "_OTHER"
            self._requests.labels(method, route, str(status)).observe(durations)
            self._decisions.labels(route, decision, reason).inc(len(durations))

    def count_reload(self, result: str, successful: bool) -> None:
        """A new config came."""
        self._reloads.labels(result).inc()
        self._config_ok.set(1 if successful else 0)

    def page(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self._registry)

    def families(self) -> list[Metric]:
        """All of them as they stand, to be added to those of other processes."""
        return list(self._registry.collect())


class _SetAside(Collector):
    """The addresses of the config in force, asked when somebody looks: a config that is gone leaves no series."""

    def __init__(self, upstreams: Callable[[], Mapping[str, bool]]) -> None:
        self._upstreams = upstreams

    def collect(self) -> Iterator[Metric]:
        """See the base."""
        gauge = GaugeMetricFamily(
            SET_ASIDE,
            "1 while this address of the application is set aside, for applications at several.",
            labels=["upstream"],
        )
        for address, is_set_aside in self._upstreams().items():
            gauge.add_metric([address], is_set_aside)
        yield gauge


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "WEBSOCKET"})
