"""A shop's counter: an assistant takes payments on a page of ours, without software of the shop's own.

The page stands where a till's software would. What it asks for is kept under the client STAFF, a name that
no machine can have, with ids that the page makes before it asks. Nobody is notified of what it takes: the
page looks. The merchant's own machines find, cancel and refund what the counter took by our id, like any
other payment.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import STAFF, PaymentState, PaymentView, Product, Scenario, TillView, errors
from comptoir.db.run import read
from comptoir.flows.engine.desk import Desk
from comptoir.flows.line import IssuerLine
from comptoir.flows.operations import execute
from comptoir.flows.types import Cancel, Outcome, Pay, Refund
from comptoir.kernel.money import Money

#: What a wallet may be, in the catalogue's word for "whichever the customer has".
_METHOD: Final = "CONNECT_WALLET"
#: In a payment's details: who took it.
_SELLER: Final = "seller"


def take(
    till: TillView,
    amount: Money,
    sale: UUID,
    code: str | None,
    now: datetime,
    issuers: IssuerLine,
    *,
    seller: UUID | None = None,
) -> Outcome:
    """Take a payment: of the wallet whose `code` was scanned, or (None) of whichever scans ours.

    `seller` is who stands at the till: `seller_of` tells it again.

    `sale` is made before it is asked for. However often it comes again, there is one payment, and it answers
    what became of that; with another amount or code it is refused and moves nothing.
    """
    scenario = Scenario.ORDER_CODE if code is None else Scenario.PAYMENT_CODE
    asked = Pay(
        merchant_id=till.merchant_id,
        client_ref=STAFF,
        request_ref=sale.hex,
        product=Product.IN_STORE,
        scenario=scenario,
        amount=amount,
        method_type=_METHOD,
        code=code,
        sandbox=till.sandbox,
        store_ref=till.store_ref,
        terminal_ref=till.terminal_ref,
        details={"storeName": till.store_name} | ({_SELLER: seller.hex} if seller else {}),
    )
    return issuers.pay(asked, now)


def seller_of(payment: PaymentView) -> UUID | None:
    """Who stood at the till; None for what a machine of the shop's or a poster took."""
    seller = payment.details.get(_SELLER) if payment.client_ref == STAFF else None
    return UUID(seller) if seller else None


def payment_of_sale(merchant_id: UUID, sale: UUID) -> PaymentView | None:
    """The payment that a sale has become, if it was ever asked for."""
    rows = read(acquiring.payments_by_request([(merchant_id, STAFF, sale.hex)]))
    return next(iter(acquiring.decode_payments(rows)), None)


def close_unpaid(merchant_id: UUID, payment_id: UUID, now: datetime, desk: Desk) -> Outcome:
    """Close a payment that waits, whoever asked for it. One that is paid meanwhile stays paid: giving money
    back takes a manager."""
    command = Cancel(merchant_id=merchant_id, client_ref=STAFF, payment_id=payment_id, unpaid=True)
    (outcome,) = execute([command], now, desk)
    return outcome


def give_back(
    payment: PaymentView,
    amount: Money,
    attempt: UUID,
    now: datetime,
    desk: Desk,
    reason: str | None = None,
    *,
    prefix: str = "",
) -> Outcome:
    """Refund all or part of a payment of the shop's, whoever took it. Once for each `attempt`.

    More than is left of the payment is refused before it is asked for: of a slip of the finger no refund is
    kept. `prefix` heads the request id, which the shop's machines are told.
    """
    request_ref = f"{prefix}{attempt.hex}"
    if _more_than_is_left(payment, amount) and not _was_asked_for(payment.merchant_id, request_ref):
        return Outcome(code=errors.REFUND_EXCEEDS, payment=payment)
    command = Refund(
        merchant_id=payment.merchant_id,
        client_ref=STAFF,
        request_ref=request_ref,
        payment_id=payment.id,
        amount=amount,
        reason=reason,
    )
    (outcome,) = execute([command], now, desk)
    return outcome


def _more_than_is_left(payment: PaymentView, amount: Money) -> bool:
    """Of a payment that is paid; why another one cannot be refunded is for the engine to say."""
    paid = payment.state is PaymentState.SUCCESS and acquiring.rules.taken(payment) > 0
    return paid and amount.minor > acquiring.rules.refundable(payment).minor


def _was_asked_for(merchant_id: UUID, request_ref: str) -> bool:
    """Whether this is a repeat: it gets the answer of the first, whatever is left since."""
    return bool(read(acquiring.refunds_by_request([(merchant_id, STAFF, request_ref)])))
