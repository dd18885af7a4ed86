"""What merchants were told, for people who look: the log, telling it once more, and trying an address.

The log reaches as far back as the outbox remembers, see `replay`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import transaction

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentView
from comptoir.db import outbox
from comptoir.db.outbox import Kept, OutboxItem
from comptoir.db.run import read
from comptoir.flows import topics
from comptoir.flows.notifications.addresses import target_of
from comptoir.flows.notifications.delivery import TOPICS
from comptoir.kernel.errors import ComptoirError
from comptoir.kernel.ids import made_at
from comptoir.kernel.statements import Statement

#: Notifications about something that was done to a payment: how the records are read that they are about.
_STEPS: Final[dict[str, tuple[Callable[..., Statement], Callable[..., Sequence[Any]]]]] = {
    topics.NOTIFY_REFUND: (acquiring.refunds_by_id, acquiring.decode_refunds),
    topics.NOTIFY_CAPTURE: (acquiring.captures_by_id, acquiring.decode_captures),
    topics.NOTIFY_AMOUNT: (acquiring.amount_updates_by_id, acquiring.decode_amount_updates),
    topics.NOTIFY_DISPUTE: (acquiring.disputes_by_id, acquiring.decode_disputes),
}

#: How long after a notification was asked for again it may be asked for once more.
PAUSE: Final = timedelta(seconds=10)


class NoticeUnknown(ComptoirError):
    """The merchant has no such notification, or it was acknowledged so long ago that it is forgotten."""

    code = "notifications.unknown"


class ResentTooSoon(ComptoirError):
    """The notification is being sent, or was asked for again only seconds ago."""

    code = "notifications.resent_too_soon"


class NoticeState(StrEnum):
    """WAITING for its next try, SENDING now, ACKNOWLEDGED, or GIVEN_UP after the last try."""

    WAITING = "waiting"
    SENDING = "sending"
    ACKNOWLEDGED = "acknowledged"
    GIVEN_UP = "given_up"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One notification as it stands. `kind` is its topic, `subject_id` the record it is about.

    `url` None: it goes to where its client wants to be told by then. `next_at` is when it is tried next,
    `ended_at` when it was acknowledged or given up. `problem` is why the last try failed.
    """

    id: UUID
    kind: str
    subject_id: UUID
    client_ref: str
    url: str | None
    made_at: datetime
    state: NoticeState
    tries: int
    next_at: datetime | None
    ended_at: datetime | None
    problem: str | None


def notices(
    merchant_id: UUID,
    limit: int,
    *,
    before: UUID | None = None,
    client_ref: str | None = None,
    undone: bool = False,
) -> list[Notice]:
    """A merchant's notifications, the newest first, below `before`; tests are among them.

    `client_ref`: only what goes to this client. `undone`: only what was not acknowledged.
    """
    payload = {"client_ref": client_ref} if client_ref else None
    asked = outbox.listed(merchant_id, TOPICS, limit, before=before, payload=payload, undone=undone)
    return _noticed(asked)


def notices_about(merchant_id: UUID, subjects: Sequence[UUID]) -> list[Notice]:
    """What a merchant was told about any of these records, the oldest first."""
    return _noticed(outbox.about(merchant_id, TOPICS, subjects))


def payments_behind(merchant_id: UUID, told: Sequence[Notice]) -> dict[UUID, PaymentView]:
    """The payment behind each of a merchant's notifications, by notification; an agreement's has none."""
    payment_ids = {one.subject_id: one.subject_id for one in told}
    for topic, (asked, decode) in _STEPS.items():
        keys = [(merchant_id, one.subject_id) for one in told if one.kind == topic]
        if keys:
            payment_ids |= {one.id: one.payment_id for one in decode(read(asked(keys)))}
    wanted = [(merchant_id, one) for one in set(payment_ids.values())]
    found = {one.id: one for one in acquiring.decode_payments(read(acquiring.payments_by_id(wanted)))}
    behind = {one.id: found.get(payment_ids[one.subject_id]) for one in told}
    return {notice_id: one for notice_id, one in behind.items() if one is not None}


def notice(merchant_id: UUID, notice_id: UUID) -> Notice:
    """One notification. Raises NoticeUnknown."""
    found = _noticed(outbox.named(merchant_id, TOPICS, notice_id))
    if not found:
        raise NoticeUnknown("there is no such notification", field="notice")
    return found[0]


@transaction.atomic
def resend(merchant_id: UUID, notice_id: UUID, now: datetime) -> None:
    """Tell it once more, whatever became of it. Of many who ask at once one is heard.

    Raises NoticeUnknown, ResentTooSoon.
    """
    if not read(outbox.again(merchant_id, TOPICS, notice_id, now, PAUSE)):
        notice(merchant_id, notice_id)
        raise ResentTooSoon("it is on its way already", field="notice")


@transaction.atomic
def send_test(merchant_id: UUID, test_id: UUID, client_ref: str, url: str, now: datetime) -> None:
    """Have the worker send one signed notification about nothing to `url`; `notice` tells what came of it.

    The same `test_id` again sends nothing more. Raises AddressUnusable.
    """
    target_of(url)
    payload = {"url": url, "client_ref": client_ref}
    read(outbox.enqueue([OutboxItem(test_id, merchant_id, topics.NOTIFY_TEST, test_id, payload, now)]))


def _noticed(asked: Statement) -> list[Notice]:
    return [_notice(one) for one in outbox.decode_kept(read(asked))]


def _notice(one: Kept) -> Notice:
    item = one.item
    state = NoticeState.SENDING if one.in_hands else NoticeState.WAITING
    if one.done_at or one.dead_at:
        state = NoticeState.ACKNOWLEDGED if one.done_at else NoticeState.GIVEN_UP
    return Notice(
        id=item.id,
        kind=item.topic,
        subject_id=item.subject_id,
        client_ref=item.payload["client_ref"],
        url=item.payload.get("url"),
        made_at=made_at(item.id),
        state=state,
        tries=one.attempts,
        next_at=item.due_at if state is NoticeState.WAITING else None,
        ended_at=one.done_at or one.dead_at,
        problem=one.last_error,
    )
