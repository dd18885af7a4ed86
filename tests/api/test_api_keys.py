"""The official API-key client, unchanged, over TLS on a port of its own, against a real gateway process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from com.alipay.ams.api.api_key_alipay_client import ApiKeyAlipayClient
from com.alipay.ams.api.exception.exception import AlipayApiException
from com.alipay.ams.api.request.pay.alipay_pay_query_request import AlipayPayQueryRequest
from com.alipay.ams.api.request.pay.user_presented_code_payment_request import UserPresentedCodePaymentRequest

from comptoir.cli.tls import issue_local
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.standards.antom import signing
from tests.api.support import House
from tests.api.test_sdk import order
from tests.cli.processes import free_port
from tests.conftest import Database

pytestmark = pytest.mark.slow


@pytest.fixture
def gateway(
    database: Database, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[House, str]]:
    folder = tmp_path_factory.mktemp("api-keys")
    files = issue_local(folder, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(files.ca))
    house, port = House(database.url, folder), free_port()
    try:
        house.gateway_tls("127.0.0.1", files, port)
        yield house, f"https://127.0.0.1:{port}"
        house.assert_holds()
    finally:
        house.close()


def execute(url: str, key: str, request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(ApiKeyAlipayClient(url, key).execute(request))
    return answer


def test_pay_and_ask_with_an_api_key(gateway: tuple[House, str]) -> None:
    house, url = gateway
    shop, traveller = house.shop(ports=[443]), house.traveller()
    key = identity.create_api_key(shop.till.client_ref, None, now=utc_now())
    request = UserPresentedCodePaymentRequest("A1", order("1250"), "EUR", "1250", traveller.code())
    paid = execute(url, key, request)
    assert paid["result"]["resultCode"] == "SUCCESS"
    query = AlipayPayQueryRequest()
    query.payment_id = paid["paymentId"]
    asking = identity.create_api_key(shop.till.client_ref, ["payments/inquiryPayment"], now=utc_now())
    assert execute(url, asking, query)["paymentStatus"] == "SUCCESS"
    request.payment_request_id = "A2"
    assert execute(url, asking, request)["result"]["resultCode"] == "CLIENT_FORBIDDEN_ACCESS_API"
    assert shop.owed == 1250
    assert traveller.purse == 1_000_000 - 10_100


def test_a_test_key_is_led_to_the_sandbox_by_the_client_itself(gateway: tuple[House, str]) -> None:
    house, url = gateway
    shop = house.shop(ports=[443])
    public = signing.export_public_key(house.key.public_key())
    identity.register_client("SANDBOX_KEYED", shop.merchant_id, public, now=utc_now())
    key = identity.create_api_key("SANDBOX_KEYED", None, now=utc_now())
    query = AlipayPayQueryRequest()
    query.payment_request_id = "nothing"
    assert execute(url, key, query)["result"]["resultCode"] == "ORDER_NOT_EXIST"
    assert query.path == "/ams/api/v1/payments/inquiryPayment", "the request is not changed by it"


def test_the_client_never_shows_its_key(gateway: tuple[House, str]) -> None:
    _, url = gateway
    wrong = "isak_PROD_00000000000070008000000000000000_secret"
    query = AlipayPayQueryRequest()
    query.payment_request_id = "nothing"
    assert execute(url, wrong, query)["result"]["resultCode"] == "KEY_NOT_FOUND"
    with pytest.raises(AlipayApiException) as failed:
        execute("https://127.0.0.1:1", wrong, query)
    assert "secret" not in str(failed.value)
