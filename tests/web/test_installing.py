"""The rooms that are apps on a home screen: what is kept on the device is nobody's."""

from __future__ import annotations

import json
import re

import pytest

from comptoir.identity.api import PersonView
from tests.web.pages import client_of
from tests.web.world import World

ROOMS = {"wallet": ["/wallet/code"], "counter": []}


def somebody(room: str, world: World) -> PersonView:
    return world.traveller.person if room == "wallet" else world.shop.cashier


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_can_be_put_on_the_home_screen(world: World, room: str) -> None:
    client = client_of(None)
    manifest = client.get(f"/{room}/manifest.webmanifest")
    assert manifest["Content-Type"] == "application/manifest+json"
    told = manifest.json()
    assert (told["start_url"], told["scope"], told["display"]) == (f"/{room}/", f"/{room}/", "standalone")
    worker = client.get(f"/{room}/worker.js")
    assert worker["Content-Type"].startswith("text/javascript")
    shell = re.search(r"SHELL = (\{.*\});", worker.content.decode())
    assert shell is not None
    kept = json.loads(shell[1])
    assert kept["name"] == f"comptoir-{room}"
    assert (kept["instead"], kept["pages"]) == (f"/{room}/offline", ROOMS[room])


@pytest.mark.parametrize("room", ROOMS)
def test_the_pages_that_are_kept_hold_nothing_of_anybodys(world: World, room: str) -> None:
    own, nobody = client_of(somebody(room, world)), client_of(None)
    for address in (f"/{room}/offline", *ROOMS[room]):
        answer = own.get(address)
        assert answer.status_code == 200
        assert answer.content == nobody.get(address).content
        assert "sessionid" not in answer.cookies
