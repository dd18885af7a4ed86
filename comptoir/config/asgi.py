"""Both doors behind one port: machines to the gateway, people to Django.

`gateway` is the machines' door alone, `application` sends every other path to Django, which is loaded
at the first such request: a process that only takes payments never pays for it.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comptoir.config.settings")

import django

django.setup()

from django.conf import settings  # noqa: E402

from comptoir.config import machines  # noqa: E402
from comptoir.config.observers import Observers  # noqa: E402
from comptoir.gateway.app import HEALTH_PATH, READY_PATH, create_app  # noqa: E402
from comptoir.gateway.door import Limits  # noqa: E402

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_MACHINE_PATHS = ("/ams/", "/aps/")
_PEOPLE_THREADS = 8


def belongs_to_gateway(path: str) -> bool:
    """Whether a path is for machines. `/ams/` may come after more slashes or a prefix: clients differ."""
    return path in (HEALTH_PATH, READY_PATH) or any(mark in path for mark in _MACHINE_PATHS)


class Doors:
    """An ASGI application that hands each request to one of two. The lifespan is the gateway's."""

    def __init__(self, machines: App, load_people: Callable[[], App], drain: Callable[[], None]) -> None:
        """`drain` is the gateway's: see there."""
        self._machines = machines
        self.drain = drain
        self._load_people = load_people
        self._people: App | None = None
        self._loading = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] == "lifespan" or belongs_to_gateway(scope["path"]):
            await self._machines(scope, receive, send)
            return
        people = await self._people_loaded()

        async def heard() -> MutableMapping[str, Any]:
            # Asked for from another thread, which takes a coroutine; the server has something else to await.
            return await receive()

        await people(scope, heard, send)

    async def _people_loaded(self) -> App:
        async with self._loading:
            if self._people is None:
                # In a thread: importing the pages must not hold up payments.
                self._people = await asyncio.to_thread(self._load_people)
        return self._people


def _load_people() -> App:
    from a2wsgi import WSGIMiddleware

    wsgi = importlib.import_module("comptoir.config.wsgi")
    return cast(App, WSGIMiddleware(wsgi.application, workers=_PEOPLE_THREADS))


_observers = Observers.of(settings.COMPTOIR)
gateway = create_app(
    database_url=settings.COMPTOIR.database_url,
    start=partial(machines.start, observers=_observers),
    limits=Limits(client_per_second=settings.COMPTOIR.client_rate),
    watch=_observers.watch,
)
application = Doors(cast(App, gateway), _load_people, gateway.drain)
