"""The upstream connector among liars: what is not signed, not ours or not what was asked is unknown."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec.structs import replace

from comptoir.acquiring import errors, rules
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.standards.antom import signing
from comptoir.standards.antom.times import format_time
from comptoir.wallet.api import AnswerState, UpstreamFamily
from comptoir.wallet.connectors.upstream import UpstreamConnector
from tests.conftest import Database
from tests.wallet.benches import UpstreamBench, aside, upstream_bench
from tests.wallet.conformance import Holder, about, back, request

pytestmark = pytest.mark.anyio

SUCCEEDED, FAILED, UNKNOWN = AnswerState.SUCCEEDED, AnswerState.FAILED, AnswerState.UNKNOWN
Change = Callable[[httpx.Request, httpx.Response], httpx.Response]


@pytest.fixture(scope="module", params=list(UpstreamFamily))
async def _opened(request: pytest.FixtureRequest, module_database: Database) -> AsyncIterator[UpstreamBench]:
    async with upstream_bench(module_database.url, request.param) as opened:
        yield opened


@pytest.fixture
def bench(_opened: UpstreamBench) -> Iterator[UpstreamBench]:
    yield _opened
    _opened.transport.change = None


@pytest.fixture
async def their_key(bench: UpstreamBench) -> rsa.RSAPrivateKey:
    """The platform's own key: a lie that is signed with it can be told by its content only."""
    view = await aside(identity.platform_key)
    return signing.private_key_from_der(view.private_key)


def signed(
    key: rsa.RSAPrivateKey, sent: httpx.Request, body: bytes, *, client: str | None = None, age: float = 0
) -> httpx.Response:
    """An answer as the platform makes it, but for what a test falsifies."""
    at = format_time(utc_now() - timedelta(seconds=age))
    client = client or sent.headers["client-id"]
    content = signing.content_to_sign(sent.url.path, client, at, body)
    headers = {
        "client-id": client,
        "response-time": at,
        "signature": signing.format_header(1, signing.sign(key, content)),
    }
    return httpx.Response(200, headers=headers, content=body)


def altered(body: bytes, **changed: Any) -> bytes:
    return json.dumps(json.loads(body) | changed).encode()


def keep(headers: httpx.Headers, **changed: str) -> dict[str, str]:
    kept = {name: headers[name] for name in ("client-id", "response-time", "signature")}
    return kept | {name.replace("_", "-"): text for name, text in changed.items()}


def other_key(sent: httpx.Request, answer: httpx.Response) -> httpx.Response:
    return signed(signing.generate_key(), sent, answer.content)


def no_signature(sent: httpx.Request, answer: httpx.Response) -> httpx.Response:
    return httpx.Response(200, content=answer.content)


def empty_signature(sent: httpx.Request, answer: httpx.Response) -> httpx.Response:
    return httpx.Response(200, headers=keep(answer.headers, signature=""), content=answer.content)


def altered_body(sent: httpx.Request, answer: httpx.Response) -> httpx.Response:
    return httpx.Response(200, headers=keep(answer.headers), content=altered(answer.content, extra=1))


def other_time(sent: httpx.Request, answer: httpx.Response) -> httpx.Response:
    late = keep(answer.headers, response_time=format_time(utc_now() + timedelta(seconds=3)))
    return httpx.Response(200, headers=late, content=answer.content)


def bad_status(sent: httpx.Request, answer: httpx.Response) -> httpx.Response:
    return httpx.Response(502, headers=keep(answer.headers), content=answer.content)


def redirected(sent: httpx.Request, answer: httpx.Response) -> httpx.Response:
    return httpx.Response(302, headers={"Location": "http://localhost/elsewhere"})


@pytest.mark.parametrize(
    "lie", [other_key, no_signature, empty_signature, altered_body, other_time, bad_status, redirected]
)
async def test_what_is_not_signed_by_them_is_no_answer(bench: UpstreamBench, lie: Change) -> None:
    """Money moved, money did not move: either way nothing is believed, and the truth is found out later."""
    paid, poor = request(await bench.code(Holder.RICH)), request(await bench.code(Holder.POOR))
    bench.transport.change = lie
    for one in (paid, poor):
        assert (await bench.connector.authorise(one)).state is UNKNOWN
        assert (await bench.connector.query(about(one))).state is UNKNOWN
    bench.transport.change = None
    assert (await bench.connector.query(about(paid))).state is SUCCEEDED
    assert (await bench.connector.query(about(poor))).state is FAILED
    bench.transport.change = lie
    assert (await bench.connector.reverse(about(paid))).state is UNKNOWN
    bench.transport.change = None
    assert (await bench.connector.query(about(paid))).state is FAILED


@pytest.mark.parametrize("lie", [other_key, no_signature, altered_body])
async def test_a_refund_is_believed_only_when_it_is_signed_and_ours(
    bench: UpstreamBench, their_key: rsa.RSAPrivateKey, lie: Change
) -> None:
    asked = request(await bench.code(Holder.RICH))
    given = back(asked, await bench.connector.authorise(asked), 400)
    bench.transport.change = lie
    assert (await bench.connector.refund(given)).state is UNKNOWN
    for member, value in (
        ("refundRequestId", "0" * 32),
        ("refundAmount", {"currency": "EUR", "value": "401"}),
        ("refundId", None),
    ):
        bench.transport.change = lambda sent, answer, changed={member: value}: signed(
            their_key, sent, altered(answer.content, **changed)
        )
        assert (await bench.connector.refund(given)).state is UNKNOWN
    bench.transport.change = None
    assert (await bench.connector.refund(given)).state is SUCCEEDED
    assert await bench.moved(asked.authorization_id) == 600


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("paymentRequestId", "0" * 32),
        ("paymentAmount", {"currency": "EUR", "value": "999"}),
        ("paymentAmount", {"currency": "USD", "value": "1000"}),
        ("paymentAmount", None),
        ("paymentId", None),
        ("paymentId", 7),
        ("result", None),
        ("result", {"resultCode": "SUCCESS", "resultStatus": "A", "resultMessage": ""}),
    ],
)
async def test_a_signed_success_of_something_else_is_no_success(
    bench: UpstreamBench, their_key: rsa.RSAPrivateKey, member: str, value: Any
) -> None:
    """Another payment's, of another amount, or of none: it is not what was asked for."""
    asked = request(await bench.code(Holder.RICH))
    bench.transport.change = lambda sent, answer: signed(
        their_key, sent, altered(answer.content, **{member: value})
    )
    assert (await bench.connector.authorise(asked)).state is UNKNOWN
    if member != "result":
        assert (await bench.connector.query(about(asked))).state is UNKNOWN
    bench.transport.change = None
    paid = await bench.connector.query(about(asked))
    assert paid.state is SUCCEEDED
    assert await bench.moved(asked.authorization_id) == 1000


async def test_a_refusal_of_another_payment_is_no_refusal(
    bench: UpstreamBench, their_key: rsa.RSAPrivateKey
) -> None:
    paid, poor = request(await bench.code(Holder.RICH)), request(await bench.code(Holder.POOR))
    await bench.connector.authorise(poor)
    said: list[bytes] = []

    def swap(sent: httpx.Request, answer: httpx.Response) -> httpx.Response:
        said.append(answer.content)
        return signed(their_key, sent, said[0])

    bench.transport.change = swap
    assert (await bench.connector.query(about(poor))).state is FAILED
    assert (await bench.connector.query(about(paid))).state is UNKNOWN
    assert (await bench.connector.authorise(paid)).state is UNKNOWN  # not even readable as pay's answer
    bench.transport.change = None
    assert (await bench.connector.query(about(paid))).state is SUCCEEDED


async def test_an_answer_of_yesterday_or_for_another_client(
    bench: UpstreamBench, their_key: rsa.RSAPrivateKey
) -> None:
    asked = request(await bench.code(Holder.RICH))
    await bench.connector.authorise(asked)
    for falsified in ({"age": 1000}, {"age": -1000}, {"client": "5Y0000000000099"}):
        bench.transport.change = lambda sent, answer, how=falsified: signed(
            their_key, sent, answer.content, **how
        )
        assert (await bench.connector.query(about(asked))).state is UNKNOWN
    bench.transport.change = lambda sent, answer: signed(their_key, sent, answer.content, age=600)
    assert (await bench.connector.query(about(asked))).state is SUCCEEDED


@pytest.mark.parametrize("code", ["INVALID_SIGNATURE", "UNKNOWN_CLIENT", "SYSTEM_ERROR", "NO_INTERFACE_DEF"])
async def test_a_refusal_of_us_says_nothing_of_the_payment(
    bench: UpstreamBench, their_key: rsa.RSAPrivateKey, code: str
) -> None:
    asked = request(await bench.code(Holder.RICH))
    refusal = {"resultCode": code, "resultStatus": "F", "resultMessage": "no"}
    bench.transport.change = lambda sent, answer: signed(
        their_key, sent, json.dumps({"result": refusal}).encode()
    )
    assert (await bench.connector.authorise(asked)).state is UNKNOWN
    assert (await bench.connector.query(about(asked))).state is UNKNOWN
    assert (await bench.connector.reverse(about(asked))).state is UNKNOWN
    bench.transport.change = None
    assert await bench.moved(asked.authorization_id) == 0  # it was reversed, though we were not told


async def test_a_wrong_key_of_ours_is_unknown_and_not_a_refusal(bench: UpstreamBench) -> None:
    account = replace(bench.account, private_key=signing.private_der(signing.generate_key()))
    stranger = UpstreamConnector(account, "http://localhost:1", transport=bench.transport)
    asked = request(await bench.code(Holder.RICH))
    await bench.connector.authorise(asked)
    assert (await stranger.query(about(asked))).state is UNKNOWN
    assert (await stranger.reverse(about(asked))).state is UNKNOWN
    assert await bench.moved(asked.authorization_id) == 1000
    result = await stranger.probe()
    assert result is not None
    assert result.result_code == "INVALID_SIGNATURE"
    await stranger.aclose()


async def test_a_payment_too_old_to_cancel_is_given_back_once(
    bench: UpstreamBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(await bench.code(Holder.RICH))
    await bench.connector.authorise(asked)
    monkeypatch.setattr(rules, "cancel_refusal", lambda payment, now: errors.CANCEL_WINDOW)
    for _ in range(2):
        assert (await bench.connector.reverse(about(asked))).state is SUCCEEDED
    assert await bench.moved(asked.authorization_id) == 0
    assert bench.transport.paths[-1].endswith("refund")


async def test_the_code_and_the_traveller_s_money_are_told_as_they_are(bench: UpstreamBench) -> None:
    asked = request(await bench.code(Holder.RICH))
    paid = await bench.connector.authorise(asked)
    assert paid.wallet_amount is not None
    assert (paid.wallet_amount.minor, paid.wallet_amount.currency) == (8000, "CNY")
    assert paid.decided_at is not None
    given = await bench.connector.refund(back(asked, paid, 500))
    assert given.state is SUCCEEDED
    result = await bench.connector.probe()
    assert result is not None
    assert result.result_code == "ORDER_NOT_EXIST"
