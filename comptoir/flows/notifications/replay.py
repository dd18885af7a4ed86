"""What merchants were told, told again on demand: out of the outbox and the records as they stand now.

How far back it reaches is how long the outbox remembers: what was acknowledged for 35 days, what nobody
ever acknowledged for ever (`flows.worker.housekeeping`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from comptoir.db import outbox
from comptoir.db.outbox import Kept
from comptoir.flows import topics
from comptoir.flows.notifications.delivery import load
from comptoir.kernel.ids import made_at
from comptoir.kernel.statements import Flow

#: What each kind is called on the wire, in `notifyType`.
KINDS: Final = {
    "PAYMENT_RESULT": topics.NOTIFY_PAYMENT,
    "REFUND_RESULT": topics.NOTIFY_REFUND,
    "CAPTURE_RESULT": topics.NOTIFY_CAPTURE,
    "UPDATE_AMOUNT_RESULT": topics.NOTIFY_AMOUNT,
}

_NAMES: Final = {topic: name for name, topic in KINDS.items()}


class Event(msgspec.Struct, frozen=True):
    """One notification: `body` is what would be sent now, None if its record says that it is not over.

    `status` is SUCCESS once it was acknowledged, PROCESSING while tries are left, FAIL when there are none.
    """

    id: UUID
    kind: str
    made_at: datetime
    status: str
    body: dict[str, Any] | None


def events(
    merchant_id: UUID, kinds: Sequence[str], after: UUID, before: UUID, limit: int
) -> Flow[list[Event]]:
    """A merchant's notifications whose ids lie between two others, the oldest first. `kinds`: of KINDS."""
    wanted = [KINDS[name] for name in kinds]
    (rows,) = yield [outbox.kept(merchant_id, wanted, after, before, limit)]
    found = outbox.decode_kept(rows)
    if not found:
        return []
    bodies = yield from load(found)
    return [_event(one, bodies[one.item.id]) for one in found]


def _event(one: Kept, body: object) -> Event:
    return Event(
        id=one.item.id,
        kind=_NAMES[one.item.topic],
        made_at=made_at(one.item.id),
        status="SUCCESS" if one.done_at else "FAIL" if one.dead_at else "PROCESSING",
        body=msgspec.json.decode(body) if isinstance(body, bytes) else None,
    )
