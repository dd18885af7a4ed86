"""The load generator: a readiness loop over keep-alive connections, cheap enough not to be the limit.

*Closed*: every connection sends its next request when its answer is there: how fast can it go at all.
*Paced*: requests fall due at random instants of a given mean rate (a Poisson process) whether or not
earlier ones are answered; each answer's time counts from the instant its request was due, so a stall is
felt by everybody who would have come meanwhile.
"""

from __future__ import annotations

import gc
import random
import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

_TIMEOUT = 30.0
_SAMPLE_EVERY = 100


class LoadFailed(Exception):
    """The gateway closed a connection, or did not answer in time."""


@dataclass
class Load:
    """What a run measured. `waits` are seconds from due to answered, in order of answering."""

    sent: int = 0
    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    results: Counter[str] = field(default_factory=Counter)
    samples: list[tuple[bytes, bytes]] = field(default_factory=list)
    own_cpu: float = 0.0

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.waits) / self.seconds if self.seconds else 0.0

    def quantile_ms(self, share: float) -> float:
        """The wait in milliseconds that `share` of the answers did not exceed."""
        ordered = sorted(self.waits)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1000 if ordered else 0.0


def run_load(
    address: tuple[str, int],
    requests: Sequence[bytes],
    *,
    connections: int,
    seconds: float,
    per_second: float | None = None,
) -> Load:
    """Send `requests` for `seconds`, or until there are no more: closed, or paced at `per_second`.

    Every request that was sent is waited for. Raises LoadFailed.
    """
    generator = _Generator(address, requests, connections, per_second)
    gc.collect()
    gc.disable()
    try:
        return generator.run(seconds)
    finally:
        gc.enable()
        generator.close()


@dataclass(slots=True)
class _Line:
    """One connection: the request under way, when it was due, and what came so far."""

    socket: socket.socket
    request: bytes = b""
    due: float = 0.0
    received: bytes = b""


class _Generator:
    def __init__(
        self, address: tuple[str, int], requests: Sequence[bytes], connections: int, per_second: float | None
    ) -> None:
        self._requests = iter(requests)
        self._per_second = per_second
        self._selector = selectors.DefaultSelector()
        self._idle: deque[_Line] = deque()
        self._load = Load()
        self._next_due = 0.0
        self._lines = [self._connect(address) for _ in range(connections)]

    def run(self, seconds: float) -> Load:
        """Run to the end, see `run_load`."""
        load, cpu = self._load, time.process_time()
        started = last = time.perf_counter()
        deadline = started + seconds
        self._idle.extend(self._lines)
        self._next_due = started
        more = True
        while True:
            now = time.perf_counter()
            more = more and now < deadline and self._send_due(now)
            if not more and len(self._idle) == len(self._lines):
                break
            pause = max(0.0, min(self._next_due, deadline) - now) if more and self._idle else _TIMEOUT
            events = self._selector.select(pause)
            now = time.perf_counter()
            for key, _ in events:
                self._receive(key.data, now)
                last = now
            if not events and pause == _TIMEOUT:
                raise LoadFailed(f"no answer for {_TIMEOUT:g} s")
        load.seconds = (max(last, deadline) if self._per_second else last) - started
        load.own_cpu = time.process_time() - cpu
        return load

    def close(self) -> None:
        """Close all connections."""
        for line in self._lines:
            line.socket.close()
        self._selector.close()

    def _send_due(self, now: float) -> bool:
        """Send what is due while a connection is free; False when there are no more requests."""
        while self._idle and (self._per_second is None or self._next_due <= now):
            request = next(self._requests, None)
            if request is None:
                return False
            line = self._idle.popleft()
            line.request, line.received = request, b""
            if self._per_second is None:
                line.due = now
            else:
                line.due = self._next_due
                self._next_due += random.expovariate(self._per_second)
            line.socket.sendall(request)
            self._load.sent += 1
        return True

    def _receive(self, line: _Line, now: float) -> None:
        """Take what arrived; when it is the whole answer, note it and free the connection."""
        piece = line.socket.recv(65_536)
        if not piece:
            raise LoadFailed("the gateway closed a connection")
        received = line.received = line.received + piece if line.received else piece
        head = received.find(b"\r\n\r\n")
        if head < 0 or len(received) < head + 4 + _content_length(received, head):
            return
        load = self._load
        load.waits.append(now - line.due)
        load.results[_result_code(received, head)] += 1
        if len(load.waits) % _SAMPLE_EVERY == 1:
            load.samples.append((line.request, received))
        self._idle.append(line)

    def _connect(self, address: tuple[str, int]) -> _Line:
        line = _Line(socket.create_connection(address, timeout=_TIMEOUT))
        line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(line.socket, selectors.EVENT_READ, line)
        return line


def _content_length(received: bytes, head: int) -> int:
    start = received.find(b"content-length:", 0, head) + len(b"content-length:")
    return int(received[start : received.index(b"\r\n", start)])


def _result_code(received: bytes, head: int) -> str:
    if not received.startswith(b"HTTP/1.1 200 "):
        return received[:12].decode("latin-1")
    mark = b'"resultCode":"'
    start = received.find(mark, head)
    return received[start + len(mark) : received.find(b'"', start + len(mark))].decode() if start > 0 else "?"
