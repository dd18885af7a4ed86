"""Metrics for Prometheus: what a process is told of (`kernel.watch`), counted and shown on its own port.

Not on the doors' port: figures of a business are nobody's who can reach its API. Nothing of this is loaded
unless COMPTOIR_METRICS is set.

The servers of one gateway count into files that they share (PROMETHEUS_MULTIPROC_DIR, made by `comptoir
serve` before it starts them), and whichever of them is asked answers for all: the figures are sums. What a
server counted that died since stays in its file, so no counter runs backwards.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from comptoir.config.environment import metrics_refused
from comptoir.kernel.watch import Backlog, BatchDone, Trace, Watch

#: Where the processes of one gateway keep their figures; unset in a process that stands alone.
SHARED_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 12.0)
_LATE_SECONDS: Final = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
_COMMANDS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)

_CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_HEAD_BYTES: Final = 8192
_HEAD_SECONDS: Final = 5.0


class Metrics(Watch):
    """Counts what it is told. About 10 µs of processor time a request, all in all."""

    def __init__(self) -> None:
        shared = os.environ.get(SHARED_FOLDER)
        self._registry = CollectorRegistry()
        if shared:
            _forget_the_dead(Path(shared))
        # With a shared folder the values live in files; a registry of ours would show this process alone.
        registry = None if shared else self._registry
        self._shared = bool(shared)

        def histogram(name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
            return Histogram(f"comptoir_{name}", text, labels, registry=registry, buckets=buckets)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"comptoir_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"comptoir_{name}", text, labels, registry=registry, multiprocess_mode="livesum")

        self._requests = histogram(
            "request_seconds", "Signed requests, from head to answer.", _SECONDS, "operation", "result"
        )
        self._in_flight = gauge("requests_in_flight", "Requests that have no answer yet.")
        self._batch = histogram("batch_commands", "Commands that shared one commit.", _COMMANDS)
        self._wait = histogram("batch_wait_seconds", "Wait of the oldest command of a batch.", _SECONDS)
        self._transaction = histogram(
            "batch_seconds", "A batch's transaction, from the books' lock to the commit.", _SECONDS
        )
        self._commit = histogram("commit_seconds", "The commit of a batch alone.", _SECONDS)
        self._outcomes = counter("commands", "Commands of committed batches.", "command", "code")
        self._retries = counter("batch_retries", "Batches that were tried again.", "error")
        self._waiting = gauge("commands_waiting", "Commands in the queue when the last batch was done.")
        self._steps = histogram("worker_step_seconds", "Steps of the worker's jobs.", _SECONDS, "job")
        self._failures = counter("worker_failures", "Failures of the worker's jobs.", "job")
        self._notified = counter("notifications", "Sendings, by what became of them.", "topic", "result")
        self._late = histogram(
            "notification_lag_seconds", "How late a sending began after it was due.", _LATE_SECONDS, "topic"
        )
        self._due = gauge("outbox_due", "Items that are due and in nobody's hands.", "topic")
        self._oldest = gauge("outbox_oldest_seconds", "Age of the oldest of them.", "topic")
        self._dead = gauge("outbox_dead", "Items that were given up.", "topic")
        self._topics: set[str] = set()
        self._request: dict[tuple[str, str], Histogram] = {}

    # ------------------------------------------------------------ what it is told

    def request_begun(self) -> None:
        """One more under way."""
        self._in_flight.inc()

    def request_ended(self, operation: str, result: str, seconds: float, trace: Trace) -> None:
        """One less; how long it took."""
        self._in_flight.dec()
        key = operation, result
        found = self._request.get(key)
        if found is None:
            found = self._request[key] = self._requests.labels(*key)
        found.observe(seconds)

    def batch_done(self, done: BatchDone, waiting: int) -> None:
        """Once a batch, whatever it holds."""
        self._batch.observe(len(done.outcomes))
        self._wait.observe(done.waited)
        self._transaction.observe(done.transaction)
        self._commit.observe(done.commit)
        self._waiting.set(waiting)
        counts: dict[tuple[str, str], int] = {}
        for kind in done.outcomes:
            counts[kind] = counts.get(kind, 0) + 1
        for kind, count in counts.items():
            self._outcomes.labels(*kind).inc(count)

    def batch_retried(self, error: str) -> None:
        """By the error's class."""
        self._retries.labels(error).inc()

    def step_done(self, job: str, seconds: float) -> None:
        """By job."""
        self._steps.labels(job).observe(seconds)

    def job_failed(self, job: str) -> None:
        """By job."""
        self._failures.labels(job).inc()

    def notified(self, topic: str, result: str, late: float) -> None:
        """By topic, and by what became of it."""
        self._notified.labels(topic, result).inc()
        self._late.labels(topic).observe(max(late, 0.0))

    def backlog(self, topics: Sequence[Backlog]) -> None:
        """A topic that holds nothing any more is shown as nothing, not as it was."""
        held = {one.topic: one for one in topics}
        self._topics |= held.keys()
        for topic in self._topics:
            one = held.get(topic, Backlog(topic, 0, 0.0, 0))
            self._due.labels(topic).set(one.due)
            self._oldest.labels(topic).set(one.oldest)
            self._dead.labels(topic).set(one.dead)

    # ------------------------------------------------------------ what it shows

    def render(self) -> bytes:
        """Everything, in Prometheus' text format."""
        if not self._shared:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        return generate_latest(registry)


def _forget_the_dead(folder: Path) -> None:
    """Remove what servers that are gone had under way; what they have counted stays."""
    for file in folder.glob("gauge_live*.db"):
        pid = re.search(r"_(\d+)\.db$", file.name)
        if pid and not Path(f"/proc/{pid.group(1)}").exists():
            file.unlink(missing_ok=True)


@asynccontextmanager
async def show(render: Callable[[], bytes], address: tuple[str, int]) -> AsyncIterator[None]:
    """Answer ``GET /metrics`` on `address` while the context lasts; the servers of a gateway share it.

    Raises EnvironmentInvalid when the address cannot be had.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(_HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                wanted = head.startswith((b"GET /metrics ", b"GET /metrics?"))
                writer.write(_reply(200, render()) if wanted else _reply(404, b"only GET /metrics\n"))
                await writer.drain()
        writer.close()

    host, port = address
    # Each server process of a gateway listens for itself; `comptoir serve` has made sure nobody else does.
    reuse = SHARED_FOLDER in os.environ or None
    try:
        server = await asyncio.start_server(answer, host, port, reuse_port=reuse, limit=_HEAD_BYTES)
    except OSError as error:
        raise metrics_refused(address, error) from None
    async with server:
        yield


def _reply(status: int, body: bytes) -> bytes:
    reason = "OK" if status == 200 else "Not Found"
    head = (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: {_CONTENT_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
