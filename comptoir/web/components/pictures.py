"""Pictures that a browser sends for the codes on them. They are read and forgotten.

To read one costs processor time, which nobody may have at will: a person sends so many a minute, counted
where wrong passwords are (`ACCOUNT_RATE_LIMITS`), and none is larger than its kind has to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from allauth.core import ratelimit
from django.http import HttpRequest

from comptoir.kernel.errors import ComptoirError, InvalidValue
from comptoir.standards import code_picture

#: Code of an InvalidValue: nothing was sent.
MISSING: Final = "pictures.missing"


class TooManyPictures(ComptoirError):
    """This person has sent as many pictures as are read in a minute."""

    code = "pictures.too_many"


@dataclass(frozen=True, slots=True)
class Kind:
    """What is sent: `action` names its limit, in pictures a minute for each person."""

    action: str
    most_bytes: int
    most_pixels: int


#: A frame of a running camera: at most 960 pixels wide and high (see the pages' scripts), three a second.
FRAME: Final = Kind("frame", 1_500_000, 1_500_000)
#: A picture that somebody chose: a screenshot, or whatever a phone's camera makes.
PHOTO: Final = Kind("photo", 15 * 1024 * 1024, code_picture.MOST_PIXELS)


def codes_of_picture(request: HttpRequest, kind: Kind) -> tuple[str, ...]:
    """The texts of all codes on the file `picture`, for somebody who is logged in.

    Raises TooManyPictures; InvalidValue with code MISSING or one of `code_picture`.
    """
    if not ratelimit.consume(request, action=kind.action):
        raise TooManyPictures("too many pictures in a minute", field="picture")
    picture = request.FILES.get("picture")
    if picture is None:
        raise InvalidValue("there is no picture", code=MISSING, field="picture")
    if (picture.size or 0) > kind.most_bytes:
        raise InvalidValue("the picture is too large", code=code_picture.TOO_LARGE, field="picture")
    return code_picture.read(picture.read(), kind.most_pixels)
