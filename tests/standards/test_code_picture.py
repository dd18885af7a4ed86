"""What is photographed can be read, and what is no picture is refused before it costs anything."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from PIL import Image

from comptoir.kernel.errors import InvalidValue
from comptoir.standards import code_picture
from comptoir.standards.qr_code import Picture, build
from tests.standards.test_qr_code import ORDER, drawn, photographed


def encoded(picture: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_code_is_read_off_each_kind_of_picture(kind: str) -> None:
    assert code_picture.read(encoded(drawn(ORDER), kind)) == (ORDER,)


def test_a_code_is_read_off_a_photo_taken_in_a_hurry() -> None:
    photo = photographed(drawn(ORDER), random.Random(7))
    assert code_picture.read(encoded(photo.convert("RGB"), "JPEG")) == (ORDER,)


def test_a_code_is_read_off_the_whole_picture_of_a_modern_phone() -> None:
    wall = Image.new("RGB", (4032, 3024), (150, 140, 130))
    wall.paste(drawn(ORDER).resize((900, 900)), (300, 1700))
    assert code_picture.read(encoded(wall, "JPEG")) == (ORDER,)


def test_two_codes_on_one_picture_are_both_read() -> None:
    wall = Image.new("L", (1000, 500), 255)
    wall.paste(drawn(ORDER).resize((400, 400)), (40, 40))
    wall.paste(drawn("https://pay.example/s/abc").resize((400, 400)), (540, 40))
    assert sorted(code_picture.read(encoded(wall, "PNG"))) == sorted([ORDER, "https://pay.example/s/abc"])


def test_where_there_is_no_code_nothing_is_read() -> None:
    assert code_picture.read(encoded(Image.new("L", (300, 300), 255), "PNG")) == ()


def header_of_a_large_picture() -> bytes:
    """A PNG that says that it has a million pixels a side, and would need a terabyte."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 10**6, 10**6, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 2**20) + b"IDAT"


PNG = build(ORDER, Picture.PNG)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", code_picture.UNKNOWN_KIND),
        (b"not a picture", code_picture.UNKNOWN_KIND),
        (build(ORDER, Picture.SVG), code_picture.UNKNOWN_KIND),
        (PNG[: len(PNG) // 2], code_picture.DAMAGED),
        (PNG[:12], code_picture.DAMAGED),
        (encoded(drawn(ORDER), "JPEG")[:2000], code_picture.DAMAGED),
        (encoded(Image.new("P", (10, 10)), "GIF"), code_picture.UNKNOWN_KIND),
        (encoded(Image.new("L", (10_000, 5_001), 255), "JPEG"), code_picture.TOO_LARGE),
        (encoded(Image.new("L", (4_000, 4_001), 255), "PNG"), code_picture.TOO_LARGE),
        (header_of_a_large_picture(), code_picture.TOO_LARGE),
    ],
    ids=["nothing", "text", "svg", "half", "header", "half-jpeg", "gif", "large", "large-png", "bomb"],
)
def test_what_is_no_picture_to_open_is_refused_with_its_reason(data: bytes, code: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        code_picture.read(data)
    assert (refused.value.field, refused.value.code) == ("picture", code)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_nothing_is_unpacked_of_what_is_larger_than_was_asked_for(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = encoded(drawn(ORDER), kind)
    size = drawn(ORDER).width * drawn(ORDER).height
    assert code_picture.read(picture, size) == (ORDER,)

    def unpack(*_: object) -> None:
        raise AssertionError("it was unpacked")

    monkeypatch.setattr(Image.Image, "convert", unpack)
    with pytest.raises(InvalidValue) as refused:
        code_picture.read(picture, size - 1)
    assert refused.value.code == code_picture.TOO_LARGE
