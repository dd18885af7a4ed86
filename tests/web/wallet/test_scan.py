"""Scanning: what leads where, what is shown before paying, and what is said of a code that leads nowhere."""

from __future__ import annotations

import html
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from playwright.sync_api import Browser, Route, expect, sync_playwright

from comptoir.acquiring import api as acquiring
from comptoir.flows import api as flows
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.standards import emv_qr, entry_code, order_code
from comptoir.standards.payment_code import Form, build
from comptoir.standards.qr_code import Picture
from comptoir.standards.qr_code import build as draw
from comptoir.wallet import api as wallet
from comptoir.web.wallet.scanning import Kind, Scanned, best, understand
from tests.flows.support import assert_books_hold
from tests.standards.emv_qr.vectors import VECTORS
from tests.web.pages import (
    aside,
    assert_accessible,
    assert_fits,
    client_of,
    complaints,
    hold_before_camera,
    limit,
    open_as,
    shot,
)
from tests.web.wallet.support import (
    FULL,
    NARROW,
    asked,
    balance,
    charge,
    order,
    own_balance,
    type_pin,
)
from tests.web.world import PIN, World

PUBLIC = settings.COMPTOIR.public_url


def scan(client: Client, text: str) -> str:
    """Where a typed text leads: an address, or "" for the same page with a problem."""
    answer = client.post("/wallet/scan", {"text": text})
    return answer["Location"] if answer.status_code in (302, 303) else ""


def photo(text: str, kind: str = "JPEG") -> SimpleUploadedFile:
    """A sticker on a gray wall."""
    wall = Image.new("RGB", (900, 700), (150, 140, 130))
    wall.paste(Image.open(io.BytesIO(draw(text, Picture.PNG))).convert("RGB"), (200, 150))
    file = io.BytesIO()
    wall.save(file, kind)
    return SimpleUploadedFile("photo", file.getvalue())


def wall_without_code() -> SimpleUploadedFile:
    file = io.BytesIO()
    Image.new("RGB", (900, 700), (150, 140, 130)).save(file, "PNG")
    return SimpleUploadedFile("wall.png", file.getvalue())


def wall_code(world: World) -> str:
    """The reference of a code on the wall of the shop's first store."""
    return acquiring.issue_entry_code(
        world.shop.merchant_id,
        world.shop.stores[0],
        entry_code.new_ref(),
        currency="EUR",
        client_ref=world.shop.client_ref,
        now=utc_now(),
    )


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        (
            order_code.build(PUBLIC, "281688041234567890123456"),
            Scanned(Kind.ORDER, "281688041234567890123456"),
        ),
        (" 281688 04 1234-5678 90123456\n", Scanned(Kind.ORDER, "281688041234567890123456")),
        (entry_code.build(PUBLIC, "A" * 22), Scanned(Kind.SHOP, "A" * 22)),
        (f"{PUBLIC}/a/{'0f' * 16}", Scanned(Kind.CONSENT, "0f" * 16)),
        ("0F" * 16, Scanned(Kind.CONSENT, "0f" * 16)),
        (
            build(Form.SHORT, 10_000_000, bytes(32), datetime(2026, 11, 26, tzinfo=UTC), 0),
            Scanned(Kind.PHONE),
        ),
        ("134567890123456789", Scanned(Kind.PHONE)),
        ("281688 04 1234-5678 9012345", Scanned(Kind.DIGITS, "23")),
        ("2816880412345678901234567", Scanned(Kind.DIGITS, "25")),
        ("711688041234567890123456", Scanned(Kind.DIGITS, "24")),
        (f"{PUBLIC}/c/28168804123456", Scanned(Kind.BROKEN)),
        (f"{PUBLIC}/wallet/", Scanned(Kind.BROKEN)),
        ("https://evil.example/c/281688041234567890123456", Scanned(Kind.ELSEWHERE, "evil.example")),
        ("HTTPS://QR.Wallet.Example/abc", Scanned(Kind.ELSEWHERE, "qr.wallet.example")),
        (f"https://{'x' * 61}.example/", Scanned(Kind.UNKNOWN)),
        ("https://[::1/", Scanned(Kind.UNKNOWN)),
        ("WIFI:T:WPA;S:Sablon;P:secret;;", Scanned(Kind.UNKNOWN)),
        ("javascript:alert(1)", Scanned(Kind.UNKNOWN)),
        ("", Scanned(Kind.UNKNOWN)),
        ("9" * 5000, Scanned(Kind.DIGITS, "4296")),
    ],
)
def test_what_a_scanned_text_is(text: str, understood: Scanned) -> None:
    assert understand(text, PUBLIC) == understood


def test_a_merchants_code_of_another_scheme_is_understood_and_not_paid(world: World) -> None:
    payload = next(
        one.payload for one in VECTORS if understand(one.payload, PUBLIC).kind is Kind.OTHER_SCHEME
    )
    name = emv_qr.parse(payload, emv_qr.Profile.LENIENT).name
    answer = client_of(world.traveller.person).post("/wallet/scan", {"text": payload})
    assert f"This code of {name} is for other wallets." in answer.content.decode()


def test_a_picture_chosen_before_the_script_is_there_is_read(
    browser: Browser, site: str, world: World
) -> None:
    digits = aside(lambda: order(world, 4250))
    page = open_as(browser, site, world.traveller.person)
    scripts: list[Route] = []
    page.route("**/wallet/scan.js", lambda route: scripts.append(route))  # noqa: PLW0108 - Playwright takes no builtin
    page.goto("/wallet/scan", wait_until="commit")
    taken = photo(order_code.build(PUBLIC, digits)).read()
    page.locator("#picture").set_input_files({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": taken})
    assert scripts
    scripts[0].continue_()
    page.wait_for_url("**/wallet/asks/*")
    expect(page.get_by_role("main").get_by_text("€42.50").first).to_be_visible()
    assert own_balance(world) == FULL


def test_an_order_is_scanned_off_a_picture_and_paid_with_the_pin(
    browser: Browser, site: str, world: World
) -> None:
    digits = aside(lambda: order(world, 4250))
    page = open_as(browser, site, world.traveller.person)
    page.goto("/wallet/")
    page.get_by_role("navigation").get_by_role("link", name="Scan").click()
    page.get_by_label("Or choose a picture of it").set_input_files(
        {
            "name": "photo.jpg",
            "mimeType": "image/jpeg",
            "buffer": photo(order_code.build(PUBLIC, digits)).read(),
        }
    )
    page.wait_for_url("**/wallet/asks/*")
    main = page.get_by_role("main")
    for text in ("Chocolaterie Sablon", "Pralines", "CN¥339.11", "€42.50", "1 EUR = 7.979 CNY", "CN¥3.36"):
        expect(main.get_by_text(text).first).to_be_visible()
    shot(page, "wallet-ask")
    assert_accessible(page)
    assert_fits(page)
    assert own_balance(world) == FULL
    type_pin(page)
    page.get_by_role("button", name="Pay CN¥339.11").dblclick()
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    assert complaints(page) == []
    assert own_balance(world) == FULL - 33_911
    page.go_back()
    page.reload()
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    assert own_balance(world) == FULL - 33_911
    aside(assert_books_hold)


def test_a_keyboard_and_a_narrow_phone_are_enough(browser: Browser, site: str, world: World) -> None:
    one = aside(lambda: asked(world))
    page = open_as(browser, site, world.traveller.person, size=NARROW, dark=True)
    page.goto(f"/wallet/asks/{one.id}")
    page.get_by_label("Your PIN").focus()
    page.keyboard.type(PIN)
    shot(page, "wallet-ask-dark")
    assert_accessible(page)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert_fits(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    assert own_balance(world) == FULL - 7979


def test_the_code_on_a_wall_asks_for_the_amount_first(browser: Browser, site: str, world: World) -> None:
    ref = aside(lambda: wall_code(world))
    page = open_as(browser, site, world.traveller.person)
    page.goto("/wallet/scan")
    shot(page, "wallet-scan")
    assert_accessible(page)
    page.get_by_label("Or type the digits below it").fill(entry_code.build(PUBLIC, ref))
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Chocolaterie Sablon Grand-Place")).to_be_visible()
    page.get_by_label("Amount in EUR").fill("1,2.3")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("alert").filter(has_text="Enter an amount such as 12.50.")).to_be_visible()
    shot(page, "wallet-shop")
    assert_accessible(page)
    page.get_by_label("Amount in EUR").fill("12,50")
    page.get_by_role("button", name="Next").click()
    page.wait_for_url("**/wallet/asks/*")
    expect(page.get_by_text("€12.50").first).to_be_visible()
    type_pin(page)
    page.get_by_role("button", name=re.compile("^Pay ")).click()
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    assert own_balance(world) == FULL - 9974
    aside(assert_books_hold)


def test_frames_of_a_camera_are_read_by_the_server(world: World) -> None:
    client = client_of(world.traveller.person)
    address = order_code.build(PUBLIC, order(world))
    assert client.post("/wallet/scan/read", {"picture": photo(address)}).json() == {"text": address}
    assert client.post("/wallet/scan/read", {"picture": photo("hello")}).json() == {"text": "hello"}
    for nothing in (SimpleUploadedFile("x", b"no picture"), SimpleUploadedFile("x", b"")):
        assert client.post("/wallet/scan/read", {"picture": nothing}).json() == {"text": ""}
    assert client.post("/wallet/scan/read").json() == {"text": ""}


@pytest.mark.parametrize(
    ("upload", "said"),
    [
        (SimpleUploadedFile("x.svg", b"<svg/>"), "This picture cannot be opened."),
        (
            SimpleUploadedFile("x.jpg", b"\xff\xd8" + b"0" * (15 * 1024 * 1024)),
            "This picture is too large.",
        ),
        (SimpleUploadedFile("x.png", draw("x", Picture.PNG)[:100]), "This picture is damaged"),
        (SimpleUploadedFile("x.jpg", photo("x").read()[:9000]), "This picture is damaged"),
        (wall_without_code(), "No code was found on this picture."),
    ],
)
def test_a_picture_that_is_none_is_said(world: World, upload: SimpleUploadedFile, said: str) -> None:
    answer = client_of(world.traveller.person).post("/wallet/scan", {"picture": upload})
    assert (answer.status_code, said in answer.content.decode()) == (200, True)


def explained(client: Client, text: str) -> str:
    """What a scan that leads nowhere says."""
    answer = client.post("/wallet/scan", {"text": text})
    assert answer.status_code == 200
    (told,) = re.findall(r'role="alert"><svg.*?<p>(.*?)</p>', answer.content.decode(), re.S)
    return html.unescape(str(told))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{PUBLIC}/c/28168804123456", "This code is not whole."),
        ("https://evil.example/pay", "This code leads to evil.example, where this wallet cannot pay."),
        ("28168804123456789012345", "Digits here: 23. A shop's code has 24"),
        ("711688041234567890123456", "These digits are no shop's code."),
        ("134567890123456789", "This is a phone's payment code."),
        ("Welcome to our shop", "This is not a code that can be paid here."),
        (entry_code.build(PUBLIC, "A" * 22), "The shop has taken this code down."),
    ],
)
def test_a_code_that_leads_nowhere_is_explained_and_moves_nothing(world: World, text: str, told: str) -> None:
    assert explained(client_of(world.traveller.person), text).startswith(told)
    assert balance(world.traveller.wallet_id) == FULL


def test_the_wallets_own_pay_code_is_explained(world: World) -> None:
    traveller = world.traveller
    own = build(Form.SHORT, traveller.device, traveller.seed, utc_now(), 0)
    assert explained(client_of(traveller.person), own).startswith("This is a phone's payment code.")


def test_an_order_that_is_over_says_why(world: World) -> None:
    client, other = client_of(world.traveller.person), client_of(world.other_traveller.person)
    late, paid_up, cancelled = order(world), order(world), charge(world, None).payment
    assert cancelled is not None
    with patch("comptoir.web.components.access.utc_now", lambda: utc_now() + timedelta(minutes=30)):
        assert explained(client, late).startswith("The time for this payment is up.")
    command = flows.Cancel(
        merchant_id=cancelled.merchant_id, client_ref=world.shop.client_ref, payment_id=cancelled.id
    )
    flows.execute([command], utc_now(), flows.Desk(5))
    assert explained(client, cancelled.order_code or "") == "The shop has canceled this payment."
    other.post(scan(other, paid_up), {"answer": "pay", "pin": PIN})
    assert explained(client, paid_up) == "This has been paid already."
    assert balance(world.traveller.wallet_id) == FULL


@pytest.mark.parametrize("language", ["zh-hans", "nl", "fr", "de"])
def test_it_is_explained_in_the_travellers_language(world: World, language: str) -> None:
    client = client_of(world.traveller.person)
    english = explained(client, "https://evil.example/pay")
    client.post("/preferences", {"language": language})
    told = explained(client, "https://evil.example/pay")
    assert "evil.example" in told
    assert told != english


@pytest.mark.parametrize("dark", [False, True])
def test_an_explanation_fits_a_narrow_phone(browser: Browser, site: str, world: World, dark: bool) -> None:
    page = open_as(browser, site, world.traveller.person, size=NARROW, dark=dark, language="de")
    page.goto("/wallet/scan")
    page.locator("#text").fill(f"https://{'x' * 50}.example/pay")
    page.locator("#typed button").click()
    expect(page.get_by_role("alert").filter(has_text=".example")).to_be_visible()
    shot(page, f"wallet-scan-explained-{'dark' if dark else 'light'}")
    assert_fits(page)
    assert_accessible(page)
    assert complaints(page) == []


def test_of_several_codes_on_a_sign_ours_is_taken(world: World) -> None:
    ours = order_code.build(PUBLIC, "281688041234567890123456")
    assert best(["https://shop.example", "hello", ours], PUBLIC) == ours
    assert best(["hello", "https://shop.example"], PUBLIC) == "https://shop.example"
    assert best(["hello"], PUBLIC) == "hello"
    assert best([], PUBLIC) == ""


def test_pictures_are_counted_for_each_person(world: World) -> None:
    """What is counted is in the database: another browser of the same person has sent them too."""
    traveller, other = world.traveller.person, world.other_traveller.person
    for _ in range(10):
        sent = client_of(traveller).post("/wallet/scan", {"picture": wall_without_code()})
        assert sent.status_code == 200
    with patch("comptoir.standards.code_picture.read", side_effect=AssertionError("it was read")):
        refused = client_of(traveller).post("/wallet/scan", {"picture": wall_without_code()})
    assert refused.status_code == 429
    assert "Wait a minute, or type the digits below the code." in refused.content.decode()
    assert client_of(other).post("/wallet/scan", {"picture": wall_without_code()}).status_code == 200
    typed = client_of(traveller).post("/wallet/scan", {"text": order(world)})
    assert typed["Location"].startswith("/wallet/asks/"), "the digits are as good as ever"
    frame = client_of(traveller).post("/wallet/scan/read", {"picture": photo("hello")})
    assert frame.json() == {"text": "hello"}, "frames of the camera have a measure of their own"


def test_a_camera_that_never_stops_is_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, frame="3/m/user")
    client = client_of(world.traveller.person)
    statuses = [client.post("/wallet/scan/read", {"picture": photo("x")}).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


def test_a_frame_is_no_larger_than_a_camera_sends(world: World) -> None:
    large = io.BytesIO()
    Image.new("L", (2000, 1500), 255).save(large, "JPEG")
    with patch("comptoir.standards.code_picture.zxingcpp.read_barcodes", side_effect=AssertionError("read")):
        answer = client_of(world.traveller.person).post(
            "/wallet/scan/read", {"picture": SimpleUploadedFile("x.jpg", large.getvalue())}
        )
    assert answer.json() == {"text": ""}


def test_scanning_again_leads_to_the_same_question(world: World) -> None:
    client, digits = client_of(world.traveller.person), order(world)
    first = scan(client, digits)
    assert first.startswith("/wallet/asks/")
    assert scan(client, order_code.build(PUBLIC, digits)) == first
    client.post(first, {"answer": "pay", "pin": PIN})
    assert scan(client, digits) == first.replace("asks", "results")
    other = client_of(world.other_traveller.person).post("/wallet/scan", {"text": digits})
    assert "This has been paid already." in other.content.decode()
    assert balance(world.other_traveller.wallet_id) == FULL


@pytest.mark.parametrize("digits", ["281688041234567890123456"])
def test_an_order_that_nobody_has_moves_nothing(world: World, digits: str) -> None:
    answer = client_of(world.traveller.person).post("/wallet/scan", {"text": digits})
    assert "No shop is waiting for this code." in answer.content.decode()
    assert balance(world.traveller.wallet_id) == FULL


def test_the_same_page_of_a_wall_opens_one_order(world: World) -> None:
    client, ref, attempt = client_of(world.traveller.person), wall_code(world), new_id().hex
    answers = {
        client.post(f"/wallet/shops/{ref}", {"amount": "12.50", "attempt": attempt})["Location"]
        for _ in range(2)
    }
    assert len(answers) == 1
    assert len(wallet.waiting(world.traveller.wallet_id, utc_now())) == 1
    other = client.post(f"/wallet/shops/{ref}", {"amount": "13.50", "attempt": attempt})
    assert "Check the amount" in other.content.decode()
    for unknown in ("A" * 22, "x"):
        assert client.get(f"/wallet/shops/{unknown}").status_code == 404


def test_a_phones_code_is_no_shops(world: World) -> None:
    own = world.traveller
    code = build(Form.SHORT, own.device, own.seed, utc_now(), 0)
    answer = client_of(world.other_traveller.person).post("/wallet/scan", {"text": code})
    assert "phone&#x27;s payment code" in answer.content.decode()
    assert charge(world, code).code == "ok"


def test_the_camera_reads_a_code_by_itself(chromium: str, site: str, world: World, tmp_path: Path) -> None:
    """A film of a shop's code stands in for the camera's picture."""
    digits = aside(lambda: order(world))
    film = tmp_path / "camera.mjpeg"
    film.write_bytes(photo(order_code.build(PUBLIC, digits)).read() * 3)
    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = open_as(browser, site, world.traveller.person, permissions=["camera"])
        page.goto("/wallet/scan")
        page.wait_for_url("**/wallet/asks/*")
        expect(page.get_by_role("heading", name="Chocolaterie Sablon")).to_be_visible()
        assert complaints(page) == []
        browser.close()


def test_a_camera_that_sees_nothing_for_long_says_what_else_to_do(
    browser: Browser, site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, frame="2/m/user")
    page = open_as(browser, site, world.traveller.person)
    page.goto("/wallet/scan")
    wall = io.BytesIO()
    Image.new("RGB", (400, 300), (150, 140, 130)).save(wall, "JPEG")
    hold_before_camera(page, wall.getvalue())
    page.get_by_role("button", name="Open the camera").click()
    expect(page.get_by_role("alert").filter(has_text="These were many pictures.")).to_be_visible()
    assert page.locator("video").is_hidden()
    shot(page, "wallet-scan-busy")
    assert_accessible(page)
    assert page.get_by_label("Or type the digits below it").is_visible()


def test_a_camera_that_is_not_allowed_leaves_the_other_ways(
    browser: Browser, site: str, world: World
) -> None:
    page = open_as(browser, site, world.traveller.person)
    page.goto("/wallet/scan")
    page.get_by_role("button", name="Open the camera").click()
    expect(page.get_by_role("alert")).to_contain_text("Use one of the other ways.")
    assert page.get_by_label("Or choose a picture of it").is_visible()
