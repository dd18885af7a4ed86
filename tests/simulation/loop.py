"""An event loop without waiting: its clock jumps to the next thing that is to happen."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(AssertionError):
    """Everybody waits for something that will never happen."""


class _Call:
    """A callback that is to be called: as much of `asyncio.Handle` as anybody uses."""

    __slots__ = ("_when", "args", "callback", "context", "gone")

    def __init__(self, when: float, callback: Callable[..., object], args: Any, context: Context | None):
        self._when, self.callback, self.args = when, callback, args
        self.context = context or copy_context()
        self.gone = False

    def cancel(self) -> None:
        self.gone = True

    def cancelled(self) -> bool:
        return self.gone

    def when(self) -> float:
        return self._when


class SimulatedLoop(asyncio.SelectorEventLoop):
    """`time()` is the simulated number of seconds since the loop began. It waits for no socket.

    What is called every few microseconds of a history is written anew, without what asyncio does for
    threads, signals and debugging.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._calls: deque[_Call] = deque()
        self._timers: list[tuple[float, int, _Call]] = []
        self._serial = count()
        super().__init__()

    def time(self) -> float:
        return self._now

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:
        call = _Call(self._now, callback, args, context)
        self._calls.append(call)
        return call

    def call_later(self, delay: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        call = _Call(when, callback, args, context)
        heappush(self._timers, (when, next(self._serial), call))
        return call

    def _run_once(self) -> None:
        """Everything that is ready; if nothing is, the time that would have been waited has passed."""
        calls, timers = self._calls, self._timers
        while timers and timers[0][2].gone:
            heappop(timers)
        if not calls:
            if not timers:
                raise Stuck("everybody waits, and nothing is going to happen")
            self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            calls.append(heappop(timers)[2])
        for _ in range(len(calls)):
            call = calls.popleft()
            if not call.gone:
                try:
                    call.context.run(call.callback, *call.args)
                except Exception as error:
                    self.call_exception_handler({"message": "a callback failed", "exception": error})


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end on a simulated loop; whatever is still under way then is ended."""
    loop = SimulatedLoop()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main)
    finally:
        rest = asyncio.all_tasks(loop)
        for task in rest:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()
