"""inquireNotification, inquireNotificationList: what we told a merchant, and whether it heard it."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from comptoir.flows.notifications import KINDS, Event, event, events
from comptoir.gateway.call import Call
from comptoir.gateway.operations.services import Services, id_or_none
from comptoir.kernel.ids import before_all_of
from comptoir.standards.antom.errors import ParamIllegal
from comptoir.standards.antom.messages import (
    NEVER_SENT,
    Codec,
    InquireNotificationListRequest,
    InquireNotificationListResponse,
    InquireNotificationRequest,
    InquireNotificationResponse,
    NotificationEvent,
    Result,
)
from comptoir.standards.antom.results import ResultCode
from comptoir.standards.antom.times import format_utc

_ONE: Final = Codec(InquireNotificationRequest)
_LIST: Final = Codec(InquireNotificationListRequest)


async def inquire_notification(services: Services, call: Call) -> InquireNotificationResponse:
    """One notification of the caller's merchant. Raises ParamIllegal."""
    event_id = id_or_none(_ONE.decode(call.body).event_id)
    found = await services.run(event(call.client.merchant_id, event_id)) if event_id else None
    if found is None:
        missing = Result.of(
            ResultCode.RECORD_NOT_FOUND, "there is no such notification, or it is too long ago"
        )
        return InquireNotificationResponse(result=missing)
    return InquireNotificationResponse(result=Result.of(ResultCode.SUCCESS), notification=_told(found))


async def inquire_notification_list(services: Services, call: Call) -> InquireNotificationListResponse:
    """A page of the notifications of the caller's merchant, the newest first. Raises ParamIllegal."""
    request = _LIST.decode(call.body)
    kinds, size = _kinds(request), request.limit
    after, before = _bounds(request, call.now)
    found = await services.run(events(call.client.merchant_id, kinds, after, before, size + 1))
    page, more = found[:size], len(found) > size
    return InquireNotificationListResponse(
        result=Result.of(ResultCode.SUCCESS),
        notifications=[_told(one) for one in page],
        has_more=more,
        next_starting_after=page[-1].id.hex if more else None,
    )


def _kinds(request: InquireNotificationListRequest) -> list[str]:
    """The kinds asked for, or all. Raises ParamIllegal for one that nobody ever sends."""
    for name in request.notify_type or ():
        if name not in KINDS and name not in NEVER_SENT:
            raise ParamIllegal(f"notifyType must be of {', '.join(sorted(KINDS))}", field="notifyType")
    return [name for name in KINDS if not request.notify_type or name in request.notify_type]


def _bounds(request: InquireNotificationListRequest, now: datetime) -> tuple[UUID, UUID]:
    """The ids between which the page lies. Raises ParamIllegal."""
    after, before = map(before_all_of, request.window(now))
    if request.starting_after:
        last = id_or_none(request.starting_after)
        if last is None:
            raise ParamIllegal("startingAfter is no eventId of ours", field="startingAfter")
        before = min(before, last)
    return after, before


def _told(one: Event) -> NotificationEvent:
    return NotificationEvent(
        event_id=one.id.hex,
        notify_type=one.kind,
        event_create_time=format_utc(one.made_at),
        delivery_status=one.delivery.value,
        notification_data=one.body,
    )
