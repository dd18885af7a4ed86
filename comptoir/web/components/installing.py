"""A room as an app on the home screen: its manifest, and the service worker for when there is no network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from django.http import HttpResponse
from django.templatetags.static import static
from django.urls import reverse

#: What every page that is kept needs.
_FILES: Final = (
    "components/comptoir.css",
    "components/icon.svg",
    "components/icon-192.png",
    "components/offline.js",
)


def manifest(room: str, name: str, short_name: str, **more: Any) -> HttpResponse:
    """What makes a room an app (W3C Web Application Manifest); `more`: further members of it.

    The room has an address `<room>-home`, and all that is its own lies below that.
    """
    home = reverse(f"{room}-home")
    icons = [
        {
            "src": static(f"components/icon-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            **purpose,
        }
        for size, purpose in ((192, {}), (512, {}), (512, {"purpose": "maskable"}))
    ]
    told = {
        "id": home,
        "name": name,
        "short_name": short_name,
        "start_url": home,
        "scope": home,
        "display": "standalone",
        "background_color": "#f4f1ea",
        "theme_color": "#14213d",
        "icons": icons,
        **more,
    }
    return HttpResponse(json.dumps(told), content_type="application/manifest+json")


def service_worker(room: str, files: Sequence[str] = (), pages: Sequence[str] = ()) -> HttpResponse:
    """The service worker of a room, to be answered below its home: it serves only what lies beside it.

    Kept are the page `<room>-offline`, which stands in place of all others, `pages` (addresses by name) that
    work without a network, and the static `files` that they need beyond the house's. None of them may hold
    anything of anybody's.
    """
    shell = {
        "name": f"comptoir-{room}",
        "pages": [reverse(one) for one in pages],
        "instead": reverse(f"{room}-offline"),
        "files": [static(one) for one in (*_FILES, *files)],
    }
    script = json.dumps(static("components/shell.js"))
    text = f"const SHELL = {json.dumps(shell)};\nimportScripts({script});\n"
    return HttpResponse(text, content_type="text/javascript")
