"""The memory of clients: short, bounded, and loaded once for all who wait."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from comptoir.gateway.clients import Clients
from comptoir.identity.api import ClientView

from .conftest import CLIENT, Till, view

pytestmark = pytest.mark.anyio


class Source:
    """Client views by ref, the loads that were made, and a clock to turn."""

    def __init__(self, till: Till) -> None:
        self.views: dict[str, ClientView] = {CLIENT: view(till)}
        self.loads: list[str] = []
        self.now = 0.0

    async def load(self, client_ref: str) -> ClientView | None:
        self.loads.append(client_ref)
        await asyncio.sleep(0)
        return self.views.get(client_ref)

    def clients(self, capacity: int = 10) -> Clients:
        return Clients(self.load, seconds=3, capacity=capacity, clock=lambda: self.now)


async def test_loaded_once_for_all_who_wait_and_again_after_some_seconds(till: Till) -> None:
    source = Source(till)
    clients = source.clients()
    await asyncio.gather(*(clients.get(CLIENT) for _ in range(50)))
    source.now = 2.9
    await clients.get(CLIENT)
    assert source.loads == [CLIENT]
    source.now = 3.1
    await clients.get(CLIENT)
    assert source.loads == [CLIENT, CLIENT]


async def test_a_revoked_key_is_gone_when_the_memory_is_old(till: Till) -> None:
    source = Source(till)
    clients = source.clients()
    before = await clients.get(CLIENT)
    assert before is not None
    assert before.key(1) is not None
    assert before.key(None) is before.key(2)
    assert before.key(3) is None
    source.views[CLIENT] = msgspec.structs.replace(source.views[CLIENT], keys=())
    source.now = 3.1
    after = await clients.get(CLIENT)
    assert after is not None
    assert after.key(1) is after.key(None) is None


async def test_strangers_are_remembered_apart_and_never_push_out_a_client(till: Till) -> None:
    source = Source(till)
    clients = source.clients(capacity=5)
    await clients.get(CLIENT)
    for number in range(100):
        assert await clients.get(f"stranger-{number}") is None
    assert await clients.get("stranger-99") is None
    await clients.get(CLIENT)
    assert source.loads.count(CLIENT) == 1
    assert source.loads.count("stranger-99") == 1
    assert len(clients._strangers) == 5


async def test_a_stranger_who_registers_is_known_after_some_seconds(till: Till) -> None:
    source = Source(till)
    clients = source.clients()
    assert await clients.get("NEW") is None
    source.views["NEW"] = view(till, "NEW")
    source.now = 3.1
    assert await clients.get("NEW") is not None


async def test_the_memory_of_clients_is_bounded(till: Till) -> None:
    source = Source(till)
    source.views = {f"C{number}": view(till, f"C{number}") for number in range(20)}
    clients = source.clients(capacity=5)
    for client_ref in source.views:
        await clients.get(client_ref)
    assert len(clients._known) == 5


async def test_a_failure_is_raised_to_all_and_not_remembered(till: Till) -> None:
    source = Source(till)
    failing = True

    async def load(client_ref: str) -> ClientView | None:
        await asyncio.sleep(0)
        if failing:
            raise ConnectionError
        return await source.load(client_ref)

    clients = Clients(load, clock=lambda: source.now)
    results = await asyncio.gather(*(clients.get(CLIENT) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(one, ConnectionError) for one in results)
    failing = False
    assert await clients.get(CLIENT) is not None


async def test_one_who_hangs_up_does_not_fail_the_others(till: Till) -> None:
    clients = Source(till).clients()
    first = asyncio.create_task(clients.get(CLIENT))
    second = asyncio.create_task(clients.get(CLIENT))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is not None
