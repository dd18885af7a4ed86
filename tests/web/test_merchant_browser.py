"""The merchant's desk in a real browser: desk and phone, both themes, and people who press things."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Browser

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentView
from comptoir.db.run import read
from comptoir.flows import api as flows
from comptoir.flows.notifications import log
from comptoir.identity import api as identity
from comptoir.identity.api import Detail, PersonView
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.standards.antom import signing
from comptoir.web.merchant import payments
from tests.flows.support import assert_books_hold
from tests.web.pages import DESK, PHONE, aside, assert_accessible, assert_fits, complaints, open_as, shot
from tests.web.sales import pay
from tests.web.world import World

#: Amounts in cents and how long ago (days, hours): a fortnight of a small shop.
_SOLD = [
    (890, 0, 0), (4250, 0, 1), (1290, 0, 3), (5900, 1, 2), (2490, 1, 4), (6200, 2, 1), (990, 3, 5),
    (3150, 4, 2), (6100, 5, 3), (1850, 6, 6), (5700, 8, 1), (540, 9, 4), (4990, 11, 2), (2200, 13, 3),
]  # fmt: skip


def busy(world: World) -> list[PaymentView]:
    """A fortnight: sales in two stores, refused codes, a refund, a dispute, notifications."""
    now = utc_now()
    paid = []
    for number, (minor, days, hours) in enumerate(_SOLD):
        store = "one-S2" if number % 3 == 2 else "one-S1"
        details = {"orderId": f"2026-{1000 + number}", "description": "Pralines"}
        one = pay(
            world,
            f"till-{8000 + number}",
            minor,
            now=now - timedelta(minutes=2 * number),
            store_ref=store,
            details=details,
            # The disputed one has no address: its dispute is told where the client wants it.
            notify_url=None if number == 3 else "https://shop.example/notify",
        )
        with connection.cursor() as cursor:  # the wallet's phone is younger than this past
            cursor.execute(
                "UPDATE acquiring_payment SET created_at = created_at - %s, finished_at = finished_at - %s"
                " WHERE id = %s",
                [timedelta(days=days, hours=hours)] * 2 + [one.id],
            )
        paid.append(one)
    for number in range(3):
        pay(world, f"bad-{number}", code="281234567890123456", now=now - timedelta(minutes=number))
    first = paid[1]
    refund = flows.Refund(
        merchant_id=first.merchant_id,
        client_ref=acquiring.STAFF,
        request_ref="desk-1",
        payment_id=first.id,
        amount=Money(1000, "EUR"),
        reason="damaged: one box",
    )
    dispute = flows.OpenDispute(
        merchant_id=first.merchant_id,
        payment_id=paid[3].id,
        dispute_id=new_id(),
        kind=acquiring.DisputeKind.CHARGEBACK,
        amount=paid[3].amount,
        reason_code="GOODS_NOT_RECEIVED",
        reason="The goods never came",
        due_at=now + timedelta(days=9),
    )
    flows.execute([refund, dispute], now, flows.Desk(5))
    key = signing.generate_key()
    identity.add_key(world.shop.client_ref, signing.export_public_key(key.public_key()), now=now)
    identity.create_api_key(world.shop.client_ref, ["payments/pay", "payments/refund"], now=now)
    acquiring.change_contract(
        first.merchant_id, settlement_currency="EUR", payment_currencies=["EUR", "JPY", "KWD"]
    )
    record(world, paid)
    Authenticator.objects.create(user_id=world.shop.manager.id, type=Authenticator.Type.TOTP, data={})
    return paid


def record(world: World, paid: list[PaymentView]) -> None:
    """A morning of the people who work there, some of each kind of act."""
    shop = world.shop
    acts: list[tuple[PersonView, str, tuple[str, str] | None, dict[str, Detail]]] = [
        (shop.owner, "login.succeed", None, {}),
        (shop.owner, "staff.role", ("person", shop.cashier.id.hex), {"role": "manager"}),
        (shop.owner, "client.revoke_api_key", ("client", shop.client_ref), {"which": "1"}),
        (
            shop.manager,
            "refund.create",
            ("payment", paid[1].id.hex),
            {"amount": "10.00 EUR", "outcome": "ok"},
        ),
        (shop.manager, "notification.resend", ("notification", new_id().hex), {}),
        (shop.accountant, "export.create", None, {"file": "payments-2026-11-01-2026-11-26.xlsx"}),
    ]
    for person, action, subject, details in acts:
        identity.record_action(person, action, now=utc_now(), subject=subject, details=details)


def addresses(paid: list[PaymentView], world: World) -> dict[str, str]:
    rows = read(acquiring.disputes_listed(1, world.shop.merchant_id, only_waiting=True))
    (dispute,) = acquiring.decode_disputes(rows)
    client = world.shop.client_ref
    return {
        "overview": reverse("merchant-home"),
        "payments": reverse("merchant-payments"),
        "payments-wrong": reverse("merchant-payments") + "?least=1.000&most=99",
        "payments-none": reverse("merchant-payments") + "?q=nothing",
        "payment": reverse("merchant-payment", args=[paid[1].id.hex]),
        "refund": reverse("merchant-refund", args=[paid[1].id.hex]),
        "disputes": reverse("merchant-disputes"),
        "dispute": reverse("merchant-dispute", args=[dispute.id.hex]),
        "stores": reverse("merchant-stores"),
        "staff": reverse("merchant-staff"),
        "person": reverse("merchant-person", args=[world.shop.manager.id.hex]),
        "clients": reverse("merchant-clients"),
        "client": reverse("merchant-client", args=[client]),
        "check": reverse("merchant-check", args=[client]),
        "notices": reverse("merchant-notices"),
        "record": reverse("merchant-record"),
    }


@pytest.mark.parametrize(
    ("size", "dark", "language"),
    [(DESK, False, "en"), (PHONE, True, "nl"), (PHONE, False, "zh-hans"), (DESK, True, "de")],
    ids=["desk-light", "phone-dark", "phone-light", "desk-dark"],
)
def test_every_page_is_accessible_and_fits(
    browser: Browser,
    site: str,
    world: World,
    size: dict[str, int],
    dark: bool,
    language: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paid = aside(lambda: busy(world))
    monkeypatch.setattr(payments, "STRETCH", 5)  # a filtered page says how far it has looked
    page = open_as(browser, site, world.shop.owner, size=size, dark=dark, language=language, recent=True)
    kind = f"{'desk' if size is DESK else 'phone'}-{'dark' if dark else 'light'}"
    for name, address in aside(lambda: addresses(paid, world)).items():
        page.goto(address)
        shot(page, f"merchant-{name}-{kind}")
        assert_accessible(page)
        assert_fits(page)
    assert complaints(page) == []


def test_a_manager_finds_a_payment_and_refunds_it_with_the_keyboard_alone(
    browser: Browser, site: str, world: World
) -> None:
    paid = aside(lambda: busy(world))
    page = open_as(browser, site, world.shop.manager, size=DESK, recent=True)
    page.goto(reverse("merchant-payments"))
    page.get_by_label("Number begins with").fill("2026-1003")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.get_by_role("link", name="till-8003").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="What happened").wait_for()
    page.goto(reverse("merchant-refund", args=[paid[4].id.hex]))
    page.get_by_label("Amount").fill("4,90")
    page.get_by_label("Reason").select_option("goodwill")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Refunded.", exact=True).wait_for()
    page.reload()
    given = aside(
        lambda: acquiring.decode_refunds(read(acquiring.refunds_of_payment(paid[4].merchant_id, paid[4].id)))
    )
    assert [one.amount for one in given] == [Money(490, "EUR")]
    assert complaints(page) == []
    aside(assert_books_hold)


def test_the_result_of_a_test_notification_appears_by_itself(
    browser: Browser, site: str, world: World
) -> None:
    shop = world.shop
    page = open_as(browser, site, shop.owner, size=DESK, recent=True)
    page.goto(reverse("merchant-check", args=[shop.client_ref]))
    page.get_by_label("Address").fill("https://shop.example/notify")
    page.get_by_role("button", name="Send a test").click()
    page.get_by_text("Being sent").wait_for()

    def answered() -> None:
        from comptoir.db import outbox
        from comptoir.flows import topics

        now: datetime = utc_now()
        claimed = outbox.decode_claimed(read(outbox.claim([topics.NOTIFY_TEST], 1, now, 30)))
        read(outbox.dead(claimed[0], now, "answered HTTP 404"))

    aside(answered)
    page.get_by_text("answered HTTP 404").wait_for()
    page.get_by_text("Not acknowledged").wait_for()
    assert len(aside(lambda: log.notices(shop.merchant_id, 9))) == 1
    assert complaints(page) == []
