"""Pictures that a browser sends for the codes on them. They are read and forgotten."""

from __future__ import annotations

from django.http import HttpRequest

from comptoir.kernel.errors import InvalidValue
from comptoir.standards import code_picture


def codes_of_picture(request: HttpRequest, most_bytes: int) -> tuple[str, ...]:
    """The texts of all codes on the file `picture`.

    Raises InvalidValue when there is none, it is too large, or it is no picture.
    """
    picture = request.FILES.get("picture")
    if picture is None or (picture.size or 0) > most_bytes:
        raise InvalidValue("there is no picture, or it is too large", field="picture")
    return code_picture.read(picture.read())
