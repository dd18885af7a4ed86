"""From a claimed outbox item to its end: find words and address, sign, send, judge, say what is next."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Final
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from msgspec.structs import replace

from comptoir.acquiring.api import (
    AmountUpdateView,
    DisputeView,
    RefundView,
    agreements_by_id,
    amount_updates_by_id,
    captures_by_id,
    decode_agreements,
    decode_amount_updates,
    decode_captures,
    decode_disputes,
    decode_payments,
    decode_refunds,
    decode_subscriptions,
    disputes_by_id,
    payments_by_id,
    refunds_by_id,
    subscriptions_by_id,
)
from comptoir.db import outbox
from comptoir.db.outbox import Claimed, Kept
from comptoir.flows import topics
from comptoir.flows.notifications.addresses import (
    AddressMissing,
    AddressRefused,
    AddressUnusable,
    target_of,
)
from comptoir.flows.notifications.bodies import (
    NotFinal,
    agreement_body,
    amount_body,
    capture_body,
    dispute_body,
    payment_body,
    refund_body,
    subscription_body,
    test_body,
)
from comptoir.flows.notifications.schedule import MOST_LOST, next_try
from comptoir.flows.notifications.sending import TOTAL_SECONDS, Answer, Sender, SendFailed
from comptoir.identity.api import notify_urls
from comptoir.kernel.clock import Clock, isoformat
from comptoir.kernel.errors import ComptoirError, InvariantBroken
from comptoir.kernel.statements import Flow, Statement
from comptoir.kernel.watch import NOBODY, Watch
from comptoir.standards.antom import signing
from comptoir.standards.antom.messages import is_acknowledged

#: Owner: the merchant; subject: the record that it is about; payload: `client_ref`, `url` (a dispute's may be
#: missing: then the client's own, see `addressed`), and the `event` of an agreement, subscription or dispute.
TOPICS: Final = (
    topics.NOTIFY_PAYMENT,
    topics.NOTIFY_REFUND,
    topics.NOTIFY_CAPTURE,
    topics.NOTIFY_AMOUNT,
    topics.NOTIFY_AGREEMENT,
    topics.NOTIFY_SUBSCRIPTION,
    topics.NOTIFY_DISPUTE,
    topics.NOTIFY_TEST,
)

#: A sending that starts has to be over before its lease: nobody else may send the same meanwhile.
LONGEST: Final = timedelta(seconds=TOTAL_SECONDS)

log = structlog.get_logger("comptoir.notifications")

#: What is to be sent for an item, or why nothing can be.
Body = bytes | ComptoirError


@dataclass(frozen=True, slots=True)
class PlatformKey:
    """The key we sign with, and the version that merchants know it by."""

    version: int
    key: RSAPrivateKey


def load(claimed: Sequence[Claimed | Kept]) -> Flow[dict[UUID, Body]]:
    """The bodies of items, by item id: as they were first sent, or else out of the records as they stand."""
    bodies: dict[UUID, Body] = {one.item.id: zlib.decompress(one.words) for one in claimed if one.words}
    fresh = [one for one in claimed if one.words is None]
    if fresh:
        bodies |= yield from _written(fresh)
    return bodies


def addressed(claimed: Sequence[Claimed]) -> Flow[list[Claimed]]:
    """The items, each with the address that it is to be sent to, if there is one: its own, or that at which
    its client wants to be told by now."""
    asking = {one.item.payload["client_ref"] for one in claimed if "url" not in one.item.payload}
    if not asking:
        return list(claimed)
    (rows,) = yield [notify_urls(sorted(asking))]
    found: dict[str, str] = dict(rows)

    def filled(one: Claimed) -> Claimed:
        url = found.get(one.item.payload["client_ref"])
        if url is None or "url" in one.item.payload:
            return one
        return replace(one, item=replace(one.item, payload=one.item.payload | {"url": url}))

    return [filled(one) for one in claimed]


def _written(claimed: Sequence[Claimed | Kept]) -> Flow[dict[UUID, Body]]:
    """The bodies that the records make now."""
    keys = {topic: [_key(one) for one in claimed if one.item.topic == topic] for topic in TOPICS}
    found = yield [
        payments_by_id(keys[topics.NOTIFY_PAYMENT]),
        refunds_by_id(keys[topics.NOTIFY_REFUND]),
        captures_by_id(keys[topics.NOTIFY_CAPTURE]),
        amount_updates_by_id(keys[topics.NOTIFY_AMOUNT]),
        agreements_by_id(keys[topics.NOTIFY_AGREEMENT]),
        subscriptions_by_id(keys[topics.NOTIFY_SUBSCRIPTION]),
        disputes_by_id(keys[topics.NOTIFY_DISPUTE]),
    ]
    subscriptions = {one.id: one for one in decode_subscriptions(found[5])}
    disputes = {one.id: one for one in decode_disputes(found[6])}
    agreements = {one.id: one for one in decode_agreements(found[4])}
    payments = {one.id: one for one in decode_payments(found[0])}
    refunds = {one.id: one for one in decode_refunds(found[1])}
    captures = {one.id: one for one in decode_captures(found[2])}
    updates = {one.id: one for one in decode_amount_updates(found[3])}
    steps: list[RefundView | AmountUpdateView | DisputeView] = [
        *refunds.values(),
        *updates.values(),
        *disputes.values(),
    ]
    if steps:
        found = yield [payments_by_id([(one.merchant_id, one.payment_id) for one in steps])]
        payments |= {one.id: one for one in decode_payments(found[0])}

    def body(one: Claimed | Kept) -> Body:
        subject = one.item.subject_id
        try:
            match one.item.topic:
                case topics.NOTIFY_CAPTURE:
                    return capture_body(captures[subject])
                case topics.NOTIFY_AMOUNT:
                    return amount_body(updates[subject], payments[updates[subject].payment_id])
                case topics.NOTIFY_REFUND:
                    return refund_body(refunds[subject], payments[refunds[subject].payment_id])
                case topics.NOTIFY_DISPUTE:
                    dispute = disputes[subject]
                    return dispute_body(dispute, payments[dispute.payment_id], one.item.payload["event"])
                case topics.NOTIFY_AGREEMENT:
                    return agreement_body(agreements[subject], one.item.payload["event"])
                case topics.NOTIFY_TEST:
                    return test_body(subject)
                case topics.NOTIFY_SUBSCRIPTION:
                    return subscription_body(subscriptions[subject], one.item.payload["event"])
                case _:
                    return payment_body(payments[subject])
        except KeyError:
            return InvariantBroken("the record that the notification is about is not there")
        except NotFinal as error:
            return error

    return {one.item.id: body(one) for one in claimed}


def signed_headers(key: PlatformKey, path: str, client_ref: str, time: str, body: bytes) -> dict[str, str]:
    """The headers of a notification: the path is the URL's alone, without host and query."""
    signature = signing.sign(key.key, signing.content_to_sign(path, client_ref, time, body))
    return {
        "Content-Type": "application/json; charset=UTF-8",
        "User-Agent": "Comptoir",
        "client-id": client_ref,
        "request-time": time,
        "signature": signing.format_header(key.version, signature),
    }


class Courier:
    """Delivers claimed items, one call each; may be called for many at a time."""

    def __init__(self, sender: Sender, clock: Clock, watch: Watch = NOBODY) -> None:
        self._sender = sender
        self._clock = clock
        self._watch = watch

    async def deliver(self, claimed: Claimed, body: Body, key: PlatformKey) -> Statement | None:
        """Send one notification; what to write down then. None: too late for this lease, leave it.

        Never raises: whatever happens, the item is done, tried again by the schedule, or dead.
        """
        if self._clock() + LONGEST > claimed.leased_until:
            return None
        started, late = monotonic(), (self._clock() - claimed.item.due_at).total_seconds()
        words, said = _to_keep(claimed, body), ""
        try:
            answer = await self._send(claimed, body, key)
            reason, said = not_acknowledged(answer), _quoted(answer)
        except (AddressUnusable, InvariantBroken) as error:
            return self._bury(claimed, error.message, late, words)
        except (AddressMissing, AddressRefused, SendFailed, NotFinal) as error:
            reason = error.message
        except Exception as error:
            log.exception("notification.broken", **_fields(claimed))
            reason = f"internal error: {type(error).__name__}"
        if reason is None:
            took = round((monotonic() - started) * 1000)
            log.info("notification.delivered", took_ms=took, **_fields(claimed))
            self._watch.notified(claimed.item.topic, "delivered", late)
            return outbox.done(claimed, self._clock(), words)
        if claimed.item.topic == topics.NOTIFY_TEST:
            return self._bury(claimed, reason, late, words, said)
        return self._again(claimed, reason, late, words)

    async def _send(self, claimed: Claimed, body: Body, key: PlatformKey) -> Answer:
        """What the merchant answered. Raises what keeps it from being asked or heard."""
        if claimed.lost > MOST_LOST:
            raise InvariantBroken(f"{claimed.lost} sendings of this item never came to an end")
        if isinstance(body, ComptoirError):
            raise body
        if "url" not in claimed.item.payload:
            raise AddressMissing("there is no address to tell it to")
        target = target_of(claimed.item.payload["url"])
        client_ref = claimed.item.payload["client_ref"]
        headers = signed_headers(key, target.path, client_ref, isoformat(self._clock()), body)
        return await self._sender.post(target, headers, body)

    def _again(self, claimed: Claimed, reason: str, late: float, words: bytes | None) -> Statement:
        now = self._clock()
        due_at = next_try(claimed.tries, now)
        if due_at is None:
            return self._bury(claimed, reason, late, words)
        self._watch.notified(claimed.item.topic, "failed", late)
        log.warning("notification.failed", reason=reason, next_at=isoformat(due_at), **_fields(claimed))
        return outbox.retry(claimed, due_at, reason, words)

    def _bury(
        self, claimed: Claimed, reason: str, late: float, words: bytes | None, said: str = ""
    ) -> Statement:
        """Give up. What a test's receiver `said` is written down for who tries it, and never logged."""
        self._watch.notified(claimed.item.topic, "dead", late)
        # A merchant that has no server is nobody's fault.
        tell = log.error if "url" in claimed.item.payload else log.warning
        tell("notification.dead", reason=reason, **_fields(claimed))
        return outbox.dead(claimed, self._clock(), reason + said, words)


def not_acknowledged(answer: Answer) -> str | None:
    """Why an answer is not the acknowledgment, or None when it is: HTTP 200 and the exact result."""
    if answer.status != 200:
        return f"answered HTTP {answer.status}"
    return None if is_acknowledged(answer.body) else "the answer is not the acknowledgment"


def _to_keep(claimed: Claimed, body: Body) -> bytes | None:
    """What the outbox is to keep of a first try, so that all that is said later is the same (decision 0046).

    An agreement's is made anew each time: it holds a token, and those are stored nowhere.
    """
    if not isinstance(body, bytes) or claimed.words or claimed.item.topic == topics.NOTIFY_AGREEMENT:
        return None
    return zlib.compress(body)


def _quoted(answer: Answer) -> str:
    """The beginning of an answer, for who is to find out what is wrong with it."""
    return f": {answer.body[:200].decode('utf-8', 'replace')}" if answer.body else ""


def _key(claimed: Claimed | Kept) -> tuple[UUID, UUID]:
    return claimed.item.owner_id, claimed.item.subject_id


def _fields(claimed: Claimed) -> dict[str, object]:
    """What a log line says of an item: never the address (it may carry a token), never a body."""
    item = claimed.item
    return {
        "topic": item.topic,
        "subject_id": item.subject_id.hex,
        "merchant_id": item.owner_id.hex,
        "tries": claimed.tries,
        "request_id": item.payload.get("request_id"),
    }
