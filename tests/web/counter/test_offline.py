"""What stands at the counter in place of a page that cannot be had (how it comes: test_network.py)."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.web.counter.till import open_at_till
from tests.web.pages import DESK, PHONE, assert_accessible, assert_fits, complaints, shot
from tests.web.world import World


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
