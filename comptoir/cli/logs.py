"""How processes that serve and work write their logs: one JSON object a line, on standard output."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any


def log_as_json() -> None:
    """Fields, never bodies, addresses or keys. Below INFO nothing is written.

    The gateway writes a line per request: encoded to bytes at once, with the loggers made once, it costs a
    tenth of what the library's own default does.
    """
    # Libraries load what they would draw with on a terminal, make commands with, and what some tests of pages
    # run on, wherever these are installed: 7 MB in every process.
    for name in ("rich", "greenlet", "click"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    import structlog  # here: a process that only watches others needs none of it

    structlog.configure(
        processors=[_line],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )


def _line(logger: Any, method: str, event: MutableMapping[str, Any]) -> bytes:
    """The fields with level and time, and with the traceback in place of an error that is being handled."""
    import msgspec

    event["level"] = method
    event["timestamp"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    if "exc_info" in event:
        from structlog.processors import format_exc_info

        event = format_exc_info(logger, method, event)
    return msgspec.json.encode(event, enc_hook=repr)
