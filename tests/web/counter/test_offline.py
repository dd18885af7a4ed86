"""The counter as an app: what is kept on the device is one page, and nothing of anybody's."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, expect

from tests.web.counter.till import open_at_till
from tests.web.pages import DESK, PHONE, assert_accessible, assert_fits, client_of, complaints, shot
from tests.web.world import World


def test_the_counter_can_be_put_on_the_home_screen(world: World) -> None:
    client = client_of(None)
    manifest = client.get("/counter/manifest.webmanifest")
    assert manifest["Content-Type"] == "application/manifest+json"
    told = manifest.json()
    assert (told["start_url"], told["scope"], told["display"]) == ("/counter/", "/counter/", "standalone")
    worker = client.get("/counter/worker.js")
    assert worker["Content-Type"].startswith("text/javascript")
    shell = re.search(r"SHELL = (\{.*\});", worker.content.decode())
    assert shell is not None
    kept = json.loads(shell[1])
    assert (kept["instead"], kept["pages"]) == ("/counter/offline", [])
    assert client.get(kept["instead"]).status_code == 200


def test_the_page_that_is_kept_holds_nothing_of_anybodys(world: World) -> None:
    own, nobody = client_of(world.shop.cashier), client_of(None)
    assert own.get("/counter/offline").content == nobody.get("/counter/offline").content
    assert "sessionid" not in own.get("/counter/offline").cookies


@pytest.mark.parametrize(("size", "dark"), [(PHONE, False), (DESK, True)], ids=["phone", "desk-dark"])
def test_the_page_without_network_is_for_everybody(
    browser: Browser, site: str, world: World, size: dict[str, int], dark: bool
) -> None:
    page = open_at_till(browser, site, world, size=size, dark=dark)
    page.goto("/counter/offline")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shot(page, f"counter-no-network-{'desk-dark' if dark else 'phone'}")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_url("**/counter/")
    assert complaints(page) == []
