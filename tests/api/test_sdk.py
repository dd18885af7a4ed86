"""The official Python SDK, unchanged, over TLS on port 443, against the real processes."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from com.alipay.ams.api.default_alipay_client import DefaultAlipayClient
from com.alipay.ams.api.exception.exception import AlipayApiException
from com.alipay.ams.api.model.amount import Amount
from com.alipay.ams.api.model.capture_mode import CaptureMode
from com.alipay.ams.api.model.customer_belongs_to import CustomerBelongsTo
from com.alipay.ams.api.model.env import Env
from com.alipay.ams.api.model.grant_type import GrantType
from com.alipay.ams.api.model.merchant import Merchant
from com.alipay.ams.api.model.order import Order
from com.alipay.ams.api.model.payment_method import PaymentMethod
from com.alipay.ams.api.model.product_code_type import ProductCodeType
from com.alipay.ams.api.model.scope_type import ScopeType
from com.alipay.ams.api.model.settlement_strategy import SettlementStrategy
from com.alipay.ams.api.model.store import Store
from com.alipay.ams.api.model.terminal_type import TerminalType
from com.alipay.ams.api.request.auth.alipay_auth_apply_token_request import AlipayAuthApplyTokenRequest
from com.alipay.ams.api.request.auth.alipay_auth_consult_request import AlipayAuthConsultRequest
from com.alipay.ams.api.request.auth.alipay_auth_revoke_token_request import AlipayAuthRevokeTokenRequest
from com.alipay.ams.api.request.notify.alipay_capture_result_notify import AlipayCaptureResultNotify
from com.alipay.ams.api.request.notify.alipay_pay_result_notify import AlipayPayResultNotify
from com.alipay.ams.api.request.pay.alipay_capture_request import AlipayCaptureRequest
from com.alipay.ams.api.request.pay.alipay_inquiry_refund_request import AlipayInquiryRefundRequest
from com.alipay.ams.api.request.pay.alipay_pay_cancel_request import AlipayPayCancelRequest
from com.alipay.ams.api.request.pay.alipay_pay_query_request import AlipayPayQueryRequest
from com.alipay.ams.api.request.pay.alipay_pay_request import AlipayPayRequest
from com.alipay.ams.api.request.pay.alipay_refund_request import AlipayRefundRequest
from com.alipay.ams.api.request.pay.alipay_update_amount_request import AlipayUpdateAmountRequest
from com.alipay.ams.api.request.pay.order_code_payment_request import OrderCodePaymentRequest
from com.alipay.ams.api.request.pay.user_presented_code_payment_request import UserPresentedCodePaymentRequest
from com.alipay.ams.api.response.pay.alipay_capture_response import AlipayCaptureResponse
from com.alipay.ams.api.response.pay.alipay_pay_query_response import AlipayPayQueryResponse
from com.alipay.ams.api.response.pay.alipay_pay_response import AlipayPayResponse
from com.alipay.ams.api.response.pay.alipay_refund_response import AlipayRefundResponse
from com.alipay.ams.api.tools import webhook_tool

from comptoir.cli.tls import issue_local
from comptoir.flows import api as flows
from comptoir.flows.agreements import auth_code
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.standards.antom import signing
from tests.api.support import House, Shop, Traveller
from tests.cli.processes import wait_for
from tests.conftest import Database
from tests.flows.merchant_server import Merchant as MerchantServer
from tests.official_sdk import misread, request_classes

pytestmark = pytest.mark.slow

#: The SDK always connects to port 443. Every address of 127.0.0.0/8 is this machine: any one will do.
HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


#: Requests that are complete when nothing in them is set.
ASKS_FOR_EVERYTHING = {
    "AlipayInquireExchangeRateRequest",
    "AlipayInquireNotificationListRequest",
    "AlipayInquireSubscriptionListRequest",
}


@dataclass
class Desk:
    """A shop whose software is the official SDK, in production and in its sandbox."""

    house: House
    shop: Shop
    gateway_url: str
    key: str
    platform_key: str

    @property
    def client_id(self) -> str:
        return self.shop.till.client_ref

    def execute(self, request: Any, client_id: str | None = None) -> dict[str, Any]:
        """What every integration does: a new client, `execute`, the raw body. It verifies the signature."""
        client = DefaultAlipayClient(
            self.gateway_url, client_id or self.client_id, self.key, self.platform_key
        )
        body = client.execute(request)
        assert misread(request.path, body) == []
        answer: dict[str, Any] = json.loads(body)
        return answer

    def scan(self, ref: str, code: str, minor: str = "1250", notify: str | None = None) -> dict[str, Any]:
        request = UserPresentedCodePaymentRequest(ref, order(minor), "EUR", minor, code, notify)
        return self.execute(request)


def order(minor: str) -> Order:
    made = Order()
    made.reference_order_id = "O1"
    made.order_description = "巧克力"
    made.order_amount = Amount("EUR", minor)
    made.merchant = Merchant()
    made.merchant.reference_merchant_id = "M1"
    made.merchant.merchant_mcc = "5441"
    made.merchant.merchant_name = "Chocolaterie Sablon"
    made.merchant.store = Store()
    made.merchant.store.reference_store_id = "S1"
    made.merchant.store.store_name = "Sablon"
    made.merchant.store.store_mcc = "5441"
    made.env = Env()
    made.env.store_terminal_id = "T1"
    made.env.store_terminal_request_time = "2026-11-23T10:00:00+01:00"
    return made


def free_host() -> str:
    for host in HOSTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, 443))
            except OSError:
                continue
            return host
    pytest.skip("the SDK connects to port 443 only, and this user may not listen there (or it is taken)")


@pytest.fixture(scope="module")
def desk(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    host = free_host()
    folder = tmp_path_factory.mktemp("sdk")
    files = issue_local(folder, host)
    house = House(module_database.url, folder)
    patch = pytest.MonkeyPatch()
    patch.setenv("SSL_CERT_FILE", str(files.ca))
    try:
        house.gateway_tls(host, files)
        house.worker()
        shop = house.shop(ports=[443])
        yield Desk(
            house,
            shop,
            f"https://{host}",
            signing.export_private_key(house.key),
            signing.export_public_key(house.platform_key),
        )
        house.assert_holds()
    finally:
        house.close()
        patch.undo()


@pytest.fixture(scope="module")
def traveller(desk: Desk) -> Traveller:
    return desk.house.traveller()


def test_pay_inquire_refund_and_cancel(desk: Desk, traveller: Traveller) -> None:
    """A morning at the till: one payment refunded in part, one cancelled, each asked about."""
    answer = AlipayPayResponse(json.dumps(paid := desk.scan("A1", traveller.code())))
    assert (answer.result.result_code, answer.result.result_status.value) == ("SUCCESS", "S")
    assert (answer.payment_amount.value, answer.actual_payment_amount.value) == ("1250", "10100")

    query = AlipayPayQueryRequest()
    query.payment_request_id = "A1"
    found = AlipayPayQueryResponse(json.dumps(desk.execute(query)))
    assert (found.payment_id, found.payment_status.value) == (paid["paymentId"], "SUCCESS")

    refund = AlipayRefundRequest()
    refund.refund_request_id, refund.payment_id = "F1", paid["paymentId"]
    refund.refund_amount = Amount("EUR", "250")
    given = AlipayRefundResponse(json.dumps(desk.execute(refund)))
    assert (given.result.result_code, given.refund_amount.value) == ("SUCCESS", "250")
    ask = AlipayInquiryRefundRequest()
    ask.refund_request_id = "F1"
    known = desk.execute(ask)
    assert (known["refundStatus"], known["refundId"]) == ("SUCCESS", given.refund_id)
    assert (desk.shop.owed, traveller.purse) == (1000, 1_000_000 - 8080)

    other = desk.scan("A2", traveller.code())
    cancel = AlipayPayCancelRequest()
    cancel.payment_id = other["paymentId"]
    assert desk.execute(cancel)["result"]["resultCode"] == "SUCCESS"
    query.payment_request_id = "A2"
    assert desk.execute(query)["paymentStatus"] == "CANCELLED"
    assert (desk.shop.owed, traveller.purse) == (1000, 1_000_000 - 8080)


def test_authorize_change_capture_and_cancel(desk: Desk, traveller: Traveller) -> None:
    """A shop that ships later: more is authorized, a part is captured and told, another order is voided."""
    before = desk.shop.owed, traveller.purse
    with MerchantServer() as server:
        held = authorized(desk, "H1", traveller.code(), server.url)
        assert held.auth_expiry_time
        change = AlipayUpdateAmountRequest()
        change.update_request_id, change.payment_id = "HU1", held.payment_id
        change.amount = Amount("EUR", "2000")
        assert desk.execute(change)["result"]["resultCode"] == "SUCCESS"
        assert (desk.shop.owed, traveller.purse) == before
        request = AlipayCaptureRequest()
        request.capture_request_id, request.payment_id = "HC1", held.payment_id
        request.capture_amount, request.is_last_capture = Amount("EUR", "1500"), True
        taken = AlipayCaptureResponse(json.dumps(desk.execute(request)))
        assert (taken.result.result_status.value, taken.capture_amount.value) == ("S", "1500")
        assert (desk.shop.owed, traveller.purse) == (before[0] + 1500, before[1] - 12_120)
        assert traveller.available == traveller.purse
        wait_for(lambda: any(b"CAPTURE_RESULT" in one.body for one in server.heard))
        told = next(one for one in server.heard if b"CAPTURE_RESULT" in one.body)
        assert webhook_tool.check_signature(
            "POST",
            "/notify",
            told.headers["client-id"],
            told.headers["request-time"],
            told.body.decode(),
            told.headers["signature"],
            desk.platform_key,
        )
        assert AlipayCaptureResultNotify(told.body.decode()).capture_id == taken.capture_id

    other = authorized(desk, "H2", traveller.code())
    cancel = AlipayPayCancelRequest()
    cancel.payment_id = other.payment_id
    assert desk.execute(cancel)["result"]["resultCode"] == "SUCCESS"
    request.capture_request_id, request.payment_id = "HC2", other.payment_id
    assert desk.execute(request)["result"]["resultCode"] == "AUTH_CANCELLED"
    assert (desk.shop.owed, traveller.available) == (before[0] + 1500, before[1] - 12_120)


def authorized(desk: Desk, ref: str, code: str, notify: str | None = None) -> AlipayPayResponse:
    """A scanned code whose money is held, as the official classes ask for it."""
    request = UserPresentedCodePaymentRequest(ref, order("1250"), "EUR", "1250", code, notify)
    request.payment_factor.is_authorization = True
    request.payment_factor.capture_mode = CaptureMode.MANUAL
    answer = AlipayPayResponse(json.dumps(desk.execute(request)))
    assert answer.result.result_code == "SUCCESS"
    return answer


def test_an_order_code_and_a_cashier_payment(desk: Desk, traveller: Traveller) -> None:
    """The traveller scans the shop's code, or follows the link, and approves."""
    before = desk.shop.owed
    shown = desk.execute(OrderCodePaymentRequest("B1", order("700"), "EUR", "700"))
    assert shown["result"]["resultCode"] == "PAYMENT_IN_PROCESS"
    online = AlipayPayRequest()
    online.product_code = ProductCodeType.CASHIER_PAYMENT
    online.payment_request_id, online.order = "B2", order("800")
    online.payment_amount = Amount("EUR", "800")
    online.payment_method = PaymentMethod()
    online.payment_method.payment_method_type = "ALIPAY_CN"
    online.payment_redirect_url = "https://shop.example/thanks"
    online.settlement_strategy = SettlementStrategy()
    online.settlement_strategy.settlement_currency = "EUR"
    linked = desk.execute(online)
    assert linked["result"]["resultCode"] == "PAYMENT_IN_PROCESS"
    for address in (shown["orderCodeForm"]["codeDetails"][0]["codeValue"], linked["normalUrl"]):
        desk.house.do(flows.Claim(order_code=address.rpartition("/")[2], wallet_id=traveller.wallet_id))
        [asked] = traveller.waiting()
        desk.house.do(flows.Confirm(wallet_id=traveller.wallet_id, authorization_id=asked))
    for ref in ("B1", "B2"):
        query = AlipayPayQueryRequest()
        query.payment_request_id = ref
        assert desk.execute(query)["paymentStatus"] == "SUCCESS"
    assert desk.shop.owed == before + 1500


def test_a_notification_verifies_with_the_webhook_tool(desk: Desk, traveller: Traveller) -> None:
    """Signed over the path alone, acknowledged once, sent no more."""
    with MerchantServer() as server:
        paid = desk.scan("C1", traveller.code(), notify=server.url + "?shop=1")
        wait_for(lambda: server.heard)
        [heard] = server.heard
        assert webhook_tool.check_signature(
            "POST",
            "/notify",
            heard.headers["client-id"],
            heard.headers["request-time"],
            heard.body.decode(),
            heard.headers["signature"],
            desk.platform_key,
        )
        told = AlipayPayResultNotify(heard.body.decode())
        assert (told.payment_id, told.payment_request_id) == (paid["paymentId"], "C1")
        assert told.result.result_code == "SUCCESS"
        wait_for(lambda: not desk.house.outbox("notify", done=False))
        assert len(server.heard) == 1


def test_an_agreement_from_the_consent_to_its_end(desk: Desk, traveller: Traveller) -> None:
    """Ask, exchange the code, debit without a scan, revoke; both notifications verify and name the token."""
    before = desk.shop.owed
    with MerchantServer() as server:
        ask = AlipayAuthConsultRequest()
        ask.customer_belongs_to = CustomerBelongsTo.ALIPAY_CN
        ask.auth_redirect_url, ask.auth_notify_url = "https://shop.example/back", server.url
        ask.scopes, ask.auth_state = [ScopeType.AGREEMENT_PAY], "customer 7"
        ask.terminal_type = TerminalType.WEB
        page = desk.execute(ask)["normalUrl"]
        code = page.rpartition("/")[2]
        desk.house.do(flows.ApproveAgreement(consent_code=code, wallet_id=traveller.wallet_id))
        take = AlipayAuthApplyTokenRequest()
        take.grant_type, take.customer_belongs_to = GrantType.AUTHORIZATION_CODE, CustomerBelongsTo.ALIPAY_CN
        take.auth_code = auth_code(code)
        token = desk.execute(take)["accessToken"]

        debit = AlipayPayRequest()
        debit.product_code = ProductCodeType.AGREEMENT_PAYMENT
        debit.payment_request_id, debit.order = "E1", order("900")
        debit.payment_amount = Amount("EUR", "900")
        debit.payment_method = PaymentMethod()
        debit.payment_method.payment_method_type = "ALIPAY_CN"
        debit.payment_method.payment_method_id = token
        assert desk.execute(debit)["result"]["resultCode"] == "SUCCESS"
        assert desk.shop.owed == before + 900

        end = AlipayAuthRevokeTokenRequest()
        end.access_token = token
        assert desk.execute(end)["result"]["resultCode"] == "SUCCESS"
        debit.payment_request_id = "E2"
        assert desk.execute(debit)["result"]["resultCode"] == "INVALID_ACCESS_TOKEN"
        assert desk.shop.owed == before + 900
        wait_for(lambda: len(server.heard) == 2)
        told = {one.message["authorizationNotifyType"]: one for one in server.heard}
        assert told.keys() == {"TOKEN_CREATED", "TOKEN_CANCELED"}
        for heard in told.values():
            assert heard.message["accessToken"] == token
            assert webhook_tool.check_signature(
                "POST", "/notify", heard.headers["client-id"], heard.headers["request-time"],
                heard.body.decode(), heard.headers["signature"], desk.platform_key,
            )  # fmt: skip
    for server_process in desk.house.servers:
        assert token.encode() not in server_process.log.read_bytes()


def test_a_foreign_key_is_noticed_on_both_sides(desk: Desk, traveller: Traveller) -> None:
    """The gateway refuses what a wrong key signed; the SDK refuses what a wrong platform signed."""
    code = traveller.code()
    request = UserPresentedCodePaymentRequest("D1", order("100"), "EUR", "100", code)
    with desk.house.unmoved():
        stranger = Desk(
            desk.house,
            desk.shop,
            desk.gateway_url,
            signing.export_private_key(signing.generate_key()),
            desk.platform_key,
        )
        assert stranger.execute(request)["result"]["resultCode"] == "INVALID_SIGNATURE"
        fooled = Desk(
            desk.house,
            desk.shop,
            desk.gateway_url,
            stranger.key,
            signing.export_public_key(signing.generate_key().public_key()),
        )
        with pytest.raises(AlipayApiException):
            fooled.execute(request)


def test_every_request_class_gets_an_answer_that_the_sdk_accepts(desk: Desk) -> None:
    """All that can be made without arguments, with the production id and with the sandbox id."""
    kinds = request_classes()
    assert len(kinds) >= 160
    public = signing.export_public_key(desk.house.key.public_key())
    sandbox = "SANDBOX_" + desk.client_id
    test_merchant = desk.house.shop(sandbox=True).merchant_id
    identity.register_client(sandbox, test_merchant, public, now=utc_now())
    sent = [(name, client_id) for name in sorted(kinds) for client_id in (desk.client_id, sandbox)]
    with desk.house.unmoved(), ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda one: desk.execute(kinds[one[0]](), one[1]), sent)
        for one, answer in zip(sent, answers, strict=True):
            result = answer["result"]
            if one == ("AlipayInquireExchangeRateRequest", sandbox):
                assert result["resultCode"] == "BUSINESS_NOT_SUPPORT", "simulated wallets need no rate"
                continue
            if one[0] in ASKS_FOR_EVERYTHING:
                assert result["resultCode"] == "SUCCESS", (one, result)
                continue
            assert result["resultStatus"] == "F", one
            assert result["resultCode"] in ("NO_INTERFACE_DEF", "PARAM_ILLEGAL"), (one, result)
