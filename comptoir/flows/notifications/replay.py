"""What merchants were told, told again on demand: out of the outbox, in the words that were sent.

How far back it reaches is how long the outbox remembers: what was acknowledged for 35 days, what nobody
ever acknowledged for ever (`flows.worker.housekeeping`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from comptoir.db import outbox
from comptoir.db.outbox import Kept, OutboxItem
from comptoir.flows import topics
from comptoir.flows.engine.decision import AgreementEvent, DisputeEvent, SubscriptionEvent
from comptoir.flows.notifications.delivery import load
from comptoir.kernel.ids import made_at
from comptoir.kernel.statements import Flow

#: Topics of which every notification is of one kind, by what it is called in `notifyType`.
_PLAIN: Final = {
    "PAYMENT_RESULT": topics.NOTIFY_PAYMENT,
    "REFUND_RESULT": topics.NOTIFY_REFUND,
    "CAPTURE_RESULT": topics.NOTIFY_CAPTURE,
    "UPDATE_AMOUNT_RESULT": topics.NOTIFY_AMOUNT,
}

#: The others name their event where those have their `notifyType`.
_EVENTFUL: Final[dict[str, type[StrEnum]]] = {
    topics.NOTIFY_DISPUTE: DisputeEvent,
    topics.NOTIFY_AGREEMENT: AgreementEvent,
    topics.NOTIFY_SUBSCRIPTION: SubscriptionEvent,
}

#: Every kind of notification, and its topic.
KINDS: Final = _PLAIN | {event.value: topic for topic, events in _EVENTFUL.items() for event in events}

_NAMES: Final = {topic: name for name, topic in _PLAIN.items()}


class Delivery(StrEnum):
    """DELIVERED once it was acknowledged, PENDING while tries are left, FAILED when there are none (the
    words of the official SDK 1.7.1, `NotificationEvent`)."""

    DELIVERED = "DELIVERED"
    PENDING = "PENDING"
    FAILED = "FAILED"


class Event(msgspec.Struct, frozen=True):
    """One notification: `body` is what was sent, before the first try what would be sent now. None: there is
    nothing to say, since the record is not over or is gone.

    An agreement's token is left out of it: who may read a list of events need not be able to debit.
    """

    id: UUID
    kind: str
    made_at: datetime
    delivery: Delivery
    body: dict[str, Any] | None


def events(
    merchant_id: UUID, kinds: Sequence[str], after: UUID, before: UUID, limit: int
) -> Flow[list[Event]]:
    """A merchant's notifications whose ids lie between two others, the newest first. `kinds`: of KINDS."""
    wanted = {KINDS[name] for name in kinds}
    (rows,) = yield [outbox.kept(merchant_id, sorted(wanted), kinds, after, before, limit)]
    return (yield from _events(outbox.decode_kept(rows)))


def event(merchant_id: UUID, event_id: UUID) -> Flow[Event | None]:
    """One notification of a merchant."""
    (rows,) = yield [outbox.named(merchant_id, sorted({*KINDS.values()}), event_id)]
    found = yield from _events(outbox.decode_kept(rows))
    return found[0] if found else None


def _events(found: list[Kept]) -> Flow[list[Event]]:
    if not found:
        return []
    bodies = yield from load(found)
    return [_event(one, bodies[one.item.id]) for one in found]


def _event(one: Kept, body: object) -> Event:
    said = msgspec.json.decode(body) if isinstance(body, bytes) else None
    if said is not None:
        said.pop("accessToken", None)
    ended = Delivery.FAILED if one.dead_at else Delivery.PENDING
    return Event(
        id=one.item.id,
        kind=_kind(one.item),
        made_at=made_at(one.item.id),
        delivery=Delivery.DELIVERED if one.done_at else ended,
        body=said,
    )


def _kind(item: OutboxItem) -> str:
    return _NAMES.get(item.topic) or str(item.payload["event"])
