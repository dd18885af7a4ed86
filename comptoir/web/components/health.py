"""`/healthz` of a server that serves pages only. Beside a gateway these paths are the gateway's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from django.db import DatabaseError, connection

PATHS: Final = ("/healthz", "/readyz")

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]


class WithHealth:
    """A WSGI application that says whether it can serve; every other path goes to `pages`.

    It stands before Django, which answers nobody who calls a server by a name that is not ours: a balancer
    asks by address. Unlike a gateway, which answers that an outcome is unknown, pages without the database
    are no use: so both paths say the same, 503 when the database is out of reach.
    """

    def __init__(self, pages: App) -> None:
        self._pages = pages

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("PATH_INFO") not in PATHS:
            return self._pages(environ, start_response)
        healthy = _reaches_database()
        body = json.dumps({"status": "ok" if healthy else "down"}).encode()
        head = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK" if healthy else "503 Service Unavailable", head)
        return [body] if environ.get("REQUEST_METHOD") != "HEAD" else [b""]


def _reaches_database() -> bool:
    # A connection of its own: no request of Django's begins or ends here to look after the thread's.
    probe = connection.copy()
    try:
        with probe.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    finally:
        probe.close()
    return True
