"""inquireNotification, inquireNotificationList: requests and responses.

Source: the docstrings of the official Python SDK 1.7.1, read in November 2026. In a list's request null and
empty count as absent.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec

from comptoir.standards.antom.messages.payments import check_time
from comptoir.standards.antom.messages.shared import Result
from comptoir.standards.antom.messages.wire import Max64, Message, Text64, WrongMember
from comptoir.standards.antom.times import parse_time

#: Events on a page, unless told otherwise; and the most that may be asked for, which the SDK does not name.
DEFAULT_LIMIT = 10
MOST_EVENTS = 100

#: How far back a list reaches, unless told otherwise.
DEFAULT_SPAN = timedelta(days=7)

#: No event is outside of this, and every sum of times inside it is one.
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)

#: Kinds that Antom sends and Comptoir does not: asking for them is no mistake, and finds nothing.
NEVER_SENT = frozenset(
    {
        "PAYMENT_PENDING",
        "REGISTRATION_STATUS",
        "PAYMENT_METHOD_ACTIVATION_STATUS",
        "PAYMENT_METHOD_DEACTIVATION_STATUS",
        "MERCHANT_RISK_NOTIFICATION",
        "MERCHANT_INFO_UPDATE_RESULT",
        "MERCHANT_RISK_RFI",
        "MERCHANT_INFO_UPDATED",
        "RISK_POST_REVIEW",
        "RDR_RESOLVED",
        "TRANSFER_RESULT",
        "TRANSFER_REVERSE_RESULT",
        "BALANCE_TRANSACTION_RESULT",
        "PAYOUT_RESULT",
    }
)


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

    def window(self, received_at: datetime) -> tuple[datetime, datetime]:
        """The first instant that counts, and the first after it that does not any more.

        The last one asked for counts whole: an event is told with whole seconds, and is found by what it
        was told with. Without it the list ends now, without the first it reaches back seven days.
        """
        begin = _instant(self.event_create_time_from, "eventCreateTimeFrom")
        end = _instant(self.event_create_time_to, "eventCreateTimeTo") or received_at
        return begin or end - DEFAULT_SPAN, end.replace(microsecond=0) + timedelta(seconds=1)


class NotificationEvent(Message, frozen=True):
    """One notification and what became of it. `notification_data` is the body that was sent."""

    event_id: str
    notify_type: str
    event_create_time: str
    delivery_status: str
    notification_data: dict[str, Any] | None = None


class InquireNotificationResponse(Message, frozen=True):
    result: Result
    notification: NotificationEvent | None = None


class InquireNotificationListResponse(Message, frozen=True):
    """Newest first. While `has_more`, ask again with `next_starting_after` as startingAfter."""

    result: Result
    notifications: list[NotificationEvent] | None = None
    has_more: bool | None = None
    next_starting_after: str | None = None


def _instant(text: str | None, member: str) -> datetime | None:
    check_time(text, member)
    return min(max(parse_time(text, member), _EARLIEST), _LATEST) if text else None
