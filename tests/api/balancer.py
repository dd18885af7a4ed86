"""A balancer as an operator would put one in front: connections go to gateways that say they are ready."""

from __future__ import annotations

import asyncio
import itertools
import threading
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Self

_ASK_SECONDS = 0.3


class Balancer:
    """Asks each gateway's /readyz a few times a second; passes bytes on, and looks at none of them."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = list(ports)
        self._ready = set(ports)
        self._turn = itertools.count()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._stop = threading.Event()
        self._asking = threading.Thread(target=self._ask, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        started = asyncio.start_server(self._carry, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(started, self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        self._asking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._asking.join()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def sends_to(self, port: int) -> bool:
        """Whether new connections go to this gateway."""
        return port in self._ready

    def _ask(self) -> None:
        while not self._stop.wait(_ASK_SECONDS):
            with ThreadPoolExecutor(len(self._ports)) as pool:  # one that is slow to answer holds up no other
                ready = pool.map(_is_ready, self._ports)
                self._ready = {port for port, is_ready in zip(self._ports, ready, strict=True) if is_ready}

    async def _end(self) -> None:
        self._server.close()
        carrying = asyncio.all_tasks() - {asyncio.current_task()}
        for one in carrying:
            one.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ready = [port for port in self._ports if port in self._ready]
        if ready:
            port = ready[next(self._turn) % len(ready)]
            with suppress(OSError):
                behind_reader, behind = await asyncio.open_connection("127.0.0.1", port)
                try:
                    await asyncio.gather(_pass(reader, behind), _pass(behind_reader, writer))
                finally:
                    behind.close()
        writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Everything that comes, until one side has enough; then the other hears of it too."""
    with suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    writer.close()


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False
