"""What the wallet's page tests share: codes read off screens, shops that ask, the wallet's own numbers."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from comptoir.acquiring.api import CaptureMode, Period, PeriodType, Product, Scenario
from comptoir.flows import api as flows
from comptoir.flows.agreements import auth_code, digest
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.ledger import api as ledger
from comptoir.wallet import api as wallet
from tests.web.pages import aside, complaints, open_as
from tests.web.world import PIN, World

#: The narrowest phone that is promised.
NARROW = {"width": 360, "height": 740}
WRONG_PIN = "918273"
#: What the traveller has, in fen.
FULL = 1_000_000


def scanned(page: Page) -> set[str]:
    """All codes that a scanner sees on this screen, each once."""
    picture = Image.open(io.BytesIO(page.screenshot()))
    return {one.text for one in zxingcpp.read_barcodes(picture)}


def balance(wallet_id: UUID) -> int:
    """What the wallet holds, in fen."""
    return ledger.balance(ledger.account_id(wallet_id, ledger.Role.WALLET, "CNY")).posted


def charge(world: World, code: str | None, minor: int = 1000, **given: Any) -> flows.Outcome:
    """The shop asks for some cents: of a scanned code, or (None) with an order code to be scanned."""
    command = flows.Pay(
        **{
            "merchant_id": world.shop.merchant_id,
            "client_ref": world.shop.client_ref,
            "request_ref": new_id().hex,
            "product": Product.IN_STORE,
            "scenario": Scenario.PAYMENT_CODE if code else Scenario.ORDER_CODE,
            "amount": Money(minor, "EUR"),
            "method_type": "CONNECT_WALLET",
            "code": code,
            "details": {"orderDescription": "Pralines"},
        }
        | given
    )
    (outcome,) = flows.execute([command], utc_now(), flows.Desk(5))
    return outcome


def order(world: World, minor: int = 1000, *, hold: bool = False, **given: Any) -> str:
    """The digits of an order of the shop's that waits for its payer."""
    mode = CaptureMode.MANUAL if hold else None
    payment = charge(world, None, minor, capture_mode=mode, **given).payment
    assert payment is not None
    assert payment.order_code
    return payment.order_code


def asked(world: World, minor: int = 1000, **given: Any) -> wallet.AuthorizationView:
    """What the traveller is asked after an order was scanned."""
    own = world.traveller.wallet_id
    command = flows.Claim(order_code=order(world, minor, **given), wallet_id=own)
    (outcome,) = flows.execute([command], utc_now(), flows.Desk(5))
    assert outcome.payment is not None
    found = wallet.authorization(own, outcome.payment.authorization_id or new_id())
    assert found is not None
    return found


def paid(world: World, minor: int = 1000, **given: Any) -> wallet.AuthorizationView:
    """A payment that the traveller has confirmed."""
    one = asked(world, minor, **given)
    flows.execute([flows.Confirm(wallet_id=one.wallet_id, authorization_id=one.id)], utc_now(), flows.Desk(5))
    found = wallet.authorization(one.wallet_id, one.id)
    assert found is not None
    return found


def refund(world: World, payment_id: UUID, minor: int) -> None:
    """The shop gives part of a payment back."""
    command = flows.Refund(
        merchant_id=world.shop.merchant_id,
        client_ref=world.shop.client_ref,
        request_ref=new_id().hex,
        payment_id=payment_id,
        amount=Money(minor, "EUR"),
    )
    (outcome,) = flows.execute([command], utc_now(), flows.Desk(5))
    assert outcome.code == flows.OK


def consent(world: World, monthly: str = "") -> str:
    """The code of a page on which the shop asks for leave to debit: each month, if that has a request id."""
    code = new_id().hex
    asked = flows.OpenAgreement(
        id=new_id(),
        merchant_id=world.shop.merchant_id,
        client_ref=world.shop.client_ref,
        consent_code=code,
        grant_hash=digest(auth_code(code)),
        state_ref="state",
        method_type="CONNECT_WALLET",
        redirect_url="https://shop.example/back",
    )
    subscription = flows.OpenSubscription(
        agreement=asked,
        request_ref=monthly,
        input_hash=b"1" * 32,
        description="Pralines",
        amount=Money(1000, "EUR"),
        period=Period(PeriodType.MONTH, 1),
        start_at=utc_now(),
    )
    flows.execute([subscription if monthly else asked], utc_now(), flows.Desk(5))
    return code


def agreed(world: World) -> UUID:
    """An agreement under which the shop may debit the traveller."""
    command = flows.ApproveAgreement(consent_code=consent(world), wallet_id=world.traveller.wallet_id)
    (outcome,) = flows.execute([command], utc_now(), flows.Desk(5))
    assert outcome.agreement is not None
    return outcome.agreement.id


def type_pin(page: Page, pin: str = PIN) -> None:
    """By the page's own keypad, as on a phone."""
    for digit in pin:
        page.get_by_role("group", name="Keypad").get_by_text(digit, exact=True).click()


def phone_with_code(browser: Browser, site: str, world: World, **options: Any) -> Page:
    """The traveller's phone, set up, with its pay code on the screen."""
    page = open_as(browser, site, world.traveller.person, **{"device_scale_factor": 2} | options)
    page.goto("/wallet/code/setup")
    type_pin(page)
    page.get_by_role("button", name="Set this phone up").click()
    page.wait_for_url("**/wallet/code")
    expect(page.get_by_role("img", name="Bar code for the shop")).to_be_visible()
    assert complaints(page) == []
    return page


def own_balance(world: World) -> int:
    """The traveller's money in fen, read beside a running browser."""
    return aside(lambda: balance(world.traveller.wallet_id))
