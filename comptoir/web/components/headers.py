"""What every page promises the browser, and what it may not do.

Scripts and styles come from this server's own files, or carry the page's nonce; nothing comes from
elsewhere, nobody frames a page, nothing is kept in a cache, and no other site learns an address. The
camera is there for the pages that declared it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

_POLICY: Final = (
    "default-src 'none'; script-src 'self'{nonce}; style-src 'self'{nonce}; img-src 'self' data: blob:;"
    " font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; media-src 'self' blob:;"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_PERMISSIONS: Final = "camera={camera}, microphone=(), geolocation=(), payment=(), usb=()"


class Pages:
    """The middleware: no view without a declaration of its audience, no answer without its promises."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve, and add what the view did not set itself."""
        response = self._get_response(request)
        page = getattr(request, "page", None)
        given = getattr(request, "_nonce", None)
        nonce = f" 'nonce-{given}'" if given else ""
        camera = "(self)" if page and page.camera else "()"
        response.headers.setdefault("Content-Security-Policy", _POLICY.format(nonce=nonce))
        response.headers.setdefault("Permissions-Policy", _PERMISSIONS.format(camera=camera))
        response.headers.setdefault("Cache-Control", "no-store")
        if page and page.secret_address:
            response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Raises ImproperlyConfigured for a view that says nothing of its audience."""
        page = getattr(view, "page", None)
        if page is None:
            raise ImproperlyConfigured(f"{view.__module__}.{view.__name__} does not say who it is for")
        request.page = page  # type: ignore[attr-defined]


def nonce_of(request: HttpRequest) -> Any:
    """The nonce of this page's scripts and styles; it is made, and stands in the policy, once it is used."""

    def make() -> str:
        if not hasattr(request, "_nonce"):
            request._nonce = secrets.token_urlsafe(16)  # type: ignore[attr-defined]
        return str(request._nonce)  # type: ignore[attr-defined]

    return SimpleLazyObject(make)
