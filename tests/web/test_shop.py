"""The sample shop is paid: a real browser buys there, a traveller pays on the hosted page, the shop is told.

Shop, gateway and worker are processes or servers of their own; the shop speaks with the official SDK, whose
one fixed habit (TLS on port 443) is turned to the gateway's port here.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit
from wsgiref.simple_server import make_server

import pytest
from com.alipay.ams.api import default_alipay_client as sdk
from playwright.sync_api import Browser, Page, expect

from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.ledger import api as ledger
from comptoir.standards.antom import signing
from examples.shop.app import Server, Shop
from examples.shop.orders import Orders
from examples.shop.payments import Ended, Payments
from tests.api.support import House
from tests.conftest import Database
from tests.web.conftest import _Quiet
from tests.web.pages import aside, assert_accessible, complaints, open_as, shot
from tests.web.world import PASSWORD, PIN, World

pytestmark = pytest.mark.slow


class Opened:
    """The shop's address, and its payments."""

    def __init__(self, address: str, payments: Payments, orders: Orders) -> None:
        self.address, self.payments, self.orders = address, payments, orders


def _plain_post(gateway: str) -> Any:
    """The SDK's way to send, over plain HTTP to where the gateway of this test listens."""

    def post(url: str, headers: dict[str, str], body: str) -> tuple[list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(urlsplit(gateway).netloc, timeout=20)
        connection.request("POST", urlsplit(url).path, body.encode(), headers)
        answer = connection.getresponse()
        return answer.getheaders(), answer.read()

    return post


@pytest.fixture
def shop(
    database: Database, world: World, site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Opened]:
    house = aside(
        lambda: House(
            database.url,
            tmp_path,
            utc_now().date() - timedelta(days=2),  # the world has its own of yesterday
            COMPTOIR_PUBLIC_URL=site,
            COMPTOIR_NOTIFY_PRIVATE="1",
        )
    )
    key = signing.generate_key()
    own = signing.export_public_key(key.public_key())
    aside(lambda: identity.add_key(world.shop.client_ref, own, now=utc_now()))
    try:
        house.gateway(wait=False)
        house.worker(wait=False)
        for server in house.servers:
            server.wait_ready()
        monkeypatch.setattr(sdk, "do_post", _plain_post(f"http://127.0.0.1:{house.ports[0]}"))
        orders = Orders(tmp_path / "orders.sqlite")
        with make_server("127.0.0.1", 0, lambda *_: [], Server, handler_class=_Quiet) as server:
            address = f"http://127.0.0.1:{server.server_port}"
            payments = Payments(
                gateway="https://gateway.example",
                client_id=world.shop.client_ref,
                address=address,
                platform_key=signing.export_public_key(house.platform_key),
                private_key=signing.export_private_key(key),
            )
            server.set_app(Shop(orders, payments))
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            yield Opened(address, payments, orders)
            server.shutdown()
            thread.join()
    finally:
        house.close()


def buy(page: Page, shop: Opened) -> str:
    """Put pralines into an order and press Pay; the order's ref."""
    page.goto(shop.address)
    page.get_by_role("button", name="Buy Pralines").click()
    ref = page.url.rpartition("/")[2]
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("Scan with your wallet to pay").wait_for()
    return ref


def pay_in_the_wallet(world: World, hosted: Page) -> None:
    """The traveller goes on in the web wallet, logs in, sees the price, and approves it with the PIN."""
    link = hosted.get_by_role("link", name="Continue in the wallet").get_attribute("href")
    wallet = hosted.context.new_page()
    wallet.goto(urljoin(hosted.url, link or ""))
    wallet.get_by_label("Phone number").fill(world.traveller.person.login)
    wallet.get_by_label("Password").fill(PASSWORD)
    wallet.get_by_role("button", name="Log in", exact=True).click()
    wallet.get_by_role("button", name="Pay").wait_for()
    shot(wallet, "shop-in-the-wallet")
    wallet.locator("input[name=pin]").fill(PIN)
    wallet.get_by_role("button", name="Pay").click()
    wallet.wait_for_url("**/wallet/results/*")
    wallet.close()


def owed(world: World) -> int:
    account = ledger.account_id(world.shop.merchant_id, ledger.Role.MERCHANT_PAYABLE, "EUR")
    return ledger.balance(account).posted


def test_an_online_shop_is_paid_through_the_hosted_page(
    shop: Opened, world: World, site: str, browser: Browser
) -> None:
    page = open_as(browser, site, None)
    ref = buy(page, shop)
    expect(page.get_by_text("€29.50")).to_be_visible()
    assert_accessible(page)
    shot(page, "hosted-page")
    pay_page = page.url
    # Pressed again in another tab: the same payment.
    other = page.context.new_page()
    other.goto(f"{shop.address}/orders/{ref}")
    other.get_by_role("button", name="Pay").click()
    other.get_by_text("Scan with your wallet to pay").wait_for()
    assert other.url == pay_page
    other.close()

    pay_in_the_wallet(world, page)
    # The page finds out by itself, and the browser is back at the shop, which believes only what it was told.
    page.wait_for_url(f"{shop.address}/orders/{ref}?*", timeout=30_000)
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("Paid. Thank you!")
    shot(page, "shop-paid")
    assert aside(lambda: owed(world)) == 2950
    page.goto(pay_page)
    expect(page.get_by_text("The payment succeeded")).to_be_visible()
    page.wait_for_timeout(3000)
    assert page.url == pay_page, "returned once"
    assert not complaints(page), complaints(page)


def test_what_the_address_says_pays_nothing(shop: Opened, world: World, site: str, browser: Browser) -> None:
    page = open_as(browser, site, None)
    ref = buy(page, shop)
    page.goto(f"{shop.address}/orders/{ref}?resultStatus=S&resultCode=SUCCESS&paymentRequestId={ref}")
    expect(page.get_by_role("button", name="Pay")).to_be_visible()
    headers = {"client-id": shop.payments.client_id, "request-time": "x", "signature": "signature=AAAA"}
    result = {"notifyType": "PAYMENT_RESULT", "paymentRequestId": ref, "result": {"resultStatus": "S"}}
    forged = json.dumps(result)
    assert shop.payments.told("/notify", headers, forged) is None
    order = shop.orders.find(ref)
    assert order is not None
    assert order.state == "open"
    assert aside(lambda: owed(world)) == 0


def test_an_order_ends_once_and_at_its_price(tmp_path: Path) -> None:
    orders = Orders(tmp_path / "orders.sqlite")
    made = orders.place("pralines")
    assert not orders.ended(made.ref, 1, paid=True), "another amount pays nothing"
    assert not orders.ended("nobody's", made.cents, paid=True)
    told = Ended(made.ref, made.cents, paid=True)
    assert orders.ended(told.ref, told.cents, paid=told.paid)
    assert not orders.ended(told.ref, told.cents, paid=told.paid), "told twice"
    assert not orders.ended(told.ref, told.cents, paid=False), "paid stays paid"
    found = orders.find(made.ref)
    assert found is not None
    assert found.state == "paid"
