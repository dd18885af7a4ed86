"""inquireExchangeRate and `pay` with a quote, through the signed door and with the official request class."""

from __future__ import annotations

import json
from typing import Any

import pytest
from com.alipay.ams.api.model.currency_pair import CurrencyPair
from com.alipay.ams.api.model.rate_type import RateType
from com.alipay.ams.api.request.pay.alipay_inquire_exchange_rate_request import (
    AlipayInquireExchangeRateRequest,
)
from com.alipay.ams.api.response.pay.alipay_inquire_exchange_rate_response import (
    AlipayInquireExchangeRateResponse,
)

from comptoir.acquiring import api as acquiring
from comptoir.flows.api import verify_books

from .shop import Shop, aside, code_of, in_store
from .world import CLIENT, OTHER_CLIENT, count, money_moved

pytestmark = pytest.mark.anyio


async def ask(shop: Shop, client_id: str = CLIENT, /, **body: Any) -> dict[str, Any]:
    return await shop.call("inquireExchangeRate", client_id, **body)


async def offered(shop: Shop, client_id: str = CLIENT) -> dict[str, Any]:
    """The quote for EUR/CNY, as it came."""
    answer = await ask(shop, client_id, sellCurrency="CNY", buyCurrency="EUR")
    [quote] = answer["quotes"]
    return dict(quote)


async def test_all_prices_of_the_contract_are_promised(shop: Shop) -> None:
    answer = await ask(shop, productCode="IN_STORE_PAYMENT")
    assert code_of(answer) == ("SUCCESS", "S")
    prices = {one["quoteCurrencyPair"]: one["quotePrice"] for one in answer["quotes"]}
    assert prices == {"EUR/CNY": 8.04, "JPY/CNY": 0.05025}
    assert all(isinstance(one["quotePrice"], float) and one["guaranteed"] for one in answer["quotes"])
    payable = {one["quoteId"]: one for one in answer["paymentQuotes"]}
    assert set(payable) == {one["quoteId"] for one in answer["quotes"]}
    for one in answer["quotes"]:
        told = payable[one["quoteId"]]
        assert f"{told['buyCurrency']}/{told['sellCurrency']}" == one["quoteCurrencyPair"]
        assert told["exchangeRate"] == one["quotePrice"]
        assert one["quoteStartTime"] < one["quoteExpiryTime"]
    assert await aside(count, "fx_quote") == 2


async def test_the_official_classes_ask_and_read(shop: Shop) -> None:
    request = AlipayInquireExchangeRateRequest()
    pair = CurrencyPair()
    pair.sell_currency, pair.buy_currency = "CNY", "JPY"
    request.currency_pairs = [pair]
    request.rate_type = RateType.REFERENCE
    answer = AlipayInquireExchangeRateResponse(json.dumps(await shop.execute(request)))
    assert answer.result.result_code == "SUCCESS"
    [quote] = answer.quotes
    assert (quote.quote_currency_pair, quote.quote_price, quote.guaranteed) == ("JPY/CNY", 0.05, False)
    assert quote.quote_id is None
    request.rate_type = RateType.REFERENCE_TRADE
    [quote] = AlipayInquireExchangeRateResponse(json.dumps(await shop.execute(request))).quotes
    assert (quote.quote_price, quote.quote_id) == (0.05025, None)
    assert await aside(count, "fx_quote") == 0, "what is only shown is not stored"


@pytest.mark.parametrize(
    ("body", "code", "name"),
    [
        ({"sellCurrency": "USD"}, "CURRENCY_NOT_SUPPORT", "currencies"),
        ({"buyCurrency": "USD"}, "CURRENCY_NOT_SUPPORT", "currencies"),
        ({"currencyPairs": [{"sellCurrency": "EUR", "buyCurrency": "CNY"}]}, "CURRENCY_NOT_SUPPORT", ""),
        ({"sellCurrency": "XXXX"}, "PARAM_ILLEGAL", "sellCurrency"),
        ({"buyCurrency": "eur"}, "PARAM_ILLEGAL", "buyCurrency"),
        ({"currencyPairs": [{"sellCurrency": "CNY"}]}, "PARAM_ILLEGAL", "currencyPairs[0].buyCurrency"),
        ({"currencyPairs": [{"sellCurrency": "CNY", "buyCurrency": "EUR"}] * 101}, "PARAM_ILLEGAL", "curr"),
        ({"rateType": "GUESS"}, "PARAM_ILLEGAL", "rateType"),
    ],
)
async def test_what_cannot_be_priced_is_named(shop: Shop, body: dict[str, Any], code: str, name: str) -> None:
    answer = await ask(shop, **body)
    assert code_of(answer) == (code, "F")
    assert name in answer["result"]["resultMessage"]
    assert await aside(count, "fx_quote") == 0


async def test_a_suspended_merchant_is_offered_nothing(shop: Shop) -> None:
    await aside(acquiring.set_status, shop.world.merchant_id, "suspended")
    assert code_of(await ask(shop)) == ("INVALID_MERCHANT_STATUS", "F")
    assert await aside(count, "fx_quote") == 0


async def test_pay_at_the_quote(shop: Shop) -> None:
    quote = await offered(shop)
    paid = await shop.pay(paymentQuote=quote, processingAmount={"currency": "CNY", "value": "10050"})
    assert code_of(paid) == ("SUCCESS", "S")
    assert paid["actualPaymentAmount"] == {"currency": "CNY", "value": "10050"}
    assert paid["paymentQuote"] == quote, "the very price that was promised"
    found = await shop.call("inquiryPayment", paymentRequestId="R1")
    assert found["paymentQuote"] == quote
    again = await shop.pay(paymentRequestId="R2", paymentQuote=quote)
    assert again["paymentQuote"]["quoteId"] == quote["quoteId"]


async def test_a_price_may_come_quoted_or_as_a_32_bit_number(shop: Shop) -> None:
    quote = await offered(shop)
    for number, price in enumerate(("8.04", 8.04, 8.039999961853027)):
        told = quote | {"quotePrice": price}
        assert code_of(await shop.pay(paymentRequestId=f"R{number}", paymentQuote=told)) == ("SUCCESS", "S")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"quoteId": None}, "paymentQuote.quoteId"),
    ({"quoteId": "nonsense"}, "paymentQuote.quoteId"),
    ({"quoteId": "0" * 32}, "paymentQuote.quoteId"),
    ({"quotePrice": 8.05}, "paymentQuote.quotePrice"),
    ({"quotePrice": -8.04}, "paymentQuote.quotePrice"),
    ({"quotePrice": "1e999999999"}, "paymentQuote.quotePrice"),
    ({"quotePrice": "NaN"}, "paymentQuote.quotePrice"),
    ({"quotePrice": None}, "paymentQuote.quotePrice"),
    ({"quoteCurrencyPair": "CNY/EUR"}, "paymentQuote.quoteCurrencyPair"),
    ({"quoteCurrencyPair": "EUR"}, "paymentQuote.quoteCurrencyPair"),
    ({"quoteCurrencyPair": "JPY/CNY"}, "paymentQuote.quoteCurrencyPair"),
]


async def test_a_quote_that_is_not_the_payments_is_refused_and_moves_nothing(shop: Shop) -> None:
    quote = await offered(shop)
    theirs = await offered(shop, OTHER_CLIENT)
    before = await aside(money_moved)
    tries = [({"paymentQuote": quote | changed}, name) for changed, name in REFUSED]
    tries += [
        ({"paymentQuote": theirs}, "paymentQuote.quoteId"),
        ({"paymentQuote": quote, "currency": "JPY"}, "paymentQuote.quoteCurrencyPair"),
        ({"paymentQuote": quote, "processingAmount": {"currency": "CNY", "value": "10049"}}, "processingA"),
        ({"processingAmount": {"currency": "CNY", "value": "10050"}}, "paymentQuote"),
    ]
    for changed, name in tries:
        refused = await shop.pay(**changed)
        assert code_of(refused) == ("PARAM_ILLEGAL", "F"), changed
        assert refused["result"]["resultMessage"].startswith(name), (refused, changed)
    assert before == await aside(money_moved)
    assert await aside(count, "acquiring_payment") == 0
    # None of them has used the id up, and nobody else's quote was spoiled.
    assert code_of(await shop.pay(paymentQuote=quote)) == ("SUCCESS", "S")


async def test_the_same_id_with_another_quote_is_another_payment(shop: Shop) -> None:
    quote = await offered(shop)
    body = await aside(lambda: in_store(shop.world, paymentQuote=quote))
    first = await shop.call("pay", **body)
    assert await shop.call("pay", **body) == first
    del body["paymentQuote"]
    assert code_of(await shop.call("pay", **body)) == ("REPEAT_REQ_INCONSISTENT", "F")
    assert (await aside(verify_books)).holds
