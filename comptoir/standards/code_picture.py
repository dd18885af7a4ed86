"""Codes read off pictures: a photo of what hangs in a shop, a screenshot, a frame of a camera.

QR codes (ISO/IEC 18004) and Code 128 bars (ISO/IEC 15417), which are what shops and phones show here. The
picture is a stranger's: only three kinds are opened, and none that would unpack to more than a camera makes.
"""

from __future__ import annotations

import io
from typing import Final

import zxingcpp
from PIL import Image

from comptoir.kernel.errors import InvalidValue

#: What a phone's camera makes at most, in pixels, and so what is unpacked at most.
MOST_PIXELS: Final = 50_000_000

#: Finer than that a code that fills a tenth of the picture does not need.
_SIDE: Final = 2000

_KINDS: Final = ("PNG", "JPEG", "WEBP")
_CODES: Final = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128])


def read(picture: bytes) -> tuple[str, ...]:
    """The texts of all codes on a PNG, JPEG or WebP picture; none when there is nothing that can be read.

    Raises InvalidValue for anything that is no such picture, is broken, or has more than MOST_PIXELS.
    """
    try:
        with Image.open(io.BytesIO(picture), formats=_KINDS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise InvalidValue("the picture is too large", field="picture")
            opened.draft("L", (_SIDE, _SIDE))  # a JPEG need not be unpacked in full
            gray = opened.convert("L")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise InvalidValue("this is no picture that can be opened", field="picture") from None
    gray.thumbnail((_SIDE, _SIDE))
    return tuple(one.text for one in zxingcpp.read_barcodes(gray, formats=_CODES))
