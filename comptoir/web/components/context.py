"""What every template may ask for."""

from __future__ import annotations

import json
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.functional import SimpleLazyObject

from comptoir.web.components.access import STAFF, doors_of
from comptoir.web.components.headers import nonce_of
from comptoir.web.components.preferences import theme_of

#: htmx as a page with a strict policy needs it: no eval, no style of its own, no other site, no saved pages.
HTMX: Final = json.dumps(
    {
        "allowEval": False,
        "allowScriptTags": False,
        "includeIndicatorStyles": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
        "refreshOnHistoryMiss": True,
    }
)


def page(request: HttpRequest) -> dict[str, Any]:
    """The page's nonce, theme, languages and htmx settings; the visitor, if there is one, and their doors."""
    visitor = getattr(request, "visitor", None)
    return {
        "csp_nonce": nonce_of(request),
        "theme": theme_of(request),
        "languages": settings.LANGUAGES,
        "htmx_config": HTMX,
        # Lazy: a page without a form sets no cookie.
        "htmx_headers": SimpleLazyObject(lambda: json.dumps({"X-CSRFToken": get_token(request)})),
        "visitor": visitor,
        "works_here": visitor is not None and visitor.role in STAFF,
        "doors": doors_of(visitor.role) if visitor else (),
    }
