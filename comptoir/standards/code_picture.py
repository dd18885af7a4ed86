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

#: Codes of an InvalidValue: more pixels than is allowed; none of the kinds that are opened; begins as one of
#: them, and a part is missing or wrong.
TOO_LARGE: Final = "code_picture.too_large"
UNKNOWN_KIND: Final = "code_picture.unknown_kind"
DAMAGED: Final = "code_picture.damaged"

#: What a phone's camera makes at most, in pixels.
MOST_PIXELS: Final = 50_000_000

#: A JPEG is unpacked at a fraction of its size. The others are unpacked in full: no screen has as many.
_MOST_UNPACKED: Final = 16_000_000

#: Finer than that a code that fills a tenth of the picture does not need.
_SIDE: Final = 2000

_KINDS: Final = ("PNG", "JPEG", "WEBP")
_BEGINNINGS: Final = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF")
_CODES: Final = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128])


def read(picture: bytes, most_pixels: int = MOST_PIXELS) -> tuple[str, ...]:
    """The texts of all codes on a PNG, JPEG or WebP picture; none when there is nothing that can be read.

    Raises InvalidValue, whose code is TOO_LARGE, UNKNOWN_KIND or DAMAGED. The size is looked up before
    anything is unpacked.
    """
    try:
        with Image.open(io.BytesIO(picture), formats=_KINDS) as opened:
            most = most_pixels if opened.format == "JPEG" else min(most_pixels, _MOST_UNPACKED)
            if opened.width * opened.height > most:
                raise InvalidValue("the picture is too large", code=TOO_LARGE, field="picture")
            opened.draft("L", (_SIDE, _SIDE))
            gray = opened.convert("L")
    except Image.DecompressionBombError:
        raise InvalidValue("the picture is too large", code=TOO_LARGE, field="picture") from None
    except (OSError, ValueError, SyntaxError):
        code = DAMAGED if picture.startswith(_BEGINNINGS) else UNKNOWN_KIND
        raise InvalidValue("this is no picture that can be opened", code=code, field="picture") from None
    gray.thumbnail((_SIDE, _SIDE))
    return tuple(one.text for one in zxingcpp.read_barcodes(gray, formats=_CODES))
