"""The day at the counter: lists and totals, receipts and the poster."""

from __future__ import annotations

import re
from datetime import timedelta

import pypdfium2
import pytest
import zxingcpp
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import Browser, expect

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import STAFF, PaymentView
from comptoir.flows import api as flows
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.standards import entry_code
from tests.web.counter.test_sale import SCREENS, looked_at
from tests.web.counter.till import (
    MANAGER_PIN,
    client_at_till,
    done_to,
    eur,
    in_the_books,
    line_to_nobody,
    open_at_till,
    payments_of,
    sold,
    text,
    till_of,
)
from tests.web.pages import aside, assert_fits, complaints
from tests.web.world import World


def test_the_list_is_of_this_till_or_of_its_store(world: World, cashier: Client) -> None:
    sold(world, 1000)
    sold(world, 2000, 1, number=1)
    assert "€10.00" in text(cashier, "/counter/day")
    assert "€20.00" not in text(cashier, "/counter/day")
    assert "€20.00" not in text(cashier, "/counter/day", of="store"), "the other till is in the other store"
    other = client_at_till(world.shop.cashier, world.shop, 1)
    assert "€20.00" in text(other, "/counter/day")
    stranger = client_at_till(world.other_shop.cashier, world.other_shop)
    assert "€" not in text(stranger, "/counter/day")


def over_the_poster(world: World, minor: int, number: int = 0) -> PaymentView:
    """A customer pays over the code that hangs in one of the stores: the wallet asks, and confirms."""
    shop, now, desk, wallet_id = world.shop, utc_now(), flows.Desk(5), world.traveller.wallet_id
    code = acquiring.entry_code_of_store(shop.merchant_id, shop.stores[number], "EUR")
    ref = (
        code.ref
        if code
        else acquiring.issue_entry_code(
            shop.merchant_id,
            shop.stores[number],
            entry_code.new_ref(),
            currency="EUR",
            client_ref=STAFF,
            now=now,
        )
    )
    entry = flows.scanned_entry(ref)
    assert entry is not None
    order = flows.open_order(entry, eur(minor), new_id(), now, desk).payment
    assert order is not None
    assert order.order_code is not None
    claimed = flows.execute([flows.Claim(order_code=order.order_code, wallet_id=wallet_id)], now, desk)[
        0
    ].payment
    assert claimed is not None
    assert claimed.authorization_id is not None
    confirm = flows.Confirm(wallet_id=wallet_id, authorization_id=claimed.authorization_id)
    (outcome,) = flows.execute([confirm], now, desk)
    assert outcome.code == flows.OK
    assert outcome.payment is not None
    return outcome.payment


def test_what_is_paid_over_the_poster_shows_at_every_till_of_its_store(world: World, cashier: Client) -> None:
    sold(world, 1000)
    paid = over_the_poster(world, 3300)
    over_the_poster(world, 4400, number=1)
    for address in ("/counter/", "/counter/day"):
        page = text(cashier, address)
        assert "€33.00" in page
        assert page.count('<span class="badge"><svg') == 1, "one of them is marked"
        assert "€44.00" not in page, "the other store's"
    assert "€33.00" in text(cashier, "/counter/day", of="store")
    assert "<dd>Poster</dd>" in text(cashier, f"/counter/payments/{paid.id}")
    stranger = client_at_till(world.other_shop.cashier, world.other_shop)
    assert "€33.00" not in text(stranger, "/counter/day")


def test_the_poster_is_in_the_sums_of_the_store_and_of_no_till(world: World, cashier: Client) -> None:
    sold(world, 1000)
    paid = over_the_poster(world, 3300)
    flows.give_back(paid, eur(300), new_id(), utc_now(), flows.Desk(5))

    def figures(page: str) -> list[str]:
        return re.findall(r"(€[0-9.]+)</span>", page.split("counter-bars")[0])

    of_till = text(cashier, "/counter/totals")
    assert figures(of_till)[:3] == ["€10.00", "€0.00", "€10.00"]
    assert "not in the sums above" in of_till
    of_store = text(cashier, "/counter/totals", of="store")
    assert figures(of_store)[:3] == ["€43.00", "€3.00", "€40.00"]
    assert "part of the sums above" in of_store
    for page in (of_till, of_store):
        poster = page.split("<h2>Poster</h2>")[1]
        assert figures(poster) == ["€33.00", "€3.00", "€30.00"]


def test_a_long_day_comes_page_by_page(world: World, cashier: Client) -> None:
    """Keyset paging: every payment once, in the same number of queries whatever their number."""
    amounts = []
    for number in range(60):
        order = flows.take(
            till_of(world.shop), eur(100 + number), new_id(), None, utc_now(), line_to_nobody()
        )
        assert order.payment is not None
        amounts.append(100 + number)
    seen: list[str] = []
    address: str | None = "/counter/day"
    pages = 0
    counts = set()
    cashier.get(address)  # the country of a merchant is asked for once
    while address:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = cashier.get(address).content.decode()
        counts.add(len(queries))
        seen += re.findall(r'class="amount">€([0-9.]+)<', page)
        found = re.search(r'href="([^"]+)" rel="next">[^<]*<?', page.split('class="pagination"')[-1])
        address = found[1].replace("&amp;", "&") if found and 'class="pagination"' in page else None
        pages += 1
        assert pages < 9
    assert [round(float(one) * 100) for one in seen] == amounts[::-1]
    assert pages == 3
    assert len(counts) == 1


#: What a page asks the database, once its session and the visitor's country are known.
QUERIES = {"/counter/": 4, "/counter/day": 4, "/counter/totals": 5, "payment": 6, "receipt": 5}


@pytest.mark.parametrize("page", QUERIES)
def test_a_page_asks_so_many_questions(world: World, cashier: Client, page: str) -> None:
    paid = sold(world)
    over_the_poster(world, 500)
    addresses = {"payment": f"/counter/payments/{paid.id}", "receipt": f"/counter/payments/{paid.id}/receipt"}
    address = addresses.get(page, page)
    cashier.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert cashier.get(address).status_code == 200
    assert len(queries) == QUERIES[page], [one["sql"][:90] for one in queries]


CROOKED = (
    {"on": "x"}, {"on": "9999-99-99"}, {"on": "0001-01-01"}, {"on": "9999-12-31"}, {"after": "x"},
    {"after": "2026-01-01T00:00:00~x"}, {"after": "2026-01-01T00:00:00+00:00~x"},
)  # fmt: skip


@pytest.mark.parametrize("parameters", CROOKED)
def test_a_crooked_address_shows_a_day_all_the_same(cashier: Client, parameters: dict[str, str]) -> None:
    text(cashier, "/counter/day", **parameters)
    text(cashier, "/counter/totals", **parameters)


def test_the_totals_are_those_of_the_day(world: World, cashier: Client) -> None:
    paid = sold(world, 1000)
    sold(world, 250, 1)
    flows.give_back(paid, eur(400), new_id(), utc_now(), flows.Desk(5))
    page = text(cashier, "/counter/totals")
    for part in ("€12.50", "2 payments", "€4.00", "€8.50", "Comptoir wallet"):
        assert part in page
    yesterday = (utc_now() - timedelta(days=1)).date().isoformat()
    assert "No sales and no refunds" in text(cashier, "/counter/totals", on=yesterday)


def test_only_what_waits_is_closed(world: World, cashier: Client) -> None:
    paid = sold(world)
    assert cashier.post(f"/counter/payments/{paid.id}/close").status_code == 303
    assert in_the_books(world.shop) == (1, 1000)
    assert done_to(world, paid) == []
    assert "too late to cancel" in text(cashier, f"/counter/payments/{paid.id}")
    waits = flows.take(till_of(world.shop), eur(500), new_id(), None, utc_now(), line_to_nobody()).payment
    assert waits is not None
    for _ in range(2):
        cashier.post(f"/counter/payments/{waits.id}/close")
    assert payments_of(world.shop)[0].state == "CANCELLED"
    assert done_to(world, waits) == ["payment.cancel"]
    assert cashier.get(f"/counter/payments/{waits.id}/receipt").status_code == 404, "nothing was paid"
    assert cashier.get(f"/counter/payments/{waits.id}/close").status_code == 405


def test_a_receipt_says_what_was_paid_and_given_back(world: World, cashier: Client) -> None:
    paid = sold(world)
    flows.give_back(paid, eur(400), new_id(), utc_now(), flows.Desk(5))
    address = f"/counter/payments/{paid.id}/receipt"
    page = text(cashier, address)
    document = cashier.get(f"{address}.pdf")
    assert document["Content-Type"] == "application/pdf"
    printed = pypdfium2.PdfDocument(document.content)[0].get_textpage().get_text_bounded()
    rate = "1 EUR = 7.979 CNY"
    for part in ("€10.00", "¥79.79", rate, "−€4.00", paid.id.hex, "付款凭证", "Chocolaterie Sablon"):
        assert part in page, part
        assert part in printed, part
    dutch = cashier.get(address, headers={"accept-language": "nl"}).content.decode()
    assert "1 EUR = 7,979 CNY" in dutch


def test_the_poster_has_the_stores_code_and_a_manager_hangs_the_first(world: World, cashier: Client) -> None:
    shop = world.shop
    assert "A manager can make the first poster" in text(cashier, "/counter/poster")
    assert cashier.post("/counter/poster", {"size": "A6"}).status_code == 200
    assert acquiring.entry_code_of_store(shop.merchant_id, shop.stores[0], "EUR") is None
    manager = client_at_till(shop.manager, shop)
    made = manager.post("/counter/poster", {"size": "A5", "chinese": " 沙布隆  巧克力 "})
    assert made["Content-Type"] == "application/pdf"
    assert made["Content-Disposition"] == 'attachment; filename="poster-A5.pdf"'
    hung = acquiring.entry_code_of_store(shop.merchant_id, shop.stores[0], "EUR")
    assert hung is not None
    assert hung.client_ref == STAFF
    page = pypdfium2.PdfDocument(made.content)[0]
    (found,) = zxingcpp.read_barcodes(page.render(scale=3).to_pil())
    assert found.text.endswith(f"/s/{hung.ref}")
    assert "沙布隆 巧克力" in page.get_textpage().get_text_bounded()
    # From then on anybody at the counter prints it again, the same.
    again = cashier.post("/counter/poster", {"size": "A6"})
    (found,) = zxingcpp.read_barcodes(pypdfium2.PdfDocument(again.content)[0].render(scale=3).to_pil())
    assert found.text.endswith(f"/s/{hung.ref}")
    assert cashier.post("/counter/poster", {"size": "A0"}).status_code == 200
    entries = identity.actions(shop.merchant_id, subject=("store", shop.stores[0].hex)).entries
    assert [(one.action, one.details["size"]) for one in entries] == [
        ("poster.print", "A6"),
        ("poster.print", "A5"),
    ]


@pytest.mark.parametrize("screen", SCREENS)
def test_the_pages_of_the_day_hold_on_every_screen(
    browser: Browser, site: str, world: World, screen: str
) -> None:
    def prepare() -> PaymentView:
        identity.set_pin(world.shop.manager.id, MANAGER_PIN)
        paid = sold(world, 4250)
        sold(world, 1999, 1)
        over_the_poster(world, 800)
        flows.give_back(paid, eur(1250), new_id(), utc_now(), flows.Desk(5), "returned")
        return paid

    paid = aside(prepare)
    page = open_at_till(browser, site, world, world.shop.manager, **SCREENS[screen])
    for name, address in {
        "day": "/counter/day",
        "totals": "/counter/totals",
        "payment": f"/counter/payments/{paid.id}",
        "refund": f"/counter/payments/{paid.id}/refund",
        "receipt": f"/counter/payments/{paid.id}/receipt",
        "poster": "/counter/poster",
    }.items():
        page.goto(address)
        looked_at(page, f"{name}-{screen}")
    page.goto(f"/counter/payments/{paid.id}/refund")
    expect(page.locator("#amount")).to_have_value("30.00")
    page.locator("#pin").fill(MANAGER_PIN)
    page.get_by_role("button", name="Give the money back").click()
    expect(page.get_by_role("status").first).to_contain_text("The money went back")
    assert complaints(page) == []
    assert aside(lambda: in_the_books(world.shop)) == (3, 2799)


@pytest.mark.parametrize("language", ["zh-hans", "nl", "fr", "de"])
def test_the_longest_words_fit_on_a_phone(browser: Browser, site: str, world: World, language: str) -> None:
    """360 pixels wide, letters twice as large."""
    paid = aside(lambda: sold(world))
    page = open_at_till(browser, site, world, size={"width": 360, "height": 740}, language=language)
    sale = "/counter/sale/01980000-0000-7000-8000-000000000009?amount=1250.00"
    payment = f"/counter/payments/{paid.id}"
    for address in ("/counter/", sale, "/counter/day", "/counter/totals", payment, "/counter/poster"):
        page.goto(address)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert_fits(page)
        page.evaluate("document.documentElement.style.fontSize = ''")
        looked_at(page, f"{language}-{address.split('/')[2] or 'keypad'}")
