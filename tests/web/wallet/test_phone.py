"""Which phone a payment is made on: from the browser to the risk rules, over logins, and when it was lost."""

from __future__ import annotations

import re
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect

from comptoir.acquiring.api import Product
from comptoir.flows import api as flows
from comptoir.kernel.clock import utc_now
from comptoir.risk import api as risk
from comptoir.wallet import api as wallet
from comptoir.wallet.api import AuthorizationState
from tests.flows.support import assert_books_hold
from tests.web.pages import aside, client_of, complaints
from tests.web.wallet.support import FULL, balance, order, own_balance, phone_with_code, type_pin
from tests.web.world import PIN, World


def phone_of(world: World) -> tuple[Client, int]:
    """A browser of the traveller's that shows pay codes, and its number."""
    client = client_of(world.traveller.person)
    made = client.post("/wallet/code/setup", {"pin": PIN}, headers={"accept": "application/json"})
    return client, made.json()["number"]


def scanned_order(client: Client, world: World, **given: Any) -> UUID:
    """An order that this browser has scanned: what the traveller is asked."""
    answer = client.post("/wallet/scan", {"text": order(world, **given)})
    return UUID(answer["Location"].removeprefix("/wallet/asks/"))


def pay(client: Client, asked: UUID) -> str:
    """Approve it with the PIN; what the page then says."""
    answer = client.post(f"/wallet/asks/{asked}", {"answer": "pay", "pin": PIN}, follow=True)
    return answer.content.decode()


def block(number: int) -> None:
    rules = {"rules": [{"id": "stolen", "action": "refuse", "devices": [number]}]}
    flows.activate_rules(risk.checked(rules), "test", utc_now())


def state_of(world: World, asked: UUID) -> AuthorizationState:
    found = wallet.authorization(world.traveller.wallet_id, asked)
    assert found is not None
    return found.state


def acted_on(world: World, asked: UUID) -> int | None:
    found = wallet.authorization(world.traveller.wallet_id, asked)
    assert found is not None
    return found.acted_on


@pytest.mark.parametrize(
    "given", [{}, {"product": Product.CASHIER, "scenario": None}], ids=["shop's code", "cashier"]
)
def test_a_stolen_phone_pays_at_no_code_of_a_shops(world: World, given: dict[str, Any]) -> None:
    (client, number), other = phone_of(world), client_of(world.traveller.person)
    block(number)
    asked = scanned_order(client, world, **given)
    said = pay(client, asked)
    assert state_of(world, asked) is AuthorizationState.REFUSED
    assert "Stopped for your protection" in said
    assert "Nothing was taken from your wallet." in said
    assert balance(world.traveller.wallet_id) == FULL
    [line] = risk.entries(9)
    assert (line.device, line.stage, [one.rule for one in line.looked]) == (
        number,
        risk.Stage.CONFIRM,
        ["stolen"],
    )
    # Another browser of the same traveller still pays.
    assert "Paid" in pay(other, scanned_order(other, world, **given))
    assert balance(world.traveller.wallet_id) == FULL - 7979
    assert_books_hold()


def test_a_new_login_is_on_the_phone_that_it_was_before(world: World) -> None:
    client, number = phone_of(world)
    assert acted_on(world, scanned_order(client, world)) == number
    client.post("/logout")
    again = client_of(world.traveller.person)
    again.cookies["wallet_device"] = client.cookies["wallet_device"].value
    assert acted_on(world, scanned_order(again, world)) == number
    assert again.session["wallet_device"] == number


@pytest.mark.parametrize("kept", ["", "x", "12345678", "9" * 40, "other"])
def test_a_phone_that_is_not_the_wallets_is_forgotten(world: World, kept: str) -> None:
    client = client_of(world.traveller.person)
    client.cookies["wallet_device"] = str(world.other_traveller.device) if kept == "other" else kept
    answer = client.get("/wallet/")
    assert answer.status_code == 200
    assert answer.cookies["wallet_device"]["max-age"] == 0
    assert acted_on(world, scanned_order(client, world)) is None


def test_a_removed_phone_is_forgotten_at_the_next_login(world: World) -> None:
    client, number = phone_of(world)
    wallet.revoke_device(world.traveller.wallet_id, number)
    assert client.get("/wallet/")["Location"].startswith("/wallet/login")
    again = client_of(world.traveller.person)
    again.cookies["wallet_device"] = str(number)
    assert acted_on(world, scanned_order(again, world)) is None
    assert again.cookies["wallet_device"].value == ""


def test_leaving_a_phone_keeps_nothing_of_it(world: World) -> None:
    client, _ = phone_of(world)
    assert client.cookies["wallet_device"]["httponly"]
    client.post("/wallet/leave")
    assert client.cookies["wallet_device"].value == ""


@pytest.mark.parametrize("how", ["removed", "lost"])
def test_a_phone_that_is_gone_approves_nothing(world: World, how: str) -> None:
    own, (client, number) = world.traveller.wallet_id, phone_of(world)
    asked = scanned_order(client, world)
    if how == "removed":
        wallet.revoke_device(own, number)
    else:
        wallet.freeze_lost(own, utc_now())
        wallet.unfreeze_own(own)
    answer = client.post(f"/wallet/asks/{asked}", {"answer": "pay", "pin": PIN})
    assert answer["Location"].startswith("/wallet/login")
    assert balance(own) == FULL
    assert state_of(world, asked) is AuthorizationState.WAITING


def test_a_phone_that_is_removed_while_it_pays_is_refused_by_the_engine(world: World) -> None:
    """The page let it in, and then the holder removed it on another phone."""
    own, (client, number) = world.traveller.wallet_id, phone_of(world)
    asked = scanned_order(client, world)

    def removed_meanwhile(*given: Any) -> None:
        wallet.revoke_device(own, number)

    with patch("comptoir.web.wallet.pages.asks.wallet.check_pin", removed_meanwhile):
        said = pay(client, asked)
    assert "This phone was removed from the wallet. Nothing was taken." in said
    assert balance(own) == FULL
    assert client.get("/wallet/")["Location"].startswith("/wallet/login")


def test_in_a_browser_the_phone_is_known_at_a_shops_code(browser: Browser, site: str, world: World) -> None:
    page = phone_with_code(browser, site, world)
    own = world.traveller.wallet_id
    number = aside(lambda: next(one.number for one in reversed(wallet.devices_of(own)) if one.active))
    page.goto("/wallet/scan")
    page.get_by_label("Or type the digits below it").fill(aside(lambda: order(world)))
    page.get_by_role("button", name="Go on").click()
    aside(lambda: block(number))
    type_pin(page)
    page.get_by_role("button", name=re.compile("^Pay ")).click()
    page.wait_for_url("**/wallet/results/*")
    expect(page.get_by_role("heading", name="Stopped for your protection")).to_be_visible()
    assert own_balance(world) == FULL
    [line] = aside(lambda: risk.entries(9))
    assert line.device == number
    assert complaints(page) == []
