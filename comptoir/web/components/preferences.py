"""The language and the theme of a browser, kept in two cookies for a year."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from comptoir.web.components.access import open_page

THEME_COOKIE: Final = "theme"
THEMES: Final = ("auto", "light", "dark")
_YEAR: Final = 365 * 24 * 3600


# A forged request could at most change a language: no token, so that a page of nobody's sets no cookie.
@csrf_exempt
@open_page
@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Keep the language or the theme that was chosen, and show the same page again."""
    response = HttpResponseRedirect(_back(request), status=303)
    language, theme = request.POST.get("language"), request.POST.get("theme")
    if language in dict(settings.LANGUAGES):
        _keep(request, response, settings.LANGUAGE_COOKIE_NAME, str(language))
    if theme in THEMES:
        _keep(request, response, THEME_COOKIE, str(theme))
    return response


def theme_of(request: HttpRequest) -> str:
    """auto (as the system is), light or dark."""
    chosen = request.COOKIES.get(THEME_COOKIE, "auto")
    return chosen if chosen in THEMES else "auto"


def _keep(request: HttpRequest, response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=_YEAR, secure=request.is_secure(), httponly=True, samesite="Lax")


def _back(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else reverse("home")
