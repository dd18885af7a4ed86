"""Traces for OpenTelemetry: one span a request, one a batch, through the API alone.

What becomes of them is decided by whoever starts the process: with an SDK and an exporter set up
(``opentelemetry-instrument comptoir serve gateway``) they are exported, without one they are nothing.
Loaded only when COMPTOIR_TRACES is 1. A request's span names its batch, so that the two are found together.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from opentelemetry import trace as otel

from comptoir.kernel.watch import Backlog, BatchDone, Trace, Watch

_NANOSECONDS = 1_000_000_000


class Traces(Watch):
    """Makes spans of what it is told, and tells it on."""

    def __init__(self, then: Watch) -> None:
        self._then = then
        self._tracer = otel.get_tracer("comptoir")

    def request_begun(self) -> None:
        """Told on: a span is made when its end is known."""
        self._then.request_begun()

    def request_ended(self, operation: str, result: str, seconds: float, trace: Trace) -> None:
        """A server's span: operation, result code, request id, and where its time went."""
        now = time.time_ns()
        span = self._tracer.start_span(
            operation,
            kind=otel.SpanKind.SERVER,
            start_time=now - round(seconds * _NANOSECONDS),
            attributes={
                "comptoir.request_id": trace.request_id,
                "comptoir.result": result,
                "comptoir.batch": trace.batch,
                "comptoir.waited_s": trace.waited,
                "comptoir.in_books_s": trace.in_books,
            },
        )
        span.end(now)
        self._then.request_ended(operation, result, seconds, trace)

    def batch_done(self, done: BatchDone, waiting: int) -> None:
        """A span of the transaction."""
        now = time.time_ns()
        span = self._tracer.start_span(
            "batch",
            start_time=now - round(done.transaction * _NANOSECONDS),
            attributes={
                "comptoir.batch": done.batch,
                "comptoir.commands": len(done.outcomes),
                "comptoir.commit_s": done.commit,
            },
        )
        span.end(now)
        self._then.batch_done(done, waiting)

    def batch_retried(self, error: str) -> None:
        """Told on."""
        self._then.batch_retried(error)

    def step_done(self, job: str, seconds: float) -> None:
        """Told on: most steps find nothing to do."""
        self._then.step_done(job, seconds)

    def job_failed(self, job: str) -> None:
        """Told on."""
        self._then.job_failed(job)

    def notified(self, topic: str, result: str, late: float) -> None:
        """Told on."""
        self._then.notified(topic, result, late)

    def backlog(self, topics: Sequence[Backlog]) -> None:
        """Told on."""
        self._then.backlog(topics)
