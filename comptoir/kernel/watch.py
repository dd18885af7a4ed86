"""Who watches: what metrics and traces are told, and what is known of one request while it travels.

Nothing here measures by itself: a `Watch` is told, and the one that everybody has by default does nothing.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

_tokens: dict[int, str] = {}


def process_token() -> str:
    """12 hex digits that name this process: request ids begin with it, so does its database session's name.

    Made after a fork, not before it: two servers of one gateway must not give out the same ids.
    """
    return _tokens.setdefault(os.getpid(), secrets.token_hex(6))


@dataclass(slots=True)
class Trace:
    """One request on its way. The engine writes where its command went: batch, seconds waited and worked.

    A request that asked the engine more than once (another issuer's answer is recorded) keeps the last batch,
    and the sum of the seconds.
    """

    request_id: str
    batch: str = ""
    waited: float = 0.0
    in_books: float = 0.0


_current: ContextVar[Trace | None] = ContextVar("comptoir_trace", default=None)


def begin(request_id: str) -> Trace:
    """The trace of the request that this task serves from now on."""
    trace = Trace(request_id)
    _current.set(trace)
    return trace


def current() -> Trace | None:
    """The trace of the request that this task serves, if it serves one."""
    return _current.get()


@dataclass(frozen=True, slots=True)
class BatchDone:
    """A batch that was committed. Seconds: the oldest command's wait, the transaction, its commit alone.

    `outcomes` has the kind of each command (``Pay``) and the dotted code of its outcome.
    """

    batch: str
    outcomes: Sequence[tuple[str, str]]
    waited: float
    transaction: float
    commit: float


@dataclass(frozen=True, slots=True)
class Backlog:
    """The outbox of one topic: items that are due and in nobody's hands, the age in seconds of the oldest of
    them (0 when there is none), and the dead."""

    topic: str
    due: int
    oldest: float
    dead: int


class Watch:
    """Is told what happens. Does nothing by itself, and costs as much; must neither wait nor raise."""

    def request_begun(self) -> None:
        """A request has arrived at the door."""

    def request_ended(self, operation: str, result: str, seconds: float, trace: Trace) -> None:
        """It was answered with a result code, or `hung_up`. What is no operation is called ``other``."""

    def batch_done(self, done: BatchDone, waiting: int) -> None:
        """The engine has committed a batch; `waiting` commands are in the queue."""

    def batch_retried(self, error: str) -> None:
        """A batch is tried again, after an error of this class."""

    def step_done(self, job: str, seconds: float) -> None:
        """A job of the worker has done one step."""

    def job_failed(self, job: str) -> None:
        """A job of the worker failed, and is begun again."""

    def notified(self, topic: str, result: str, late: float) -> None:
        """A notification was ``delivered``, ``failed`` or is ``dead``; its sending began `late` seconds after
        it was due."""

    def backlog(self, topics: Sequence[Backlog]) -> None:
        """What the outbox holds: every topic that holds anything."""


#: The watch of whoever is not watched.
NOBODY = Watch()
