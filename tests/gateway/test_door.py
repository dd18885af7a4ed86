"""The transport rules, one case after the other: always 200, always signed, and nothing done when refused."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any
from urllib.parse import unquote_plus

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from structlog.testing import capture_logs

from comptoir.flows.api import Broken, Overloaded, Unavailable
from comptoir.gateway.clients import Clients
from comptoir.kernel.errors import ComptoirError, InvalidValue, InvariantBroken
from comptoir.standards.antom import signing
from comptoir.standards.antom.messages import PayResponse
from comptoir.standards.antom.paths import CATALOGUE

from .conftest import BODY, CLIENT, PAY, TIME, House, Till, build, exchange

pytestmark = pytest.mark.anyio

SANDBOX_PAY = PAY.replace("/ams/api", "/ams/sandbox/api")


def without(headers: list[tuple[bytes, bytes]], name: bytes) -> list[tuple[bytes, bytes]]:
    return [header for header in headers if header[0] != name]


def with_signature(house: House, text: str) -> list[tuple[bytes, bytes]]:
    return [*without(house.till.headers(BODY), b"signature"), (b"signature", text.encode())]


async def refused(house: House, code: str, *names: str, **request: Any) -> dict[str, str]:
    """Make a request that must be refused with `code`, naming `names`, and must do nothing."""
    reply = await house.post(**request)
    path = request.get("target", PAY)
    headers = dict(request.get("headers", [(b"client-id", CLIENT.encode())]))
    result = house.till.check(reply, path, headers.get(b"client-id", b"").decode())
    assert result["resultCode"] == code, result
    for name in names:
        assert name in result["resultMessage"], result
    assert not house.fake.calls
    return result


async def test_a_signed_request_is_answered_and_signed(house: House) -> None:
    reply = await house.post()
    assert house.till.check(reply)["resultCode"] == "SUCCESS"
    assert reply.header("response-time") == TIME
    [call] = house.fake.calls
    assert call.client.client_ref == CLIENT
    assert call.body == BODY
    assert "281010897274821897" not in repr(call)


@pytest.mark.parametrize(
    ("received", "signed"),
    [
        (PAY, PAY),
        (SANDBOX_PAY, SANDBOX_PAY),
        ("https://localhost" + PAY, PAY),
        ("http://pay.example:8400" + SANDBOX_PAY + "?x=1", SANDBOX_PAY),
        ("/" + PAY, PAY),
        ("/" + PAY, "/" + PAY),
        ("https://localhost/" + PAY, PAY),
    ],
)
@pytest.mark.parametrize("client_id", [CLIENT, "SANDBOX_" + CLIENT])
async def test_every_target_form_is_taken_and_the_answer_is_signed_over_the_callers_path(
    house: House, received: str, signed: str, client_id: str
) -> None:
    headers = house.till.headers(BODY, path=signed, client_id=client_id)
    reply = await house.post(headers=headers, target=received)
    assert house.till.check(reply, signed, client_id)["resultCode"] == "SUCCESS"
    assert house.fake.calls[0].client.sandbox is client_id.startswith("SANDBOX_")


async def test_every_other_path_of_the_catalogue_is_not_open_yet(house: House) -> None:
    for path, operation in CATALOGUE.items():
        if (operation.family, operation.name) != ("ams", "payments/pay"):
            await refused(house, "NO_INTERFACE_DEF", target=path)


@pytest.mark.parametrize("path", ["/", "/gateway.do", "/ams/api/v1/payments/nope", PAY + "/", "/x" * 5000,
    "/ams/api//v1/payments/pay", "/aps/api/v1/payments/pay", "/ams/api/v1/x/../payments/pay"])  # fmt: skip
async def test_unknown_paths(house: House, path: str) -> None:
    await refused(house, "NO_INTERFACE_DEF", target=path)
    await refused(
        house, "NO_INTERFACE_DEF" if "aps" not in path else "PARAM_ILLEGAL", target=path, headers=[]
    )


@pytest.mark.parametrize("version", [1, 2])
async def test_several_keys_live_at_once(house: House, version: int) -> None:
    reply = await house.post(headers=house.till.headers(BODY, version=version))
    assert house.till.check(reply)["resultCode"] == "SUCCESS"


async def test_without_a_key_version_the_newest_key_is_meant(house: House) -> None:
    encoded = signing.sign(house.till.keys[2], signing.content_to_sign(PAY, CLIENT, TIME, BODY))
    reply = await house.post(headers=with_signature(house, f"algorithm=RSA256, signature={encoded}"))
    assert house.till.check(reply)["resultCode"] == "SUCCESS"


async def test_spaces_after_commas(house: House) -> None:
    header = dict(house.till.headers(BODY))[b"signature"].decode().replace(",", ", ")
    reply = await house.post(headers=with_signature(house, header))
    assert house.till.check(reply)["resultCode"] == "SUCCESS"


async def test_a_key_that_is_not_registered(house: House) -> None:
    await refused(house, "KEY_NOT_FOUND", headers=house.till.headers(BODY, version=9))
    await refused(house, "KEY_NOT_FOUND", headers=with_signature(house, "keyVersion=3,signature=x"))


async def test_a_wrong_key_gets_the_digest_of_our_string_to_sign(house: House) -> None:
    headers = house.till.headers(BODY, key=house.till.keys[2])
    result = await refused(house, "INVALID_SIGNATURE", headers=headers)
    content = signing.content_to_sign(PAY, CLIENT, TIME, BODY)
    assert hashlib.sha256(content).hexdigest() in result["resultMessage"]


async def test_altered_requests(house: House) -> None:
    headers = house.till.headers(BODY)
    await refused(house, "INVALID_SIGNATURE", body=BODY.replace(b"1250", b"1251"), headers=headers)
    await refused(house, "INVALID_SIGNATURE", body=BODY + b" ", headers=headers)
    await refused(house, "INVALID_SIGNATURE", target=SANDBOX_PAY, headers=headers)
    later = [*without(headers, b"request-time"), (b"request-time", b"2026-11-23T09:20:37+00:00")]
    await refused(house, "INVALID_SIGNATURE", headers=later)
    other = [*without(headers, b"client-id"), (b"client-id", f"SANDBOX_{CLIENT}".encode())]
    await refused(house, "INVALID_SIGNATURE", headers=other)
    raw = unquote_plus(dict(headers)[b"signature"].decode())
    await refused(house, "INVALID_SIGNATURE", "URL", headers=with_signature(house, raw))


@pytest.mark.parametrize("text", ["", "abc", "algorithm=RSA256,keyVersion=1", "algorithm=RSA,signature=x",
    "keyVersion=one,signature=x", "signature=x,signature=y", "ÿ"])  # fmt: skip
async def test_malformed_signature_headers(house: House, text: str) -> None:
    await refused(house, "PARAM_ILLEGAL", "Signature", headers=with_signature(house, text))


async def test_missing_and_doubled_headers(house: House) -> None:
    headers = house.till.headers(BODY)
    await refused(house, "PARAM_ILLEGAL", "Signature", headers=without(headers, b"signature"))
    await refused(house, "PARAM_ILLEGAL", "Request-Time", headers=without(headers, b"request-time"))
    await refused(house, "INVALID_CLIENT", headers=without(headers, b"client-id"))
    for name, label in (
        (b"signature", "Signature"),
        (b"request-time", "Request-Time"),
        (b"client-id", "client-id"),
    ):
        value = dict(headers)[name]
        await refused(house, "PARAM_ILLEGAL", label, "twice", headers=[*headers, (name, value)])


async def test_unknown_and_unfit_clients(house: House) -> None:
    await refused(house, "UNKNOWN_CLIENT", headers=house.till.headers(BODY, client_id="NOBODY"))
    await refused(house, "INVALID_CLIENT_STATUS", headers=house.till.headers(BODY, client_id="SUSPENDED"))
    for bad in ("a b", "x" * 129, "é"):
        headers = without(house.till.headers(BODY), b"client-id")
        reply = await house.post(headers=[*headers, (b"client-id", bad.encode("latin-1"))])
        assert house.till.check(reply, client_id="")["resultCode"] == "INVALID_CLIENT"
    assert not house.fake.calls


@pytest.mark.parametrize("time", ["2026-11-23T09:35:36+00:00", "2026-11-23T17:05:36+0800", "1795426536000",
    "2026-11-23T09:20:36.1234567Z"])  # fmt: skip
async def test_times_of_every_sdk_within_a_quarter_of_an_hour(house: House, time: str) -> None:
    reply = await house.post(headers=house.till.headers(BODY, time=time))
    assert house.till.check(reply)["resultCode"] == "SUCCESS"


@pytest.mark.parametrize(
    "time", ["2026-11-23T09:35:37+00:00", "2026-11-23T09:05:35Z", "1795425636", "2025-11-23T09:20:36Z"]
)
async def test_a_recording_is_refused_with_both_times(house: House, time: str) -> None:
    if time == "1795425636":  # epoch seconds of this very instant are fine
        assert house.till.check(await house.post(headers=house.till.headers(BODY, time=time)))
        return
    await refused(house, "INVALID_SIGNATURE", time, TIME, headers=house.till.headers(BODY, time=time))


@pytest.mark.parametrize("time", ["yesterday", "2026-11-23", "2026-11-23T09:20:36"])
async def test_a_time_that_is_none(house: House, time: str) -> None:
    await refused(house, "PARAM_ILLEGAL", "Request-Time", headers=house.till.headers(BODY, time=time))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "BREW"])
async def test_only_post(house: House, method: str) -> None:
    await refused(house, "METHOD_NOT_SUPPORTED", method, method=method)
    await refused(house, "METHOD_NOT_SUPPORTED", method=method, headers=[], body=b"")


@pytest.mark.parametrize(
    ("types", "taken"),
    [
        ([], True),
        (["application/json"], True),
        (["Application/JSON;charset=utf-8", "application/json; charset=UTF-8"], True),
        (["text/plain", "application/json"], True),
        (["text/xml"], False),
        (["application/x-www-form-urlencoded"], False),
    ],
)
async def test_content_types(house: House, types: list[str], taken: bool) -> None:
    headers = without(house.till.headers(BODY), b"content-type")
    headers += [(b"content-type", one.encode()) for one in types]
    result = house.till.check(await house.post(headers=headers))
    assert result["resultCode"] == ("SUCCESS" if taken else "MEDIA_TYPE_NOT_ACCEPTABLE")
    assert bool(house.fake.calls) is taken


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"[]", "body"),
        (b"\xff", "body"),
        (b"[" * 100_000, "body"),
        (BODY.replace(b'"1250"', b'"12345678901234567"'), "order.orderAmount.value"),
        (BODY.replace(b'"1250"', b'"-1"'), "order.orderAmount.value"),
        (BODY.replace(b'"1250"', b'"1.00"'), "order.orderAmount.value"),
        (BODY.replace(b'"EUR"', b'"JPY"').replace(b'"1250"', b'"12.50"'), "order.orderAmount.value"),
        (BODY.replace(b'"paymentAmount"', b'"paymentamount"'), "paymentAmount"),
    ],
)
async def test_bad_bodies(house: House, body: bytes, name: str) -> None:
    reply = await house.post(body)
    result = house.till.check(reply)
    assert result["resultCode"] == "PARAM_ILLEGAL"
    assert name in result["resultMessage"]


async def test_a_body_of_any_number_of_pieces(house: House) -> None:
    pieces = [BODY[i : i + 7] for i in range(0, len(BODY), 7)] + [b""]
    reply = await house.post(pieces, house.till.headers(BODY))
    assert house.till.check(reply)["resultCode"] == "SUCCESS"


async def test_the_largest_body_and_one_byte_more(till: Till, platform_key: rsa.RSAPrivateKey) -> None:
    house = build(till, platform_key, body_bytes=len(BODY))
    assert till.check(await house.post())["resultCode"] == "SUCCESS"
    house.fake.calls.clear()
    await refused(house, "PARAM_ILLEGAL", "larger", body=BODY + b" ")
    await refused(house, "PARAM_ILLEGAL", "larger", body=[BODY, b" "], headers=till.headers(BODY + b" "))


async def test_an_endless_body_is_cut_off(house: House) -> None:
    read = 0
    sent: list[Any] = []

    async def receive() -> Any:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 65536, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": PAY, "raw_path": PAY.encode(), "headers": []}
    await house.door(scope, receive, send)
    assert sent[0]["status"] == 200
    assert read <= 32 * 16 + 1


async def test_a_slow_body_and_a_vanished_client(till: Till, platform_key: rsa.RSAPrivateKey) -> None:
    house = build(till, platform_key, body_seconds=0.05)
    sent: list[Any] = []

    async def slow() -> Any:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def gone() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": PAY, "headers": till.headers(BODY)}
    await house.door(scope, slow, send)
    assert b"did not arrive within" in sent[1]["body"]
    sent.clear()
    await house.door(scope, gone, send)
    assert not sent
    assert not house.fake.calls


async def test_failures_of_ours_say_nothing_but_an_id(house: House) -> None:
    secret = "281010897274821897"

    async def breaks(_: Any) -> PayResponse:
        raise RuntimeError(secret)

    async def invariant(_: Any) -> PayResponse:
        raise InvariantBroken(secret)

    for failure in (breaks, invariant):
        house.fake.does = failure
        with capture_logs() as logs:
            result = house.till.check(await house.post())
        assert result["resultCode"] == "UNKNOWN_EXCEPTION"
        failed, answered = logs
        assert failed["request_id"] == answered["request_id"]
        assert failed["request_id"] in result["resultMessage"]
        assert "Traceback" not in result["resultMessage"]
        assert secret not in str(logs) + str(result)
        assert "test_door.py" in str(failed["where"])


async def test_an_operation_that_hangs_is_unknown(till: Till, platform_key: rsa.RSAPrivateKey) -> None:
    house = build(till, platform_key, operation_seconds=0.02)

    async def hangs(_: Any) -> PayResponse:
        await asyncio.sleep(5)
        raise AssertionError

    house.fake.does = hangs
    assert till.check(await house.post())["resultCode"] == "UNKNOWN_EXCEPTION"


async def test_a_client_that_cannot_be_looked_up_in_time_is_unknown(
    till: Till, platform_key: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = build(till, platform_key, operation_seconds=0.02)

    async def hangs(*_: Any) -> None:
        await asyncio.sleep(5)
        raise AssertionError

    monkeypatch.setattr(Clients, "get", hangs)
    assert till.check(await house.post())["resultCode"] == "UNKNOWN_EXCEPTION"
    assert not house.fake.calls


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InvalidValue("why", field="a.b"), "PARAM_ILLEGAL", "a.b: why"),
        (InvalidValue("a.b is wrong", field="a.b"), "PARAM_ILLEGAL", "a.b is wrong"),
        (Overloaded("full"), "REQUEST_TRAFFIC_EXCEED_LIMIT", "full"),
        (Unavailable("gone"), "UNKNOWN_EXCEPTION", "request "),
        (Broken("fault"), "UNKNOWN_EXCEPTION", "request "),
        (ComptoirError("inner", code="ledger.floor"), "UNKNOWN_EXCEPTION", "request "),
    ],
)
async def test_errors_are_translated(house: House, error: ComptoirError, code: str, message: str) -> None:
    async def refuses(_: Any) -> PayResponse:
        raise error

    house.fake.does = refuses
    result = house.till.check(await house.post())
    assert result["resultCode"] == code
    assert message in result["resultMessage"]
    assert "inner" not in result["resultMessage"]


async def test_too_many_at_once_are_throttled_and_told_so(
    till: Till, platform_key: rsa.RSAPrivateKey
) -> None:
    house = build(till, platform_key, in_flight=3)
    release = asyncio.Event()

    async def waits(_: Any) -> PayResponse:
        await release.wait()
        raise InvalidValue("done")

    house.fake.does = waits
    waiting = [asyncio.create_task(house.post()) for _ in range(3)]
    while len(house.fake.calls) < 3:
        await asyncio.sleep(0)
    throttled = till.check(await house.post())
    assert (throttled["resultCode"], throttled["resultStatus"]) == ("REQUEST_TRAFFIC_EXCEED_LIMIT", "U")
    release.set()
    for reply in await asyncio.gather(*waiting):
        assert till.check(reply)["resultCode"] == "PARAM_ILLEGAL"
    house.fake.does = None
    assert till.check(await house.post())["resultCode"] == "SUCCESS"


async def test_the_log_says_what_happened_and_never_what_was_in_it(house: House) -> None:
    with capture_logs() as logs:
        await house.post()
    [line] = logs
    assert line["client_id"] == CLIENT
    assert line["path"] == PAY
    assert line["result"] == "SUCCESS"
    assert line["ms"] >= 0
    signature = dict(house.till.headers(BODY))[b"signature"].decode().rpartition("=")[2]
    assert "281010897274821897" not in str(logs)
    assert signature[:20] not in str(logs)


async def test_a_failing_database_is_our_failure(house: House) -> None:
    async def fails(_: str) -> Any:
        raise ConnectionError

    house.door._clients._load = fails
    result = house.till.check(await house.post())
    assert result["resultCode"] == "UNKNOWN_EXCEPTION"
    assert not house.fake.calls


async def test_paths_without_a_raw_path_and_with_bytes_beyond_ascii(house: House) -> None:
    reply = await exchange(house.door, "POST", "/ams/é\xff", [], [b""])
    assert house.till.check(reply, "/ams/é\xff", "")["resultCode"] == "NO_INTERFACE_DEF"
