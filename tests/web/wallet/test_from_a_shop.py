"""A buyer with one phone: from the shop's page to the wallet, and back to the shop, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from playwright.sync_api import Browser, Page, expect

from comptoir.acquiring.api import Product
from comptoir.flows import api as flows
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.wallet import api as wallet
from tests.web.pages import aside, assert_accessible, assert_fits, client_of, complaints, open_as, shot
from tests.web.wallet.support import FULL, asked, order, own_balance, type_pin
from tests.web.world import PASSWORD, PIN, World

ONLINE: dict[str, Any] = {
    "scenario": None,
    "product": Product.CASHIER,
    "redirect_url": "https://shop.example/back?b=7",
}


def hosted(world: World) -> str:
    """The digits of an order of the shop's website."""
    identity.ensure_platform_key(now=utc_now())
    return order(world, **ONLINE)


@pytest.fixture
def page(browser: Browser, site: str, world: World) -> Page:
    """A phone on which nobody is logged in; the shop's website is a page that counts."""
    opened = open_as(browser, site, None)
    opened.context.route("https://shop.example/**", lambda route: route.fulfill(body="<h1>The shop</h1>"))
    return opened


def follow_into_the_wallet(page: Page, world: World, digits: str) -> None:
    page.goto(f"/c/{digits}")
    page.get_by_role("link", name="Continue in the wallet").click()
    page.get_by_label("Phone number").fill(world.traveller.person.login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.get_by_role("button", name="Pay").wait_for()


def test_on_one_phone_the_buyer_pays_and_is_back_at_the_shop(page: Page, world: World) -> None:
    digits = aside(lambda: hosted(world))
    follow_into_the_wallet(page, world, digits)
    assert "/wallet/asks/" in page.url, "no press in between"
    assert own_balance(world) == FULL
    type_pin(page)
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    shot(page, "wallet-result-online")
    assert_accessible(page)
    assert_fits(page)
    back = page.get_by_role("link", name="Back to the shop")
    expect(back).to_have_class("button button-strong button-large button-wide")
    back.click()
    expect(page.get_by_role("heading", name="The shop")).to_be_visible()
    assert "&resultCode=SUCCESS&resultStatus=S&" in page.url
    page.go_back()
    expect(page.get_by_text("The payment succeeded")).to_be_visible()
    page.wait_for_timeout(3000)
    assert page.url.endswith(f"/c/{digits}"), "the shop hears of it once"
    assert complaints(page) == []


def test_who_declines_goes_back_to_the_shop_without_paying(page: Page, world: World) -> None:
    digits = aside(lambda: hosted(world))
    follow_into_the_wallet(page, world, digits)
    page.get_by_role("button", name="Decline").click()
    expect(page.get_by_role("heading", name="Declined")).to_be_visible()
    shot(page, "wallet-result-declined-online")
    page.get_by_role("link", name="Back to the shop").click()
    leave = page.get_by_role("link", name="Back to the shop without paying")
    shot(page, "order-open-leave")
    assert_accessible(page)
    leave.click()
    expect(page.get_by_role("heading", name="The shop")).to_be_visible()
    assert "&resultCode=PAYMENT_IN_PROCESS&resultStatus=U&" in page.url
    assert own_balance(world) == FULL


def test_a_link_of_somebody_else_takes_over_no_order_before_a_press(world: World) -> None:
    client, digits = client_of(world.traveller.person), hosted(world)
    address = {"text": digits}
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}):
        told = client.get("/wallet/scan", address, headers=headers)
        assert "You come from a shop’s page." in told.content.decode()
        assert 'id="camera"' not in told.content.decode(), "the camera stays off"
        assert b"scan.js" not in told.content
    client.head("/wallet/scan", address, headers={"Sec-Fetch-Site": "same-origin"})
    assert wallet.waiting(world.traveller.wallet_id, utc_now()) == ()
    ours = client.get("/wallet/scan", address, headers={"Sec-Fetch-Site": "same-origin"})
    assert ours["Location"].startswith("/wallet/asks/")
    again = client.get("/wallet/scan", address, headers={"Sec-Fetch-Site": "same-origin"})
    assert again["Location"] == ours["Location"]


def test_when_the_time_is_up_the_way_leads_back_to_the_shop(world: World) -> None:
    client, digits = client_of(world.traveller.person), hosted(world)
    back = f'href="/c/{digits}"'
    (outcome,) = flows.execute(
        [flows.Claim(order_code=digits, wallet_id=world.traveller.wallet_id)], utc_now(), flows.Desk(5)
    )
    assert outcome.payment is not None
    ask = outcome.payment.authorization_id
    with patch("comptoir.web.components.access.utc_now", lambda: utc_now() + timedelta(hours=2)):
        assert back in client.get(f"/wallet/asks/{ask}").content.decode()
        result = client.get(f"/wallet/results/{ask}").content.decode()
        assert "The time was up" in result
        assert back in result
        other = client_of(world.other_traveller.person)
        late = other.post("/wallet/scan", {"text": digits}).content.decode()
        assert "The time for this payment is up." in late
        assert back in late


def test_a_payment_at_a_till_has_no_shop_to_go_back_to(world: World) -> None:
    client, one = client_of(world.traveller.person), asked(world)
    client.post(f"/wallet/asks/{one.id}", {"answer": "pay", "pin": PIN})
    assert "Back to the shop" not in client.get(f"/wallet/results/{one.id}").content.decode()
