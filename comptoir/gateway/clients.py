"""Who may speak, remembered for a few seconds.

The memory is bounded, and strangers have a part of their own: a flood of invented client ids cannot
push out those who pay. A revoked key stops working when its client is next loaded: `seconds` at most.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from cryptography.hazmat.primitives.asymmetric import rsa

from comptoir.identity.api import ClientView
from comptoir.standards.antom import signing

SECONDS: Final = 3.0
CAPACITY: Final = 10_000

T = TypeVar("T")

Load = Callable[[str], Awaitable[T | None]]


@dataclass(frozen=True, slots=True)
class Client:
    """A client with its live keys ready to verify, newest first."""

    view: ClientView
    keys: dict[int, rsa.RSAPublicKey]

    def key(self, version: int | None) -> rsa.RSAPublicKey | None:
        """The key of a version, or the newest when the caller did not say; None when there is none."""
        if version is None:
            return next(iter(self.keys.values()), None)
        return self.keys.get(version)


class Memory(Generic[T]):
    """Loads what has a name once every few seconds, however many requests wait for it."""

    def __init__(
        self,
        load: Load[T],
        *,
        seconds: float = SECONDS,
        capacity: int = CAPACITY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._seconds = seconds
        self._capacity = capacity
        self._clock = clock
        self._known: dict[str, tuple[float, T]] = {}
        self._strangers: dict[str, float] = {}
        self._loading: dict[str, asyncio.Task[T | None]] = {}

    async def get(self, name: str) -> T | None:
        """What has this name, or None. Raises what loading raises; a failure is not remembered."""
        now = self._clock()
        if (known := self._known.get(name)) is not None and known[0] > now:
            return known[1]
        if self._strangers.get(name, now) > now:
            return None
        task = self._loading.get(name)
        if task is None:
            task = asyncio.create_task(self._fetch(name))
            self._loading[name] = task
            task.add_done_callback(lambda _: self._loading.pop(name, None))
        return await asyncio.shield(task)  # one caller that hangs up does not fail the others

    async def _fetch(self, name: str) -> T | None:
        found = await self._load(name)
        until = self._clock() + self._seconds
        self._known.pop(name, None)
        self._strangers.pop(name, None)
        if found is None:
            _make_room(self._strangers, self._capacity)
            self._strangers[name] = until
            return None
        _make_room(self._known, self._capacity)
        self._known[name] = (until, found)
        return found


class Clients(Memory[Client]):
    """The clients that sign, by client ref; their keys are made ready when they are loaded."""

    def __init__(self, load: Load[ClientView], **kept: Any) -> None:
        """`load` finds a client; `kept` is `Memory`'s."""

        async def ready(client_ref: str) -> Client | None:
            view = await load(client_ref)
            if view is None:
                return None
            return Client(
                view, {key.version: signing.public_key_from_der(key.public_key) for key in view.keys}
            )

        super().__init__(ready, **kept)


def _make_room(memory: dict[str, Any], capacity: int) -> None:
    """Forget the oldest entry when the memory is full."""
    if len(memory) >= capacity:
        del memory[next(iter(memory))]
