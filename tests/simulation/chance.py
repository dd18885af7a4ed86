"""Nothing by chance: ids, pauses, clocks and connections of the real code come from the simulation."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import psycopg

from comptoir.flows import api as flows
from comptoir.flows import issuers as flow_issuers
from comptoir.flows.engine import batch, queue
from comptoir.flows.engine.batch import _next_wave, run_with_books
from comptoir.flows.notifications import delivery
from comptoir.flows.worker import disputes, expire, renew
from comptoir.flows.worker import issuers as worker_issuers
from comptoir.flows.worker import loop as worker_loop
from comptoir.kernel import ids
from comptoir.kernel.statements import Flow, Statement
from comptoir.standards import order_code
from tests.simulation.database import TELL
from tests.simulation.oracle import Wrong


@contextmanager
def rare_collections() -> Iterator[None]:
    """A history makes many objects that last and few cycles: looking for cycles took a sixth of its time."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 10, 10)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class _Log:
    """Hears of faults that the engine and the worker survive: each is one of ours, and ends the history."""

    def __init__(self, control: SimpleNamespace) -> None:
        self._control = control

    def exception(self, event: str, **said: Any) -> None:
        """A fault, unless a time limit ended a transaction on a line that hung: that is the weather."""
        error = said.get("exc_info") or sys.exc_info()[1]
        if not isinstance(error, psycopg.errors.TransactionTimeout):
            self._control.failures.append(Wrong(f"a fault of ours: {event}: {error!r}"))

    error = exception

    def info(self, event: str, **_: Any) -> None:
        """Nothing to see."""

    warning = info


class _CourierLog(_Log):
    """A notification that is given up after every try is no fault."""

    error = _Log.info


@contextmanager
def controlled(rng: Random) -> Iterator[SimpleNamespace]:
    """Ids, random pauses, clocks and connections come from the simulation; all else is the real code."""
    control = SimpleNamespace()

    waves: dict[int, list[int]] = {}

    def next_wave(commands: Sequence[flows.Command], *rest: Any) -> tuple[list[int], list[int]]:
        wave, waiting = _next_wave(commands, *rest)
        waves[id(commands)] += wave
        return wave, waiting

    def recorded(commands: Sequence[flows.Command], now: datetime, *rest: Any) -> Flow[list[flows.Outcome]]:
        """A batch, and word to the oracle of what was done in which order, for when it commits."""
        waves[id(commands)] = []
        outcomes = yield from run_with_books(commands, now, *rest)
        done = [(commands[number], outcomes[number]) for number in waves.pop(id(commands))]
        yield [Statement(TELL, [control.batch_of(done, now)])]
        return outcomes

    log, connector = _Log(control), SimpleNamespace(connect=lambda *_, **__: control.connector.connect())
    logging = queue, worker_loop, expire, renew, disputes, worker_issuers, flow_issuers
    with ExitStack() as patches:
        for module, name, value in (
            (ids, "os", SimpleNamespace(urandom=rng.randbytes)),
            (
                ids,
                "time",
                SimpleNamespace(time_ns=lambda: round(control.now().timestamp() * 1000) * 1_000_000),
            ),
            (order_code, "secrets", SimpleNamespace(randbelow=rng.randrange)),
            (batch, "_next_wave", next_wave),
            (queue, "random", rng),
            (worker_loop, "random", rng),
            (worker_loop, "monotonic", lambda: asyncio.get_running_loop().time()),
            (worker_loop, "AsyncConnection", connector),
            (delivery, "signed_headers", lambda *_: {}),
            (delivery, "log", _CourierLog(control)),
            *((module, "log", log) for module in logging),
            (queue, "run_with_books", recorded),
            (batch, "run_with_books", recorded),
        ):
            patches.enter_context(patch.object(module, name, value))
        yield control
