"""The log of notifications, telling one again, and trying a merchant's address, over a real web server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connections

from comptoir.db.outbox import OutboxItem, enqueue
from comptoir.db.run import read
from comptoir.flows import topics
from comptoir.flows.notifications import log
from comptoir.flows.notifications.addresses import AddressUnusable
from comptoir.flows.notifications.log import NoticeState
from comptoir.identity import api as identity
from comptoir.kernel.ids import new_id
from tests.conftest import Database
from tests.flows.merchant_server import Merchant, reply, result
from tests.flows.notices import CLIENT, MERCHANT, NOW, Hands, payment, record, refund

Connection = psycopg.Connection[tuple[Any, ...]]
MINUTE = timedelta(minutes=1)
NOBODY = UUID(int=0xFF)


def apart(work: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Django's work in a thread, which leaves no connection behind for the next test."""

    def done(*given: Any, **named: Any) -> Any:
        try:
            return work(*given, **named)
        finally:
            connections.close_all()

    async def wrapped(*given: Any, **named: Any) -> Any:
        return await asyncio.to_thread(done, *given, **named)

    return wrapped


notices = apart(log.notices)
notice = apart(log.notice)
resend = apart(log.resend)
send_test = apart(log.send_test)


@pytest.fixture
async def hands(database: Database) -> AsyncIterator[Hands]:
    await apart(identity.ensure_platform_key)(now=NOW)
    made = Hands(database.url)
    yield made
    await made.close()


async def test_the_log_follows_a_notification_to_its_end(connection: Connection, hands: Hands) -> None:
    paid = payment()
    with Merchant() as merchant:
        merchant.script = [reply(500)]
        record(connection, merchant.url, paid)
        (waiting,) = await notices(MERCHANT, 10)
        assert (waiting.state, waiting.tries, waiting.next_at) == (NoticeState.WAITING, 0, NOW)
        assert (waiting.kind, waiting.subject_id, waiting.client_ref) == (
            topics.NOTIFY_PAYMENT,
            paid.id,
            CLIENT,
        )
        await hands.round()
        (failed,) = await notices(MERCHANT, 10, undone=True)
        assert (failed.state, failed.tries, failed.problem) == (
            NoticeState.WAITING,
            1,
            "answered HTTP 500",
        )
        assert failed.next_at == NOW + 2 * MINUTE
        await hands.round(NOW + 2 * MINUTE)
    (heard,) = await notices(MERCHANT, 10)
    assert (heard.state, heard.tries, heard.problem) == (NoticeState.ACKNOWLEDGED, 2, None)
    assert heard.ended_at == NOW + 2 * MINUTE
    assert await notices(MERCHANT, 10, undone=True) == []
    assert await notices(NOBODY, 10) == []


async def test_pages_clients_and_subjects(connection: Connection, database: Database) -> None:
    paid = payment()
    back = refund(paid)
    record(connection, "http://127.0.0.1:9/a", paid)
    record(connection, "http://127.0.0.1:9/a", back)
    other = OutboxItem(
        new_id(), MERCHANT, topics.NOTIFY_PAYMENT, new_id(), {"url": "http://b", "client_ref": "B"}, NOW
    )
    work = OutboxItem(new_id(), MERCHANT, topics.ISSUER_RESOLVE, paid.id, {}, NOW)
    await apart(read)(enqueue([other, work]))
    newest = (await notices(MERCHANT, 2))[0]
    assert newest.id == other.id
    rest = await notices(MERCHANT, 10, before=newest.id)
    assert {one.subject_id for one in rest} == {paid.id, back.id}
    assert [one.id for one in await notices(MERCHANT, 10, client_ref="B")] == [other.id]
    about = await apart(log.notices_about)(MERCHANT, [paid.id, back.id])
    assert {one.kind for one in about} == {topics.NOTIFY_PAYMENT, topics.NOTIFY_REFUND}


async def test_a_notification_is_told_again_once_however_often_it_is_clicked(
    connection: Connection, hands: Hands
) -> None:
    with Merchant() as merchant:
        record(connection, merchant.url, payment())
        await hands.round()
        (one,) = await notices(MERCHANT, 10)
        await resend(MERCHANT, one.id, NOW + MINUTE)
        for _ in range(3):
            with pytest.raises(log.ResentTooSoon):
                await resend(MERCHANT, one.id, NOW + MINUTE)
        await hands.round(NOW + MINUTE)
        assert len(merchant.heard) == 2
        assert merchant.heard[0].message == merchant.heard[1].message
        with pytest.raises(log.NoticeUnknown):
            await resend(NOBODY, one.id, NOW + 2 * MINUTE)
        await hands.round(NOW + 2 * MINUTE)
        assert len(merchant.heard) == 2
    assert (await notice(MERCHANT, one.id)).tries == 2


async def test_one_that_was_given_up_gets_one_more_try(connection: Connection, hands: Hands) -> None:
    with Merchant() as merchant:
        merchant.otherwise = reply(503)
        record(connection, merchant.url, payment())
        for hours in range(0, 40, 2):
            await hands.round(NOW + timedelta(hours=hours))
        (dead,) = await notices(MERCHANT, 10)
        assert (dead.state, dead.tries) == (NoticeState.GIVEN_UP, 8)
        await resend(MERCHANT, dead.id, NOW + timedelta(days=3))
        await hands.round(NOW + timedelta(days=3))
        assert (await notice(MERCHANT, dead.id)).state is NoticeState.GIVEN_UP
        merchant.otherwise = reply()
        await resend(MERCHANT, dead.id, NOW + timedelta(days=4))
        await hands.round(NOW + timedelta(days=4))
    assert (await notice(MERCHANT, dead.id)).state is NoticeState.ACKNOWLEDGED


async def test_a_test_reaches_the_address_signed_and_says_that_it_is_one(hands: Hands) -> None:
    test_id = new_id()
    with Merchant() as merchant:
        for _ in range(2):
            await send_test(MERCHANT, test_id, CLIENT, merchant.url, NOW)
        await hands.round()
    (heard,) = merchant.heard
    assert heard.headers["client-id"] == CLIENT
    assert heard.headers["signature"].startswith("algorithm=RSA256")
    assert heard.message["result"]["resultStatus"] == "F"
    assert heard.message["paymentRequestId"] == f"comptoir-test-{test_id.hex}"
    assert (await notice(MERCHANT, test_id)).state is NoticeState.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (reply(404), "answered HTTP 404"),
        (reply(200, b"<html>hello"), "the answer is not the acknowledgment: <html>hello"),
        (
            reply(200, result("success")),
            'the answer is not the acknowledgment: {"result": {"resultCode": "success",'
            ' "resultStatus": "S", "resultMessage": "success"}}',
        ),
    ],
)
async def test_a_test_is_tried_once_and_quotes_what_was_answered(
    hands: Hands, answer: Any, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    test_id = new_id()
    with Merchant() as merchant:
        merchant.otherwise = answer
        await send_test(MERCHANT, test_id, CLIENT, merchant.url, NOW)
        await hands.round()
        await hands.round(NOW + timedelta(days=1))
        assert len(merchant.heard) == 1
    found = await notice(MERCHANT, test_id)
    assert (found.state, found.problem) == (NoticeState.GIVEN_UP, problem)
    assert "hello" not in capsys.readouterr().out


async def test_an_address_that_is_none_is_not_tried(database: Database) -> None:
    with pytest.raises(AddressUnusable):
        await send_test(MERCHANT, new_id(), CLIENT, "ftp://shop.example/", NOW)
    assert await notices(MERCHANT, 10) == []
