"""Which language a page speaks: the one that was chosen, else the browser's, else the audience's own."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

#: Travellers' pages: a browser that names none of our languages is theirs.
_TRAVELLERS: Final = ("/wallet/", "/c/", "/a/", "/s/")
_CHINESE: Final = "zh-hans"


class PageLanguage(LocaleMiddleware):
    """Django's own choice (cookie, then Accept-Language), with Chinese as the last resort for travellers."""

    def process_request(self, request: HttpRequest) -> None:
        """Activate the language for this request."""
        super().process_request(request)
        if request.path.startswith(_TRAVELLERS) and not _asks(request):
            translation.activate(_CHINESE)
            request.LANGUAGE_CODE = translation.get_language()


def _asks(request: HttpRequest) -> bool:
    """Whether cookie or browser name one of our languages."""
    if request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) in dict(settings.LANGUAGES):
        return True
    for code, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        try:
            get_supported_language_variant(code)
        except LookupError:
            continue
        return True
    return False
