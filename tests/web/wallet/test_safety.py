"""Limits, devices, PIN, a lost phone, and shops that may debit."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from playwright.sync_api import Browser, expect

from comptoir.acquiring.api import Product
from comptoir.flows import api as flows
from comptoir.flows.agreements import auth_code, digest, token_pair
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.standards.payment_code import Form, build
from comptoir.wallet import api as wallet
from comptoir.wallet.api import AgreementState, Limits, WalletState
from tests.flows.support import assert_books_hold
from tests.web.pages import aside, assert_accessible, assert_fits, client_of, complaints, open_as, shot
from tests.web.wallet.support import WRONG_PIN, asked, balance, charge, consent, type_pin
from tests.web.world import PASSWORD, PIN, World

FULL = 1_000_000
LOWER = {"no_pin": "100", "payment": "2000", "day": "5000.50"}


def limits_of(world: World) -> Limits:
    return wallet.standing(world.traveller.wallet_id).limits


def test_limits_are_lowered_with_the_pin(browser: Browser, site: str, world: World) -> None:
    page = open_as(browser, site, world.traveller.person)
    page.goto("/wallet/limits")
    page.get_by_label("Without the PIN, up to").fill("100")
    type_pin(page)
    shot(page, "wallet-limits")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="Change the limits").click()
    expect(page.get_by_label("Without the PIN, up to")).to_have_value("100.00")
    assert aside(lambda: limits_of(world)) == Limits(no_pin=10_000, payment=500_000, day=2_000_000)
    assert complaints(page) == []


def test_limits_that_cannot_be_are_said_and_change_nothing(world: World) -> None:
    client, before = client_of(world.traveller.person), limits_of(world)

    def told(**change: str) -> str:
        given = {"no_pin": "100", "payment": "2000", "day": "5000", "pin": PIN} | change
        return client.post("/wallet/limits", given).content.decode()

    assert "above what you may choose" in told(day="20000.01")
    assert "The limits rise" in told(no_pin="2001")
    assert 'id="pin-problem" role="alert"></p>' in told(no_pin="2001"), "nothing is wrong with the PIN"
    for nonsense in ("", "x", "-1x", "1.234", "1e3"):
        assert "Type each limit as an amount" in told(no_pin=nonsense)
    assert "Wrong PIN" in told(pin=WRONG_PIN)
    assert limits_of(world) == before


def test_the_pin_is_changed_with_the_old_one(browser: Browser, site: str, world: World) -> None:
    page = open_as(browser, site, world.traveller.person)
    page.goto("/wallet/pin")
    assert_accessible(page)
    for label, pin in (
        ("Your present PIN", PIN),
        ("The new PIN", "862590"),
        ("The new PIN once more", "862590"),
    ):
        page.get_by_label(label, exact=True).fill(pin)
    shot(page, "wallet-pin")
    page.get_by_role("button", name="Change the PIN").click()
    expect(page.get_by_role("heading", name="Your PIN is changed")).to_be_visible()
    aside(lambda: wallet.check_pin(world.traveller.wallet_id, "862590", utc_now()))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pin": WRONG_PIN, "new": "862590", "again": "862590"}, "Wrong PIN. 4 tries left"),
        ({"pin": PIN, "new": "862590", "again": "862591"}, "The two new PINs are not the same."),
        ({"pin": PIN, "new": "123456", "again": "123456"}, "Choose six digits"),
        ({"pin": "1", "new": "862590", "again": "862590"}, "A PIN has six digits."),
    ],
)
def test_a_pin_that_is_not_changed_stays(world: World, given: dict[str, str], said: str) -> None:
    answer = client_of(world.traveller.person).post("/wallet/pin", given)
    assert said in answer.content.decode()
    wallet.check_pin(world.traveller.wallet_id, PIN, utc_now())


def own_code(world: World) -> str:
    return build(Form.SHORT, world.traveller.device, world.traveller.seed, utc_now(), 0)


def test_a_lost_phone_stops_everything_and_only_pin_and_password_undo_it(
    browser: Browser, site: str, world: World
) -> None:
    waits = aside(lambda: asked(world))
    thief = aside(lambda: client_of(world.traveller.person))
    page = open_as(browser, site, world.traveller.person)
    page.goto("/wallet/me")
    page.get_by_role("link", name="My phone is lost").click()
    shot(page, "wallet-freeze")
    assert_accessible(page)
    page.get_by_role("button", name="Freeze my wallet").click()
    expect(page.get_by_role("heading", name="Your wallet is frozen")).to_be_visible()
    shot(page, "wallet-frozen")
    assert_accessible(page)
    assert aside(lambda: charge(world, own_code(world)).code) == wallet.errors.CODE_INVALID
    assert aside(lambda: thief.get("/wallet/").status_code) == 302
    page.get_by_role("link", name="Log in again").click()
    page.get_by_label("Phone number").fill(world.traveller.person.login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("This wallet is frozen. Nothing leaves it.")).to_be_visible()
    shot(page, "wallet-home-frozen")
    page.goto("/wallet/code")
    expect(page.get_by_text("This wallet is frozen. Nothing leaves it.")).to_be_visible()
    expect(page.get_by_role("link", name="Set this phone up")).to_have_count(0)
    shot(page, "wallet-code-frozen")
    page.goto("/wallet/code/setup")
    expect(page.get_by_role("link", name="Let it pay again")).to_be_visible()
    page.goto(f"/wallet/asks/{waits.id}")
    type_pin(page)
    page.get_by_role("button", name=re.compile("^Pay ")).click()
    expect(page.get_by_role("alert").filter(has_text="This wallet is frozen.")).to_be_visible()
    assert aside(lambda: balance(world.traveller.wallet_id)) == FULL
    page.goto("/wallet/")
    page.get_by_role("link", name="Let it pay again").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    type_pin(page)
    shot(page, "wallet-unfreeze")
    page.get_by_role("button", name="Let it pay again").click()
    expect(page.get_by_text("you can spend")).to_be_visible()
    expect(page.get_by_text("This wallet is frozen.")).to_have_count(0)
    assert aside(lambda: [one.active for one in wallet.devices_of(world.traveller.wallet_id)]) == [False]
    assert complaints(page) == []
    aside(assert_books_hold)


def test_without_the_password_just_given_the_pin_does_not_unfreeze(world: World) -> None:
    wallet.freeze_lost(world.traveller.wallet_id, utc_now())
    client = client_of(world.traveller.person)
    for answer in (client.get("/wallet/unfreeze"), client.post("/wallet/unfreeze", {"pin": PIN})):
        assert answer["Location"].startswith("/me/again")
    assert wallet.standing(world.traveller.wallet_id).state is WalletState.FROZEN


def test_a_wrong_pin_does_not_unfreeze(world: World) -> None:
    wallet.freeze_lost(world.traveller.wallet_id, utc_now())
    client = client_of(world.traveller.person, recent=True)
    assert "Wrong PIN. 4 tries left" in client.post("/wallet/unfreeze", {"pin": WRONG_PIN}).content.decode()
    assert wallet.standing(world.traveller.wallet_id).state is WalletState.FROZEN


def test_what_the_operator_froze_is_not_undone(world: World) -> None:
    wallet.freeze(world.traveller.wallet_id)
    client = client_of(world.traveller.person, recent=True)
    assert "Its operator froze it." in client.get("/wallet/").content.decode()
    answer = client.post("/wallet/unfreeze", {"pin": PIN})
    assert "alone can let it pay again" in answer.content.decode()
    assert wallet.standing(world.traveller.wallet_id).state is WalletState.FROZEN


def test_a_phone_is_removed_and_logged_out(world: World) -> None:
    phone, desk = client_of(world.traveller.person), client_of(world.traveller.person)
    number = phone.post("/wallet/code/setup", {"pin": PIN}, headers={"accept": "application/json"}).json()[
        "number"
    ]
    assert f'value="{number}"' in desk.get("/wallet/devices").content.decode()
    assert desk.post("/wallet/devices", {"number": number})["Location"] == "/wallet/devices"
    assert set(phone.get("/wallet/code/news", {"device": number}).json()) == {"now", "login"}
    assert phone.get("/wallet/")["Location"].startswith("/wallet/login")
    assert desk.get("/wallet/").status_code == 200


@pytest.mark.parametrize("number", ["", "x", "1", "9" * 40])
def test_no_other_phone_is_removed(world: World, number: str) -> None:
    other = world.other_traveller
    client = client_of(world.traveller.person)
    assert client.post("/wallet/devices", {"number": number or str(other.device)}).status_code == 404
    assert [one.active for one in wallet.devices_of(other.wallet_id)] == [True]


def debit(world: World, code: str, minor: int = 1000) -> flows.Outcome:
    """The shop debits under the agreement."""
    tokens = token_pair(digest(auth_code(code)), refresh=False)
    apply = flows.ApplyToken(
        merchant_id=world.shop.merchant_id,
        refresh=False,
        grant_hash=digest(auth_code(code)),
        access_hash=digest(tokens.access),
        refresh_hash=digest(tokens.refresh),
    )
    flows.execute([apply], utc_now(), flows.Desk(5))
    given = {"product": Product.AGREEMENT, "scenario": None, "token_hash": digest(tokens.access)}
    return charge(world, None, minor, **given)


def test_a_shop_is_allowed_to_debit_and_stopped_again(browser: Browser, site: str, world: World) -> None:
    code = aside(lambda: consent(world))
    page = open_as(browser, site, world.traveller.person)
    page.goto("/wallet/scan")
    page.get_by_label("Or type the digits below it").fill(code)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("asks to be paid from your wallet")).to_be_visible()
    page.get_by_label("At once, up to (CNY)").fill("100")
    page.get_by_label("A day, up to (CNY)").fill("150,50")
    type_pin(page)
    shot(page, "wallet-consent")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="Agree").click()
    expect(page.get_by_role("heading", name="Agreed")).to_be_visible()
    shot(page, "wallet-consent-agreed")
    (made,) = aside(lambda: wallet.agreements_of(world.traveller.wallet_id, utc_now()))
    assert (made.payment_limit, made.day_limit) == (10_000, 15_050)
    assert aside(lambda: debit(world, code)).code == "ok"
    assert aside(lambda: debit(world, code, 2000)).code == wallet.errors.PAYMENT_LIMIT
    page.goto("/wallet/agreements")
    shot(page, "wallet-agreements")
    assert_accessible(page)
    page.get_by_role("link", name="Chocolaterie Sablon").click()
    expect(page.get_by_text("CN¥79.79")).to_be_visible()
    page.wait_for_load_state()
    page.get_by_role("button", name="End it").click()
    shot(page, "wallet-agreement-end")
    assert_accessible(page)
    page.get_by_role("button", name="End it for good").click()
    expect(page.locator(".badge").get_by_text("Ended")).to_be_visible()
    assert aside(lambda: debit(world, code)).code != "ok"
    assert aside(lambda: balance(world.traveller.wallet_id)) == FULL - 7979
    assert complaints(page) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"at_once": "100", "a_day": "50"}, "These limits do not fit"),
        ({"at_once": "100", "a_day": "1000000"}, "These limits do not fit"),
        ({"at_once": "", "a_day": "50"}, "Type both limits as amounts"),
        ({"pin": WRONG_PIN}, "Wrong PIN"),
    ],
)
def test_a_consent_that_cannot_be_is_said_and_agrees_to_nothing(
    world: World, given: dict[str, str], said: str
) -> None:
    code = consent(world)
    answer = client_of(world.traveller.person).post(
        f"/wallet/consents/{code}", {"at_once": "100", "a_day": "200", "pin": PIN} | given
    )
    assert said in answer.content.decode()
    assert wallet.agreements_of(world.traveller.wallet_id, utc_now()) == ()


def test_declining_a_consent_is_final(world: World) -> None:
    code, client = consent(world), client_of(world.traveller.person)
    address = f"/wallet/consents/{code}"
    assert client.post(address, {"answer": "decline"})["Location"] == address
    client.post(address, {"at_once": "100", "a_day": "200", "pin": PIN})
    assert "Declined" in client.get(address).content.decode()
    assert wallet.agreements_of(world.traveller.wallet_id, utc_now()) == ()


def test_a_subscription_that_the_shop_withdrew_says_so_and_is_agreed_to_no_more(world: World) -> None:
    code, client = consent(world, monthly="S1"), client_of(world.traveller.person)
    address = f"/wallet/consents/{code}"
    end = flows.EndSubscription(
        merchant_id=world.shop.merchant_id,
        client_ref=world.shop.client_ref,
        at_once=True,
        request_ref="S1",
    )
    assert flows.execute([end], utc_now(), flows.Desk(5))[0].code == flows.OK
    client.post(address, {"pin": PIN})
    assert "The shop has withdrawn this" in client.get(address).content.decode()
    assert wallet.agreements_of(world.traveller.wallet_id, utc_now()) == ()


def test_the_agreement_of_another_does_not_exist(world: World) -> None:
    code = consent(world)
    client_of(world.traveller.person).post(
        f"/wallet/consents/{code}", {"at_once": "100", "a_day": "200", "pin": PIN}
    )
    (made,) = wallet.agreements_of(world.traveller.wallet_id, utc_now())
    stranger = client_of(world.other_traveller.person)
    for address in (f"/wallet/agreements/{made.id}", f"/wallet/agreements/{UUID(int=5)}"):
        assert stranger.get(address).status_code == 404
        assert stranger.post(address).status_code == 404
    assert "Agreed" not in stranger.get(f"/wallet/consents/{code}").content.decode()
    (still,) = wallet.agreements_of(world.traveller.wallet_id, utc_now())
    assert still.state is AgreementState.ACTIVE
    for unknown in ("x", "0" * 32):
        assert stranger.get(f"/wallet/consents/{unknown}").status_code == 404


def test_what_a_holder_changed_is_in_the_record_without_secrets(world: World) -> None:
    client, own = client_of(world.traveller.person), world.traveller
    client.post("/wallet/code/setup", {"pin": PIN})
    client.post("/wallet/limits", LOWER | {"pin": PIN})
    client.post("/wallet/pin", {"pin": PIN, "new": "862590", "again": "862590"})
    client.post("/wallet/freeze")
    entries = identity.actions(own.person.id, subject=("wallet", own.wallet_id.hex)).entries
    assert [one.action for one in entries] == [
        "wallet.freeze",
        "wallet.pin",
        "wallet.limits",
        "wallet.device_added",
    ]
    assert entries[2].details == {"limits": "10000 200000 500050"}
    assert not any(secret in repr(entries) for secret in (PIN, "862590"))
