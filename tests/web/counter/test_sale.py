"""A sale at the counter, in a real browser: the keypad, the customer's code or ours, the result."""

from __future__ import annotations

import io
import re

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from comptoir.flows import api as flows
from comptoir.kernel.clock import utc_now
from comptoir.standards import order_code, qr_code
from comptoir.wallet import api as wallet
from tests.flows.support import assert_books_hold
from tests.web.counter.till import (
    TABLET,
    claim_and_confirm,
    client_at_till,
    code_of,
    in_the_books,
    open_at_till,
    payments_of,
    till_of,
)
from tests.web.pages import (
    DESK,
    PHONE,
    aside,
    assert_accessible,
    assert_fits,
    client_of,
    complaints,
    hold_before_camera,
    limit,
    shot,
)
from tests.web.world import World


def ask(page: Page, amount: str) -> None:
    """From the keypad to the question for the customer's code."""
    page.goto("/counter/")
    page.keyboard.type(amount)
    page.keyboard.press("Enter")
    expect(page.locator("#code")).to_be_focused()
    page.wait_for_load_state()  # the scripts have it now


def scan(page: Page, code: str) -> None:
    """What a hand scanner does: types the digits within a blink, and Enter."""
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def result(page: Page, title: str) -> None:
    expect(page.locator(".counter-result .result-title")).to_have_text(title)


def looked_at(page: Page, name: str) -> None:
    """Nobody is shut out, nothing runs off the side; and a picture for people."""
    assert_accessible(page)
    assert_fits(page)
    shot(page, f"counter-{name}")


SCREENS = {
    "phone": {"size": PHONE},
    "tablet": {"size": TABLET},
    "desk-dark": {"size": DESK, "dark": True},
}


@pytest.mark.parametrize("screen", SCREENS)
def test_a_hand_scanner_takes_a_payment(browser: Browser, site: str, world: World, screen: str) -> None:
    page = open_at_till(browser, site, world, **SCREENS[screen])
    page.goto("/counter/")
    page.keyboard.type("1250")
    looked_at(page, f"keypad-{screen}")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("€12.50")
    looked_at(page, f"asking-{screen}")
    # Wherever the focus is: the scanner knows nothing of fields.
    page.locator("#camera, [name=show]").last.focus()
    scan(page, aside(lambda: code_of(world.traveller)))
    result(page, "Paid")
    expect(page.locator(".counter-result")).to_have_class(re.compile("counter-result-good"))
    looked_at(page, f"paid-{screen}")
    assert aside(lambda: in_the_books(world.shop)) == (1, 1250)
    page.get_by_role("link", name="Next customer").click()
    expect(page.locator("#amount")).to_have_value("0.00")
    expect(page.locator(".counter-last")).to_contain_text("€12.50")
    looked_at(page, f"last-{screen}")
    assert complaints(page) == []
    aside(assert_books_hold)


def test_the_keypad_counts_as_tills_do(browser: Browser, site: str, world: World) -> None:
    page = open_at_till(browser, site, world)
    page.goto("/counter/")
    field = page.locator("#amount")

    def typed(keys: str) -> str:
        page.keyboard.press("Escape")
        for key in keys:
            page.keyboard.press("Backspace" if key == "<" else key)
        return field.input_value()

    amounts = {
        "5": "0.05", "1250": "12.50", "12,": "12.00", "12,5": "12.50", "12.055": "12.05", "125<": "0.12",
        "0": "0.00", "00012": "0.12", "7.<<": "0.00", "1.2.3": "1.23",
    }  # fmt: skip
    for keys, shown in amounts.items():
        assert typed(keys) == shown, keys
    page.keyboard.press("Escape")
    for key in ("4", "2", "00", "erase"):
        page.locator(f"[data-key='{key}']").click()
    assert field.input_value() == "4.20"
    # Nothing is asked for without an amount, and a code is none.
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    assert page.url.endswith("/counter/")
    # In one go, as a scanner does: keys that are sent singly may be slower than fingers on a busy machine.
    keys = [*"281234567890123456", "Enter"]
    page.evaluate(
        "keys => keys.forEach(key => document.dispatchEvent(new KeyboardEvent('keydown', {key})))", keys
    )
    expect(page.get_by_role("alert")).to_contain_text("That was a code")
    assert field.input_value() == "0.00"
    assert aside(lambda: payments_of(world.shop)) == []


def test_a_refusal_says_why_and_what_to_do(browser: Browser, site: str, world: World) -> None:
    page = open_at_till(browser, site, world)
    ask(page, "1250")
    scan(page, "123")
    expect(page.get_by_role("alert").first).to_contain_text("That is no payment code")
    assert aside(lambda: payments_of(world.shop)) == [], "what is no code uses nothing up"
    page.reload()
    expect(page.locator("h1")).to_contain_text("€12.50")
    page.wait_for_load_state()
    stale = aside(lambda: code_of(world.traveller))[:-1]
    scan(page, stale + ("0" if not aside(lambda: code_of(world.traveller)).endswith("0") else "1"))
    result(page, "Not paid")
    expect(page.locator(".counter-result")).to_contain_text("Ask the customer for a new code")
    looked_at(page, "refused")
    again = page.get_by_role("link", name="Try again").get_attribute("href")
    page.reload()
    assert page.get_by_role("link", name="Try again").get_attribute("href") == again, (
        "one next try, everywhere"
    )
    page.get_by_role("link", name="Try again").click()
    expect(page.locator("h1")).to_contain_text("€12.50")
    page.wait_for_load_state()
    expect(page.locator("#code")).to_be_focused()
    scan(page, aside(lambda: code_of(world.traveller, 1)))
    result(page, "Paid")
    assert aside(lambda: in_the_books(world.shop)) == (2, 1250)


def test_the_customer_scans_ours_off_the_screen(browser: Browser, site: str, world: World) -> None:
    """Live, without reloading: the code, the customer's confirmation, the result."""
    page = open_at_till(browser, site, world, size=TABLET)
    ask(page, "800")
    page.get_by_role("button", name="Show a code instead").click()
    result(page, "Let the customer scan")
    looked_at(page, "code")
    picture = Image.open(io.BytesIO(page.screenshot()))
    (seen,) = zxingcpp.read_barcodes(picture)
    code = order_code.parse(seen.text, "http://localhost:8400")
    digits = page.locator(".counter-result .digits").first.inner_text()
    assert digits.replace(" ", "") == code, "a wallet that cannot scan takes them"
    assert digits != code, "in groups, to be typed"
    first = page.locator(".code").inner_html()
    page.reload()
    assert page.locator(".code").inner_html() == first, "the same sale shows the same code"
    page.evaluate("window.stays = true")
    claim_and_confirm(world.traveller, code)
    result(page, "Paid")
    assert page.evaluate("window.stays") is True
    assert aside(lambda: in_the_books(world.shop)) == (1, 800)
    assert complaints(page) == []


def test_a_large_payment_waits_for_the_pin(browser: Browser, site: str, world: World) -> None:
    page = open_at_till(browser, site, world)
    ask(page, "20000")
    scan(page, aside(lambda: code_of(world.traveller)))
    result(page, "Waiting for the customer")
    looked_at(page, "to-confirm")

    def confirm() -> None:
        (waiting,) = wallet.waiting(world.traveller.wallet_id, utc_now())
        flows.execute(
            [flows.Confirm(wallet_id=world.traveller.wallet_id, authorization_id=waiting.id)],
            utc_now(),
            flows.Desk(5),
        )

    aside(confirm)
    result(page, "Paid")


def test_what_waits_can_be_cancelled(browser: Browser, site: str, world: World) -> None:
    page = open_at_till(browser, site, world)
    ask(page, "800")
    page.get_by_role("button", name="Show a code instead").click()
    page.get_by_role("button", name="Cancel this payment").click()
    result(page, "Cancelled")
    looked_at(page, "cancelled")
    assert aside(lambda: in_the_books(world.shop)) == (1, 0)


def test_the_camera_reads_the_code(browser: Browser, site: str, world: World) -> None:
    """The page's own frames, as a browser without a detector sends them."""
    page = open_at_till(browser, site, world)
    ask(page, "500")
    code = aside(lambda: code_of(world.traveller))
    frame = io.BytesIO()
    Image.open(io.BytesIO(qr_code.build(code, qr_code.Picture.PNG))).convert("RGB").save(frame, "JPEG")
    hold_before_camera(page, frame.getvalue())
    page.evaluate("document.getElementById('camera').hidden = false")
    page.get_by_role("button", name="Camera", exact=True).click()
    result(page, "Paid")
    assert aside(lambda: in_the_books(world.shop)) == (1, 500)


def test_a_camera_that_sees_nothing_for_long_says_what_else_to_do(
    browser: Browser, site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, frame="2/m/user")
    page = open_at_till(browser, site, world)
    ask(page, "500")
    wall = io.BytesIO()
    Image.new("RGB", (400, 300), (150, 140, 130)).save(wall, "JPEG")
    hold_before_camera(page, wall.getvalue())
    page.evaluate("document.getElementById('camera').hidden = false")
    page.get_by_role("button", name="Camera", exact=True).click()
    expect(page.locator("#sale-says")).to_contain_text("Wait a minute, use the hand scanner")
    expect(page.locator("#viewfinder")).to_be_hidden()
    looked_at(page, "camera-busy")
    assert aside(lambda: in_the_books(world.shop)) == (0, 0)
    scan(page, aside(lambda: code_of(world.traveller)))
    result(page, "Paid")
    assert aside(lambda: in_the_books(world.shop)) == (1, 500)


def test_the_open_camera_is_in_view(browser: Browser, site: str, world: World) -> None:
    """On a phone it opens below everything else: what it sees and the way to close it are on the screen."""
    page = open_at_till(browser, site, world)
    ask(page, "500")
    wall = io.BytesIO()
    Image.new("RGB", (600, 800), (150, 140, 130)).save(wall, "JPEG")
    hold_before_camera(page, wall.getvalue())
    page.evaluate("document.getElementById('camera').hidden = false")
    page.get_by_role("button", name="Camera", exact=True).click()
    # Not by `wait_for_function`: the page's policy lets no text be looked at a second time.
    page.evaluate(
        """() => new Promise((done) => {
          const look = () => document.querySelector("#viewfinder video")?.currentTime > 0
            ? done() : setTimeout(look, 50);
          look();
        })"""
    )
    expect(page.locator("#viewfinder video")).to_be_in_viewport(ratio=1)
    close = page.locator("#camera-off")
    expect(close).to_be_in_viewport(ratio=1)
    on_top = """(one) => {
      const { x, y, height } = one.getBoundingClientRect();
      return document.elementFromPoint(x + 20, y + height - 2) === one;
    }"""
    assert close.evaluate(on_top), "nothing lies over it"
    looked_at(page, "camera")
    close.click()
    expect(page.locator("#viewfinder")).to_be_hidden()


def test_a_device_remembers_its_till(browser: Browser, site: str, world: World) -> None:
    page = open_at_till(browser, site, world)
    page.context.clear_cookies(name="counter_till")
    page.goto("/counter/day")
    expect(page.locator("h1")).to_have_text("Where is this device?")
    looked_at(page, "place")
    page.get_by_role("button", name=re.compile("T2")).click()
    assert page.url.endswith("/counter/day")
    expect(page.locator(".bar-title")).to_contain_text("Steenstraat")
    page.reload()
    expect(page.locator(".bar-title")).to_contain_text("T2")


def test_a_page_without_scripts_takes_payments_too(world: World) -> None:
    client = client_at_till(world.shop.cashier, world.shop)
    home = client.get("/counter/").content.decode()
    address = re.search(r'action="(/counter/sale/[^"]+)"', home)
    assert address
    page = client.get(address[1], {"amount": "12,50", "currency": "EUR"})
    assert "€12.50" in page.content.decode()
    sent = {"amount": "12.50", "currency": "EUR", "code": f" {code_of(world.traveller)} "}
    for _ in range(2):
        answer = client.post(address[1], sent)
        assert answer.status_code == 303
        assert "Paid" in client.get(answer["Location"]).content.decode()
    other = client.post(address[1], sent | {"amount": "13.00"})
    shown = client.get(other["Location"]).content.decode()
    assert "nothing was taken a second time" in shown
    assert "€12.50" in shown
    assert "€13.00" not in shown
    assert in_the_books(world.shop) == (1, 1250)


@pytest.mark.parametrize("typed", ["", "0", "-5", "1.234", "abc", "12.505", "9" * 14])
def test_what_is_no_amount_asks_for_one(world: World, typed: str) -> None:
    client = client_at_till(world.shop.cashier, world.shop)
    address = "/counter/sale/01980000-0000-7000-8000-000000000001"
    page = client.post(address, {"amount": typed, "currency": "EUR", "code": code_of(world.traveller)})
    assert page.status_code == 200
    assert "Enter an amount" in page.content.decode()
    assert in_the_books(world.shop) == (0, 0)


def test_a_till_of_another_merchant_is_no_place_to_stand(world: World) -> None:
    client = client_at_till(world.other_shop.cashier, world.shop)
    answer = client.get("/counter/")
    assert answer.status_code == 303
    assert answer["Location"].startswith("/counter/till")
    chosen = client.post("/counter/till", {"till": f"{world.shop.stores[0].hex}.T1"})
    assert chosen.status_code == 200, "it is not among the choices"
    assert "counter_till" not in chosen.cookies


def test_another_shops_sale_is_another_sale(world: World) -> None:
    """The same id at another merchant's counter names another payment, and shows nothing of this one."""
    address = "/counter/sale/01980000-0000-7000-8000-000000000002"
    sent = {"amount": "12.50", "currency": "EUR", "code": code_of(world.traveller)}
    assert client_at_till(world.shop.cashier, world.shop).post(address, sent).status_code == 303
    page = client_at_till(world.other_shop.cashier, world.other_shop).get(address, {"amount": "1"})
    assert "12.50" not in page.content.decode()
    assert "Scan the customer" in page.content.decode()


def test_nobody_without_a_till_or_a_login_comes_in(world: World) -> None:
    assert client_of(None).get("/counter/")["Location"].startswith("/login")
    assert client_of(world.shop.accountant).get("/counter/").status_code == 403
    assert till_of(world.shop).terminal_ref == "T1"
