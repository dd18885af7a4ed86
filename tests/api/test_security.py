"""What an attacker tries on real processes, and what must not be read out of their logs.

The table of docs/operating/security.md names these and many others.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.conf import settings

from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.standards.antom import signing
from tests.api.support import PIN, House, Shop
from tests.api.till import PAYMENTS, in_store
from tests.cli.processes import wait_for
from tests.flows.merchant_server import Merchant, reply

pytestmark = pytest.mark.slow

SUCCESS = ("SUCCESS", "S")
UNKNOWN = ("UNKNOWN_EXCEPTION", "U")
CARD = "4111111111111111"
METADATA = "basket of Li Na, B-27182818"


@pytest.fixture
def shop(house: House) -> Shop:
    return house.shop()


def test_the_very_same_bytes_again_do_nothing(house: House, shop: Shop) -> None:
    """Somebody recorded a request and sends it again, signature and all: the first answer, nothing moves."""
    li = house.traveller()
    paid = shop.till.pay("R0", li.code())
    payment_id = str(paid["paymentId"])
    for name, body in (
        ("pay", in_store("R1", li.code())),
        ("refund", {"refundRequestId": "F1", "paymentId": payment_id, "refundAmount": euros("400")}),
        ("cancel", {"paymentRequestId": "R1"}),
    ):
        path, content = PAYMENTS + name, json.dumps(body).encode()
        headers = shop.till.headers(path, content)
        first = shop.till.send(path, content, headers)
        assert first.kind == SUCCESS
        books = house.books()
        for port in shop.till.ports:
            assert shop.till.send(path, content, headers, port=port).body == first.body
        assert house.books() == books
    house.assert_holds()


def test_members_that_nobody_may_set_change_nothing(house: House, shop: Shop) -> None:
    """Names of our columns, states and amounts beside a right request: read by nobody."""
    stranger, li = house.shop(), house.traveller()
    wanted = {
        "merchantId": str(stranger.merchant_id), "merchant_id": str(stranger.merchant_id), "clientId": "X",
        "walletId": str(house.traveller().wallet_id), "paymentId": "0" * 32, "paymentStatus": "FAIL",
        "state": "FAIL", "settlement": 999_999, "settlementAmount": euros("999999"), "issuer": "SIMULATED",
        "sandbox": True, "wallet_total": 1, "marginBps": 0, "refunded": 0, "token_hash": "00",
    }  # fmt: skip
    answer = shop.till.call("pay", wanted | in_store("R1", li.code()))
    assert answer.kind == SUCCESS
    assert answer["paymentId"] != "0" * 32
    assert (shop.owed, stranger.owed, li.purse) == (1000, 0, 1_000_000 - 8080)
    back = {"refundRequestId": "F1", "paymentId": answer["paymentId"], "refundAmount": euros("1000")}
    assert shop.till.call("refund", wanted | back).kind == SUCCESS
    assert (shop.owed, stranger.owed, li.purse) == (0, 0, 1_000_000)
    house.assert_holds()


@pytest.mark.parametrize(
    "table",
    [
        "identity_api_client", "identity_api_client_key", "acquiring_merchant", "acquiring_contract",
        "wallet_wallet", "wallet_device", "wallet_spent_code", "wallet_day_spending", "risk_rule_set",
        "db_epoch", "fx_quote", "ledger_account",
    ],
)  # fmt: skip
def test_no_guard_fails_open(house: House, table: str) -> None:
    """What a guard asks is not there: nobody is let through, and nobody is told that it is their fault."""
    shop, li = house.shop(), house.traveller()
    code = li.code()
    if table == "risk_rule_set":
        with psycopg.connect(house.url, autocommit=True) as connection:
            connection.execute("UPDATE db_epoch SET number = number + 1")  # the rules are to be read again
    with missing(house, table):
        assert shop.till.pay("R1", code).kind == UNKNOWN
    assert (shop.owed, li.purse) == (0, 1_000_000)
    wait_for(lambda: shop.till.pay("R1", code).kind == SUCCESS)
    assert (shop.owed, li.purse) == (1000, 1_000_000 - 8080)
    house.assert_holds()


@contextmanager
def missing(house: House, table: str) -> Iterator[None]:
    with psycopg.connect(house.url, autocommit=True) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO {table}_gone")  # type: ignore[arg-type]
        try:
            yield
        finally:
            connection.execute(f"ALTER TABLE {table}_gone RENAME TO {table}")  # type: ignore[arg-type]


def test_no_secret_and_nobodys_data_is_in_a_log(house: House) -> None:
    """Payments, refusals and faults with real secrets; then every line of every process is read."""
    li = house.traveller(phones=4)
    with Merchant(reply(500), reply(body=b"no")) as server:
        shop = house.shop(notify_url=f"{server.url}?token=hunter2hunter2")
        key = identity.create_api_key(shop.till.client_ref, None, now=utc_now())
        buyer = {
            "referenceBuyerId": "B-31415926",
            "buyerEmail": "li.na@example.cn",
            "buyerPhoneNo": "13912340001",
        }
        codes = [li.code() for _ in range(6)]
        good = in_store("R0", codes[0]) | {"paymentNotifyUrl": shop.till.notify_url}
        good["order"]["buyer"] = buyer
        good["metadata"] = METADATA
        good["customizedInfo"] = {"customizedField1": METADATA}
        assert shop.till.call("pay", good).kind == SUCCESS
        for n, changed in enumerate((
            {"paymentMethod": {"paymentMethodType": "CONNECT_WALLET", "paymentMethodId": CARD}},
            {"paymentMethod": {"paymentMethodType": "CARD", "cardNo": CARD, "cvv": "737"}},
            {"paymentAmount": {"currency": "EUR", "value": codes[1]}},
            {"paymentRequestId": {"x": codes[2]}},
            {"productCode": codes[3]},
        )):  # fmt: skip
            assert shop.till.call("pay", in_store(f"X{n}", codes[5]) | changed).status == "F"
        unfit = {"paymentNotifyUrl": f"http://user:hunter2hunter2@[{codes[4]}"}
        assert shop.till.call("pay", in_store("X9", codes[5]) | unfit).kind == SUCCESS
        broken = b'{"paymentMethod": {"paymentMethodId": "' + codes[1].encode()
        assert (
            shop.till.send(PAYMENTS + "pay", broken, shop.till.headers(PAYMENTS + "pay", broken)).status
            == "F"
        )
        headers = shop.till.headers(PAYMENTS + "pay", b"{}") | {
            "Authorization": f"Bearer {key}",
            "api-key": key,
        }
        shop.till.send(PAYMENTS + "pay", b"{}", headers)
        with missing(house, "wallet_device"):
            assert shop.till.pay("R9", li.code()).kind == UNKNOWN
        wait_for(lambda: (house.hurry("notify."), len(server.heard) >= 3)[1])
    secrets = [
        *codes, CARD, METADATA, "hunter2", PIN, key, key[8:], *buyer.values(),
        base64.b64encode(settings.COMPTOIR.require_master_key()).decode(),
        settings.COMPTOIR.require_master_key().hex(),
        signing.export_private_key(house.key)[64:128],
        *(form for _, seed in li.phones for form in (seed.hex(), base64.b64encode(seed).decode())),
    ]  # fmt: skip
    lines = b"".join(one.log.read_bytes() for one in house.servers).decode()
    assert "payments/pay" in lines, "they do write logs"
    assert [one for one in secrets if one in lines] == []


def euros(value: str) -> dict[str, str]:
    return {"currency": "EUR", "value": value}
