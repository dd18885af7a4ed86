"""One payment on three screens: the traveller's phone, the shop's counter, the merchant's desk."""

from __future__ import annotations

import io
import re
from pathlib import Path

import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from comptoir.identity import api as identity
from tests.flows.support import assert_books_hold
from tests.web.counter.test_sale import ask, result, scan
from tests.web.counter.till import TABLET, in_the_books, open_at_till, payments_of
from tests.web.pages import DESK, aside, complaints, open_as, shot
from tests.web.wallet.support import own_balance, phone_with_code, scanned, type_pin
from tests.web.world import World

_MANAGERS_PIN = "730412"


def test_a_phone_pays_at_the_counter_and_a_part_comes_back_on_every_screen(
    browser: Browser, site: str, world: World
) -> None:
    aside(lambda: identity.set_pin(world.shop.manager.id, _MANAGERS_PIN))
    phone = phone_with_code(browser, site, world)
    counter = open_at_till(browser, site, world, size=TABLET)
    ask(counter, "1250")
    (digits,) = scanned(phone)
    scan(counter, digits)
    result(counter, "Paid")
    phone.wait_for_url("**/wallet/results/*")
    expect(phone.get_by_text("€12.50")).to_be_visible()
    assert aside(lambda: in_the_books(world.shop)) == (1, 1250)
    paid = own_balance(world)

    (payment,) = aside(lambda: payments_of(world.shop))
    counter.goto(f"/counter/payments/{payment.id}/refund")
    counter.get_by_label("Amount in EUR").fill("4.00")
    counter.get_by_label("PIN of the manager").fill(_MANAGERS_PIN)
    counter.get_by_role("button", name="Give the money back").click()
    expect(counter.get_by_text("−€4.00")).to_be_visible()
    shot(counter, "three-counter")

    desk = open_as(browser, site, world.shop.owner, size=DESK)
    desk.goto(f"/merchant/payments/{payment.id.hex}")
    expect(desk.locator(".history li").filter(has_text="€4.00")).to_be_visible()
    shot(desk, "three-desk")

    phone.goto(f"/wallet/payments/{payment.authorization_id}")
    expect(phone.get_by_role("heading", name="Came back")).to_be_visible()
    shot(phone, "three-phone")
    back = own_balance(world) - paid
    assert f"+CN¥{back // 100}.{back % 100:02}" in phone.get_by_role("main").inner_text()
    assert aside(lambda: in_the_books(world.shop)) == (1, 850)
    assert [complaints(one) for one in (phone, counter, desk)] == [[], [], []]
    aside(assert_books_hold)


def test_a_phone_reads_the_counters_code_off_its_screen(
    browser: Browser, site: str, world: World, tmp_path: Path
) -> None:
    counter = open_at_till(browser, site, world, size=TABLET)
    ask(counter, "800")
    counter.get_by_role("button", name="Show a code instead").click()
    expect(counter.get_by_text("Let the customer scan")).to_be_visible()
    picture = _photo(counter, tmp_path / "counter.png")
    phone = open_as(browser, site, world.traveller.person)
    phone.goto("/wallet/scan")
    phone.get_by_label("Or choose a picture of it").set_input_files(picture)
    phone.wait_for_url("**/wallet/asks/*")
    expect(phone.get_by_text("€8.00").first).to_be_visible()
    assert aside(lambda: in_the_books(world.shop)) == (1, 0), "what is asked is not paid"
    type_pin(phone)
    phone.get_by_role("button", name=re.compile("^Pay ")).click()
    expect(phone.get_by_role("heading", name="Paid")).to_be_visible()
    result(counter, "Paid")
    shot(counter, "three-scanned")
    assert aside(lambda: in_the_books(world.shop)) == (1, 800)
    assert [complaints(one) for one in (phone, counter)] == [[], []]
    aside(assert_books_hold)


def _photo(page: Page, path: Path) -> Path:
    """The screen as another phone's camera has it."""
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB").rotate(3, expand=True, fillcolor="gray")
    assert zxingcpp.read_barcodes(taken)
    taken.save(path)
    return path
