"""What the counter prints, looked at as a viewer without any fonts shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pypdfium2
import pytest
import zxingcpp
from PIL.Image import Image

from comptoir.web.counter import fonts
from comptoir.web.counter.papers import SIZES, Poster, Receipt, poster, receipt

ADDRESS = "https://pay.example/s/abcdefghijklmnopqrstuv"
POSTER = Poster(
    name="Chocolaterie Żółć & Fils",
    chinese_name="沙布隆巧克力",
    place="Bruxelles",
    address=ADDRESS,
    local_call="Scannez pour payer",
    steps=("打开钱包，扫一扫", "输入金额", "确认付款"),
    footer="EUR",
)
RECEIPT = Receipt(
    heading="Bewijs van betaling 付款凭证",
    shop=("Chocolaterie Sablon", "Grand-Place 1", "Bruxelles"),
    amount="€ 12,50",
    rows=(("Datum 日期", "26 nov. 2026 14:03"), ("Betaald met 支付方式", "Test 测试")),
    notes=("谢谢惠顾", "Geen kassabon voor de btw"),
)


def picture(document: bytes, scale: float = 3) -> Image:
    opened = pypdfium2.PdfDocument(document)
    assert len(opened) == 1
    return opened[0].render(scale=scale).to_pil()


def text_of(document: bytes) -> str:
    return str(pypdfium2.PdfDocument(document)[0].get_textpage().get_text_bounded())


@pytest.mark.parametrize("size", SIZES)
def test_the_code_on_the_poster_is_read_back(size: str) -> None:
    made = poster(POSTER, size)
    wide, high = pypdfium2.PdfDocument(made)[0].get_size()
    assert [round(side / 72 * 25.4) for side in (wide, high)] == list(SIZES[size])
    (found,) = zxingcpp.read_barcodes(picture(made))
    assert found.text == ADDRESS
    # From a phone at arm's length: a quarter of the dots, and grey.
    (small,) = zxingcpp.read_barcodes(picture(made, 0.8).convert("L"))
    assert small.text == ADDRESS


def test_the_poster_says_everything_in_both_languages() -> None:
    text = text_of(poster(POSTER, "A6"))
    for part in ("扫码付款", POSTER.name, POSTER.chinese_name, POSTER.local_call, *POSTER.steps):
        assert part in text


@pytest.mark.parametrize("make", [lambda: poster(POSTER, "A6"), lambda: receipt(RECEIPT)])
def test_every_font_is_in_the_document(make: Callable[[], bytes]) -> None:
    document = make()
    described = document.count(b"/Type /FontDescriptor")
    assert described == 3
    assert document.count(b"/FontFile2 ") + document.count(b"/FontFile3 ") == described


def test_no_letter_is_missing() -> None:
    """What a font does not have is drawn as an empty box, and that is not another letter's picture."""
    name = "ąćęłńóśźż ÄÖÜßéèêëçœ€ ΑΩ Привет 沙布隆巧克力"
    made = poster(Poster(name, "", "", ADDRESS, "", (), ""), "A5")
    assert name.replace(" ", "") in text_of(made).replace(" ", "")


def test_a_receipt_is_as_long_as_what_stands_on_it() -> None:
    short = pypdfium2.PdfDocument(receipt(RECEIPT))[0].get_size()
    rows = tuple((f"row {number}", "x") for number in range(12))
    long = pypdfium2.PdfDocument(receipt(Receipt("h", ("s",), "€ 1", rows, ())))[0].get_size()
    assert round(short[0] / 72 * 25.4) == round(long[0] / 72 * 25.4) == 80
    assert long[1] > short[1]
    text = text_of(receipt(RECEIPT))
    for part in (RECEIPT.heading, RECEIPT.amount, *RECEIPT.shop, *RECEIPT.notes):
        assert part in text


def test_a_name_of_any_length_stays_on_the_paper() -> None:
    long = Poster("Compagnie " * 12, "店" * 60, "x" * 90, ADDRESS, "y" * 90, ("z" * 120,), "w" * 200)
    shown = picture(poster(long, "A6"), 2)
    (found,) = zxingcpp.read_barcodes(shown)
    assert found.text == ADDRESS
    for x in (0, shown.width - 1):
        column = [shown.getpixel((x, y)) for y in range(shown.height // 2, shown.height)]
        assert set(column) == {(255, 255, 255)}, "nothing touches the edge"


def test_the_letters_of_a_shop_are_taken_out_of_the_font_once() -> None:
    fonts.chinese.cache_clear()
    for price in ("€ 1,00", "€ 2,00"):
        receipt(replace(RECEIPT, amount=price))
    assert fonts.chinese.cache_info().misses == 1
    receipt(replace(RECEIPT, notes=("欢迎再来",)))
    assert fonts.chinese.cache_info().misses == 2
