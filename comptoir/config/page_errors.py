"""What Django has to say of a page that failed, as a line of our log.

With DEBUG off Django would mail it, or nothing would be heard of it. The address is left out: that of an
order or an agreement is all that is needed to open it.
"""

from __future__ import annotations

import logging
from typing import Any

import structlog

log = structlog.get_logger("comptoir.pages")


class PageErrors(logging.Handler):
    """Hands records of Django's loggers on: which view it was, and the traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        request: Any = getattr(record, "request", None)
        match = getattr(request, "resolver_match", None)
        log.error(
            "page failed" if request is not None else "django",
            logger=record.name,
            view=match.view_name if match else None,
            method=getattr(request, "method", None),
            exc_info=record.exc_info,
        )
