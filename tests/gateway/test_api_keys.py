"""Clients that show an API key instead of signing: through the door, with the official client's rules."""

from __future__ import annotations

import json
from typing import Any

import pytest
from com.alipay.ams.api.api_key_auth import ApiKeyAuth

from comptoir.identity import api as identity
from comptoir.kernel.ids import new_id, parse_id

from .conftest import Reply, exchange
from .shop import Shop, aside, in_store, now
from .world import CLIENT, OTHER_CLIENT, count, money_moved

pytestmark = pytest.mark.anyio

PAY = "/ams/api/v1/payments/pay"
SANDBOX_PAY = "/ams/sandbox/api/v1/payments/pay"


async def make(shop: Shop, client_ref: str = CLIENT, operations: list[str] | None = None) -> str:
    key: str = await aside(lambda: identity.create_api_key(client_ref, operations, now=now()))
    return key


async def call(
    shop: Shop, key: str, path: str = PAY, body: dict[str, Any] | None = None, **headers: str
) -> Reply:
    """One request as `ApiKeyAlipayClient` sends it: no client id, no time, no signature."""
    sent = {"authorization": f"Bearer {key}", "content-type": "application/json; charset=UTF-8"} | headers
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()]
    return await exchange(shop.app, "POST", path, raw, [json.dumps(body or {}).encode()])


def code_of(reply: Reply) -> str:
    assert reply.status == 200
    assert reply.header("signature").startswith("algorithm=RSA256")
    return reply.result["resultCode"]


async def test_a_key_stands_for_its_client(shop: Shop) -> None:
    key = await make(shop)
    ApiKeyAuth("https://localhost:8443", key)  # the SDK takes it for one
    assert key.startswith("isak_PROD_")
    paid = await call(shop, key, body=await aside(in_store, shop.world))
    assert code_of(paid) == "SUCCESS"
    assert paid.header("client-id") == CLIENT
    found = await shop.call("inquiryPayment", paymentRequestId="R1")
    assert found["paymentId"] == json.loads(paid.body)["paymentId"], "one client, however it speaks"
    theirs = await make(shop, OTHER_CLIENT)
    asked = {"paymentId": found["paymentId"]}
    assert (
        code_of(await call(shop, theirs, "/ams/api/v1/payments/inquiryPayment", asked)) == "ORDER_NOT_EXIST"
    )


async def test_a_test_key_opens_the_sandbox_only(shop: Shop) -> None:
    test, live = await make(shop, "SANDBOX_" + CLIENT), await make(shop)
    assert test.startswith("isak_TEST_")
    body = await aside(in_store, shop.world)
    before = await aside(money_moved)
    assert code_of(await call(shop, test, PAY, body)) == "CLIENT_FORBIDDEN_ACCESS_API"
    assert code_of(await call(shop, live, SANDBOX_PAY, body)) == "CLIENT_FORBIDDEN_ACCESS_API"
    for disguised in (
        test.replace("TEST", "PROD"),
        live.replace("PROD", "TEST"),
        live.replace("isak", "irak"),
    ):
        for path in (PAY, SANDBOX_PAY):
            assert code_of(await call(shop, disguised, path, body)) == "KEY_NOT_FOUND"
    assert before == await aside(money_moved)
    assert code_of(await call(shop, test, SANDBOX_PAY, body)) == "SUCCESS"


async def test_a_restricted_key_does_what_it_is_for(shop: Shop) -> None:
    key = await make(shop, operations=["payments/inquiryPayment"])
    assert key.startswith("irak_PROD_")
    refused = await call(shop, key, body=await aside(in_store, shop.world))
    assert code_of(refused) == "CLIENT_FORBIDDEN_ACCESS_API"
    assert "payments/pay" in refused.result["resultMessage"]
    assert await aside(count, "acquiring_payment") == 0
    asked = {"paymentRequestId": "R1"}
    assert code_of(await call(shop, key, "/ams/api/v1/payments/inquiryPayment", asked)) == "ORDER_NOT_EXIST"


async def test_a_wrong_key_is_nobodys_and_no_answer_says_why(shop: Shop) -> None:
    key = await make(shop)
    head, _, secret = key.rpartition("_")
    wrong = [
        f"{head}_{'0' * len(secret)}",
        f"{head}_{secret[:-1]}",
        f"isak_PROD_{new_id().hex}_{secret}",
        "isak_PROD_nonsense_x",
        "isak_PROD_x",
        "",
        "x" * 4000,
    ]
    answers = {(await call(shop, one)).body for one in wrong}
    answers.add((await call(shop, key, authorization="Basic " + key)).body)
    assert len(answers) == 1
    assert json.loads(answers.pop())["result"]["resultCode"] == "KEY_NOT_FOUND"
    assert code_of(await call(shop, key)) == "PARAM_ILLEGAL"


async def test_revoked_and_suspended_keys_stop(shop: Shop) -> None:
    key = await make(shop, OTHER_CLIENT)
    await aside(lambda: identity.revoke_api_key(parse_id(key.split("_")[2], "id"), now=now()))
    assert code_of(await call(shop, key)) == "KEY_NOT_FOUND"
    other = await make(shop, OTHER_CLIENT)
    await aside(identity.set_client_status, OTHER_CLIENT, identity.ClientStatus.SUSPENDED)
    assert code_of(await call(shop, other)) == "INVALID_CLIENT_STATUS"


async def test_who_signs_may_show_what_it_likes(shop: Shop) -> None:
    """A proxy's Authorization header does not turn a signed request into an unsigned one."""
    key = await make(shop)
    signed = await call(
        shop, key, client_id=CLIENT, request_time="2026-11-23T09:20:36Z", signature="signature=x"
    )
    assert code_of(signed) == "INVALID_SIGNATURE"
    doubled = await exchange(
        shop.app, "POST", PAY, [(b"authorization", f"Bearer {key}".encode())] * 2, [b"{}"]
    )
    assert code_of(doubled) == "PARAM_ILLEGAL"


async def test_no_key_reaches_a_log(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    key = await make(shop)
    secret = key.rpartition("_")[2]
    for one in (key, key[:-1] + "0"):
        await call(shop, one, body=await aside(in_store, shop.world))
        await call(shop, one, "/ams/api/v1/nowhere")
    printed = capsys.readouterr()
    assert "answered" in printed.out + printed.err
    assert secret not in printed.out + printed.err
    assert secret[:-1] not in printed.out + printed.err
