"""inquireNotification, inquireNotificationList: what we told a merchant, and whether it heard it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from comptoir.flows.notifications import KINDS, Event, events
from comptoir.gateway.call import Call
from comptoir.gateway.operations.services import Services, id_or_none
from comptoir.kernel.ids import before_all_of
from comptoir.standards.antom.errors import ParamIllegal
from comptoir.standards.antom.messages import (
    Codec,
    InquireNotificationListRequest,
    InquireNotificationListResponse,
    InquireNotificationRequest,
    InquireNotificationResponse,
    NotificationEvent,
    Result,
)
from comptoir.standards.antom.results import ResultCode
from comptoir.standards.antom.times import format_time

_ONE: Final = Codec(InquireNotificationRequest)
_LIST: Final = Codec(InquireNotificationListRequest)

_LAST: Final = UUID(int=2**128 - 1)
_FIRST: Final = before_all_of(datetime(1970, 1, 1, tzinfo=UTC))


async def inquire_notification(services: Services, call: Call) -> InquireNotificationResponse:
    """One notification of the caller's merchant. Raises ParamIllegal."""
    event_id = id_or_none(_ONE.decode(call.body).event_id)
    found: list[Event] = []
    if event_id is not None and _FIRST < event_id < _LAST:
        beside = UUID(int=event_id.int - 1), UUID(int=event_id.int + 1)
        found = await services.run(events(call.client.merchant_id, list(KINDS), *beside, limit=1))
    if not found:
        missing = Result.of(
            ResultCode.RECORD_NOT_FOUND, "there is no such notification, or it is too long ago"
        )
        return InquireNotificationResponse(result=missing)
    return InquireNotificationResponse(result=Result.of(ResultCode.SUCCESS), notification=_told(found[0]))


async def inquire_notification_list(services: Services, call: Call) -> InquireNotificationListResponse:
    """A page of the notifications of the caller's merchant, the oldest first. Raises ParamIllegal."""
    request = _LIST.decode(call.body)
    after, before = _bounds(request)
    found = await services.run(
        events(call.client.merchant_id, _kinds(request), after, before, request.limit + 1)
    )
    page, more = found[: request.limit], len(found) > request.limit
    return InquireNotificationListResponse(
        result=Result.of(ResultCode.SUCCESS),
        notifications=[_told(one) for one in page],
        has_more=more,
        next_starting_after=page[-1].id.hex if more else None,
    )


def _kinds(request: InquireNotificationListRequest) -> list[str]:
    """The kinds asked for, or all. Raises ParamIllegal for one that is never sent here."""
    for name in request.notify_type or ():
        if name not in KINDS:
            raise ParamIllegal(f"notifyType must be of {', '.join(sorted(KINDS))}", field="notifyType")
    return list(dict.fromkeys(request.notify_type or KINDS))


def _bounds(request: InquireNotificationListRequest) -> tuple[UUID, UUID]:
    """The ids between which the page lies. Raises ParamIllegal."""
    after = before_all_of(request.begin) if request.begin else _FIRST
    if request.starting_after:
        last = id_or_none(request.starting_after)
        if last is None:
            raise ParamIllegal("startingAfter is no eventId of ours", field="startingAfter")
        after = max(after, last)
    return after, before_all_of(request.end) if request.end else _LAST


def _told(event: Event) -> NotificationEvent:
    return NotificationEvent(
        event_id=event.id.hex,
        notify_type=event.kind,
        event_create_time=format_time(event.made_at),
        delivery_status=event.status,
        notification_data=event.body,
    )
