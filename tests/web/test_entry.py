"""The page behind the code on a shop's wall: what a wallet shows, what an ordinary browser shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import OperationalError
from django.test import Client
from playwright.sync_api import Browser, Page

from comptoir.acquiring import api as acquiring
from comptoir.flows import api as flows
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.standards import entry_code
from comptoir.web.cashier import entry as page_of_entry
from tests.conftest import Database
from tests.flows.entries import hang_up
from tests.flows.support import Scene, assert_books_hold, make_merchant, make_scene
from tests.web.test_cashier import PHONE, aside, fresh_scene

WALLET = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140 Mobile ComptoirWallet/1.0"
ORDINARY = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140 Mobile"

Send = Callable[..., Any]


@pytest.fixture
def wall(database: Database) -> tuple[Scene, str]:
    scene = fresh_scene()
    return scene, hang_up(scene)


@pytest.fixture
def send(wall: tuple[Scene, str], monkeypatch: pytest.MonkeyPatch) -> Send:
    """Ask for the page, or send it with what a traveller typed; rates of any age will do."""
    monkeypatch.setattr(page_of_entry, "desk", lambda: flows.Desk(100_000))
    client = Client(enforce_csrf_checks=True)

    def sent(amount: str | None = None, agent: str = WALLET, ref: str = wall[1], **more: str) -> Any:
        headers = {"host": "localhost", "user-agent": agent, "accept-language": "en"}
        if amount is None:
            return client.get(f"/s/{ref}", headers=headers)
        return client.post(f"/s/{ref}", {"amount": amount, **more}, headers=headers)

    return sent


def payments(database: Database) -> int:
    return len(_all(database, "SELECT 1 FROM acquiring_payment"))


def _all(database: Database, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.url) as connection:
        return connection.execute(sql).fetchall()


def order_of(response: Any) -> str:
    """The order code that the page leads to."""
    assert response.status_code == 303
    found = re.fullmatch(r"/c/([0-9]{24})", response["Location"])
    assert found
    return found[1]


def test_the_page_is_for_one_store_and_keeps_to_itself(send: Send) -> None:
    page = send()
    assert page.status_code == 200
    text = page.content.decode()
    assert "Sablon, Grand-Place" in text
    assert "Chocolaterie Sablon" in text
    assert 'inputmode="decimal"' in text
    assert page["Cache-Control"] == "no-store"
    assert "default-src 'none'" in page["Content-Security-Policy"]
    assert "script-src 'self' 'nonce-" in page["Content-Security-Policy"]
    assert not page.cookies
    assert send("1.00").cookies.items() == {}.items()


def test_an_amount_is_read_as_people_type_it(send: Send, database: Database) -> None:
    for typed in ("12.50", "12,5", " 12 ", "0.01"):
        order_of(send(typed))
    made = _all(database, "SELECT amount, currency FROM acquiring_payment ORDER BY id")
    assert made == [(1250, "EUR"), (1250, "EUR"), (1200, "EUR"), (1, "EUR")]


NO_AMOUNT = (
    "", "0", "0.00", "-5", "+5", "12.", "12.505", "1.234,50", "1 000", "1e2", "１２", "twelve", "9" * 14,
    "NaN", "<b>",
)  # fmt: skip


def test_what_is_no_amount_opens_nothing(send: Send, wall: tuple[Scene, str], database: Database) -> None:
    for typed in NO_AMOUNT:
        page = send(typed)
        assert page.status_code == 200, typed
        assert "Enter an amount such as 12.50" in page.content.decode(), typed
        assert "<b>" not in page.content.decode()
    assert payments(database) == 0
    assert (wall[0].purse, wall[0].owed()) == (1_000_000, 0)


def test_the_same_page_opens_one_order(send: Send, database: Database) -> None:
    attempt = re.search(r'name="attempt" value="([0-9a-f]{32})"', send().content.decode())
    assert attempt
    first = order_of(send("5", attempt=attempt[1]))
    assert order_of(send("5.00", attempt=attempt[1])) == first
    changed = send("6", attempt=attempt[1])
    assert "Check the amount" in changed.content.decode()
    assert attempt[1] not in changed.content.decode(), "the next attempt is another one"
    assert payments(database) == 1
    assert order_of(send("5", attempt="nonsense")) != first


def test_an_ordinary_browser_is_sent_to_the_wallet(send: Send, database: Database) -> None:
    for page in (send(agent=ORDINARY), send(agent=""), send("5", agent=ORDINARY)):
        assert page.status_code == 200
        assert "Open your wallet and scan" in page.content.decode()
        assert 'name="amount"' not in page.content.decode()
    assert payments(database) == 0


def test_a_suspended_shop_is_closed(send: Send, wall: tuple[Scene, str], database: Database) -> None:
    acquiring.set_status(wall[0].merchant_id, "suspended")
    for page in (send(), send("5")):
        assert "cannot take payments here" in page.content.decode()
        assert 'name="amount"' not in page.content.decode()
    assert payments(database) == 0


def test_a_code_that_is_nobodys_leads_nowhere(send: Send) -> None:
    for ref in ("x", entry_code.new_ref(), "a" * 22, "c/1"):
        assert send(ref=ref).status_code == 404
        assert send("5", ref=ref).status_code == 404


def test_stale_rates_close_the_shop_and_open_nothing(
    send: Send, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    merchant_id = make_merchant(payment_currencies=["USD"], settlement="EUR")
    foreign = make_scene(merchant_id=merchant_id, balance=0)
    monkeypatch.setattr(page_of_entry, "desk", lambda: flows.Desk(0))
    page = send("5", ref=hang_up(foreign, currency="USD", client_ref="5Y00000000000002"))
    assert "cannot take payments here" in page.content.decode()
    assert payments(database) == 0


def test_a_busy_wall_and_a_lost_database_ask_to_try_again(
    send: Send, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = new_id().hex

    def away(*_: object) -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(flows, "open_order", away)
    page = send("5", attempt=attempt)
    assert page.status_code == 503
    assert "you will not be charged twice" in page.content.decode()
    assert f'value="{attempt}"' in page.content.decode(), "the same attempt finds out what became of it"
    monkeypatch.setattr(flows, "open_order", lambda *_: flows.Outcome(code=flows.CROWDED))
    page = send("5")
    assert page.status_code == 200
    assert "Try again in a moment" in page.content.decode()
    assert payments(database) == 0


def phone(browser: Browser, agent: str, dark: bool = False) -> tuple[Page, list[str]]:
    context = browser.new_context(
        viewport=PHONE,  # type: ignore[arg-type]
        user_agent=agent,
        color_scheme="dark" if dark else "light",
        has_touch=True,
        is_mobile=True,
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


@pytest.mark.parametrize("dark", [False, True])
def test_a_traveller_types_the_amount_and_pays(
    dark: bool, database: Database, site: str, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_of_entry, "desk", lambda: flows.Desk(100_000))
    scene = aside(fresh_scene)
    ref = aside(lambda: hang_up(scene))
    page, complaints = phone(browser, WALLET, dark)
    page.goto(f"{site}/s/{ref}")
    assert page.get_by_text("Sablon, Grand-Place").is_visible()
    page.get_by_label("Amount to pay").fill("12,505")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("alert").wait_for()
    assert page.get_by_label("Amount to pay").input_value() == "12,505"
    page.get_by_label("Amount to pay").fill("12,50")
    page.get_by_role("button", name="Next").click()
    page.get_by_text("Confirm the payment in your wallet").wait_for()
    assert page.get_by_text("€12.50").is_visible()
    assert page.get_by_role("img").count() == 0, "nobody can scan the screen of their own phone"
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"], "nothing runs off a phone's screen"

    def pay(digits: str) -> str:
        claimed = scene.one(flows.Claim(order_code=digits, wallet_id=scene.wallet_id), now=utc_now()).payment
        assert claimed is not None
        assert claimed.authorization_id is not None
        confirm = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=claimed.authorization_id)
        return scene.one(confirm, now=utc_now()).code

    digits = page.url.rpartition("/")[2]
    assert aside(lambda: pay(digits)) == flows.OK
    page.get_by_text("The payment succeeded").wait_for()
    assert aside(scene.owed) == 1250
    aside(assert_books_hold)
    assert not complaints, complaints


def test_an_ordinary_phone_shows_where_to_go(database: Database, site: str, browser: Browser) -> None:
    scene = aside(fresh_scene)
    ref = aside(lambda: hang_up(scene))
    page, complaints = phone(browser, ORDINARY)
    page.goto(f"{site}/s/{ref}")
    assert page.get_by_text("Open your wallet").is_visible()
    assert page.get_by_role("textbox").count() == 0
    assert not complaints, complaints
