"""What upstreams tell us unasked: ``POST /aps/notify/<issuer>/<merchant>/<payment>``, signed by them.

The path says which payment, and is signed with the rest. What is believed makes us ask what became of it;
it decides nothing, so a notification that comes twice, late, in the wrong order or not at all does no
harm. Acknowledged is what was believed and noted; for anything else it may come again.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from uuid import UUID

import structlog

from comptoir.gateway.transport import HungUp, Receive, Scope, Send, read_body, read_head, send_plain
from comptoir.kernel.errors import ComptoirError
from comptoir.standards.antom.messages import Acknowledgement, Result, encode
from comptoir.standards.antom.results import ResultCode

LARGEST_BODY: Final = 64 * 1024
BODY_SECONDS: Final = 5.0

_PATH: Final = re.compile(r"/aps/notify/([A-Z0-9_]{1,32})/([0-9a-f]{32})/([0-9a-f]{32})")

#: Notes what an issuer told us: its name, (merchant id, payment id), path, headers, body.
Hear = Callable[[str, tuple[UUID, UUID], str, Mapping[str, str], bytes], Awaitable[bool]]

log = structlog.get_logger("comptoir.gateway")


def is_notification(path: str) -> bool:
    """Whether a path is one that upstreams notify."""
    return path.startswith("/aps/notify/")


class Ears:
    """The ASGI application behind the notify paths. Its answers are not signed: none of them says a thing."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one notification."""
        head = read_head(scope)
        heard, failure = False, ""
        try:
            body = await read_body(receive, head, LARGEST_BODY, BODY_SECONDS)
            found = _PATH.fullmatch(head.path)
            if found is not None and head.method == "POST" and head.fault is None:
                subject = UUID(found[2]), UUID(found[3])
                headers = {
                    "client-id": head.client_id,
                    "request-time": head.request_time,
                    "signature": head.signature,
                }
                heard = await self._hear(found[1], subject, head.path, headers, body)
        except HungUp:
            return
        except ComptoirError as error:
            failure = error.code
        except Exception as error:  # nothing was noted, so it is not acknowledged; it comes again
            failure = type(error).__name__
        code = ResultCode.SUCCESS if heard else ResultCode.UNKNOWN_EXCEPTION
        await send_plain(send, encode(Acknowledgement(result=Result.of(code))))
        log.info("heard", path=head.path[:120], noted=heard, failure=failure)
