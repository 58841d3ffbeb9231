"""Prometheus metrics with bounded labels: routes are those of the table or `other`, never what a scanner asks for."""

from functools import cache
from typing import Any


class Meters:
    """Counts what the layer answers. prometheus_client is imported late: BentoML sets its folder first."""

    def __init__(self) -> None:
        from prometheus_client import Counter, Histogram

        self._requests: Any = Counter("tunegate_requests", "Requests answered", ["route", "status"])
        self._seconds: Any = Histogram(
            "tunegate_request_seconds",
            "Seconds from a request's head to its answer",
            ["route"],
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
        )
        self._records: Any = Counter("tunegate_records", "Records answered")
        self._batch: Any = Histogram(
            "tunegate_batch_records", "Records per engine call", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
        )

    def request(self, route: str, status: int, seconds: float) -> None:
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def records(self, count: int) -> None:
        self._records.inc(count)

    def batch(self, size: int) -> None:
        self._batch.observe(size)


@cache
def meters() -> Meters:
    """One set per process: prometheus_client refuses a second metric of the same name."""
    return Meters()
