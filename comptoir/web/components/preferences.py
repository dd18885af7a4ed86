"""The language and the theme of a browser, kept in two cookies for a year.

What somebody chooses while logged in is kept with the person as well, and is the browser's after each login.
What was chosen before a login is nobody's: the next at the same till may be another.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from comptoir.identity import api as identity
from comptoir.identity.api import PersonView
from comptoir.kernel.clock import utc_now
from comptoir.web.components.access import logged_in, open_page

THEME_COOKIE: Final = "theme"
THEMES: Final = ("auto", "light", "dark")
_YEAR: Final = 365 * 24 * 3600


# A forged request could at most change this browser's language: no token, so that a page of nobody's sets no
# cookie. It cannot change a person's, as browsers send the session's cookie to forms of this site only.
@csrf_exempt
@open_page
@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Keep the language or the theme that was chosen, and show the same page again."""
    language = _known(request.POST.get("language"), dict(settings.LANGUAGES))
    theme = _known(request.POST.get("theme"), THEMES)
    person = logged_in(request, utc_now())
    if person is not None:
        identity.keep_preferences(person.id, language=language, theme=theme)
    response = HttpResponseRedirect(_back(request), status=303)
    _keep(request, response, language, theme)
    return response


def bring(request: HttpRequest, response: HttpResponse, person: PersonView) -> None:
    """Give the browser in which somebody has just logged in what they once chose."""
    _keep(request, response, _known(person.language, dict(settings.LANGUAGES)), _known(person.theme, THEMES))


def theme_of(request: HttpRequest) -> str:
    """auto (as the system is), light or dark."""
    chosen = request.COOKIES.get(THEME_COOKIE, "auto")
    return chosen if chosen in THEMES else "auto"


def _known(value: str | None, choices: Container[str]) -> str | None:
    return value if value in choices else None


def _keep(request: HttpRequest, response: HttpResponse, language: str | None, theme: str | None) -> None:
    for name, value in ((settings.LANGUAGE_COOKIE_NAME, language), (THEME_COOKIE, theme)):
        if value is not None:
            response.set_cookie(
                name, value, max_age=_YEAR, secure=request.is_secure(), httponly=True, samesite="Lax"
            )


def _back(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else reverse("home")
