"""inquireNotification, inquireNotificationList: requests and responses (members: official SDK 1.7.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from comptoir.standards.antom.messages.payments import check_time
from comptoir.standards.antom.messages.shared import Result
from comptoir.standards.antom.messages.wire import Max64, Message, Text64, WrongMember
from comptoir.standards.antom.times import parse_time

#: Events on a page, unless fewer are asked for. The documentation says nothing: ours to set.
DEFAULT_LIMIT = 20
MOST_EVENTS = 100


class InquireNotificationRequest(Message, frozen=True):
    """Ask for one notification."""

    event_id: Text64


class InquireNotificationListRequest(Message, frozen=True):
    """Ask for those of some kinds and of a time, a page at a time."""

    notify_type: list[Max64] | None = None
    event_create_time_from: Max64 | None = None
    event_create_time_to: Max64 | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_EVENTS)] = DEFAULT_LIMIT
    starting_after: Max64 | None = None

    def __post_init__(self) -> None:
        begin = _instant(self.event_create_time_from, "eventCreateTimeFrom")
        end = _instant(self.event_create_time_to, "eventCreateTimeTo")
        if begin and end and begin > end:
            raise WrongMember("eventCreateTimeTo", "is before eventCreateTimeFrom")

    @property
    def begin(self) -> datetime | None:
        """The first instant that counts."""
        return _instant(self.event_create_time_from, "eventCreateTimeFrom")

    @property
    def end(self) -> datetime | None:
        """The first instant that does not count any more."""
        return _instant(self.event_create_time_to, "eventCreateTimeTo")


class NotificationEvent(Message, frozen=True):
    """One notification and what became of it. `notification_data` is its body."""

    event_id: str
    notify_type: str
    event_create_time: str
    delivery_status: str
    notification_data: dict[str, Any] | None = None


class InquireNotificationResponse(Message, frozen=True):
    result: Result
    notification: NotificationEvent | None = None


class InquireNotificationListResponse(Message, frozen=True):
    """Oldest first. While `has_more`, ask again with `next_starting_after` as startingAfter."""

    result: Result
    notifications: list[NotificationEvent] | None = None
    has_more: bool | None = None
    next_starting_after: str | None = None


def _instant(text: str | None, member: str) -> datetime | None:
    check_time(text, member)
    return parse_time(text, member) if text else None
