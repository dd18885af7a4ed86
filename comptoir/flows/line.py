"""Other issuers, from a door that is synchronous: the payment is recorded, and they are asked meanwhile.

Whoever asks for the payment gets its record at once and looks again: the issuer's answer is recorded when
it comes, by the same process. If that dies first, the worker finds out what became of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from threading import Lock, Thread
from typing import Final

import structlog
from django.db import connection

from comptoir.flows.engine.desk import Desk
from comptoir.flows.issuers import ask, routed, settling
from comptoir.flows.operations import execute
from comptoir.flows.types import Outcome, Pay, Settle, SettleRefund
from comptoir.kernel.clock import Clock, utc_now
from comptoir.wallet.api import IssuerDirectory

log = structlog.get_logger("comptoir.issuers")

#: Seconds to learn who the issuers are: a look into the database.
_OPENING_S: Final = 10.0


class IssuerLine:
    """One process's way to other issuers: an event loop in a thread, begun with the first payment."""

    def __init__(
        self,
        open_issuers: Callable[[], Awaitable[IssuerDirectory]],
        new_desk: Callable[[], Desk],
        clock: Clock = utc_now,
    ) -> None:
        self._open = open_issuers
        self._new_desk = new_desk
        self._clock = clock
        self._opening = Lock()
        self._ready: tuple[asyncio.AbstractEventLoop, IssuerDirectory] | None = None

    def pay(self, command: Pay, now: datetime) -> Outcome:
        """Do a payment as far as our own books decide it; another issuer is asked after we have returned.

        Raises what opening the issuers raises, and the database's errors.
        """
        loop, issuers = self._opened()
        (outcome,) = execute([routed(command, issuers)], now, self._new_desk())
        if outcome.ask is not None:
            asyncio.run_coroutine_threadsafe(self._find_out(outcome, issuers), loop)
        return outcome

    def close(self) -> None:
        """Wait for what is being asked, let connections go, end the thread."""
        with self._opening:
            ready, self._ready = self._ready, None
        if ready is not None:
            loop, issuers = ready
            asyncio.run_coroutine_threadsafe(_finish(issuers), loop).result()
            loop.call_soon_threadsafe(loop.stop)

    def _opened(self) -> tuple[asyncio.AbstractEventLoop, IssuerDirectory]:
        with self._opening:
            if self._ready is None:
                loop = asyncio.new_event_loop()
                Thread(target=_run, args=(loop,), name="comptoir-issuers", daemon=True).start()
                try:
                    issuers = asyncio.run_coroutine_threadsafe(_await(self._open), loop).result(_OPENING_S)
                except BaseException:
                    loop.call_soon_threadsafe(loop.stop)
                    raise
                self._ready = loop, issuers
            return self._ready

    async def _find_out(self, outcome: Outcome, issuers: IssuerDirectory) -> None:
        """Ask, and record a final answer. Whatever goes wrong here, the worker asks again."""
        payment = outcome.payment
        if outcome.ask is None or payment is None or payment.issuer is None:
            return
        learned = settling(outcome, await ask(issuers, payment.issuer, outcome.ask))
        if learned is None:
            return
        try:
            await asyncio.to_thread(self._record, learned)
        except Exception:
            log.exception("issuers.answer_not_recorded", payment_id=payment.id.hex)

    def _record(self, learned: Settle | SettleRefund) -> None:
        try:
            execute([learned], self._clock(), self._new_desk())
        finally:
            connection.close()  # this thread's own


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _await(open_issuers: Callable[[], Awaitable[IssuerDirectory]]) -> IssuerDirectory:
    return await open_issuers()


async def _finish(issuers: IssuerDirectory) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)
    await issuers.aclose()
