"""How much a capture takes and a refund gives back, on every side."""

from __future__ import annotations

from typing import NamedTuple

from comptoir.acquiring.types import PaymentState, PaymentView
from comptoir.kernel.errors import InvariantBroken
from comptoir.kernel.money import Money


class Shares(NamedTuple):
    """What a capture or a refund moves, in minor units: of the wallet (mid part and margin part), and of the
    merchant."""

    mid: int
    margin: int
    settlement: int


def taken(payment: PaymentView) -> int:
    """What was taken of a paid payment, in minor units of its currency: all of it, or what was captured."""
    return payment.amount.minor if payment.capture_mode is None else payment.captured


def refundable(payment: PaymentView) -> Money:
    """What may still be given back of a payment: nothing of one that is not paid."""
    paid = payment.state is PaymentState.SUCCESS
    return Money(taken(payment) - payment.refunded if paid else 0, payment.amount.currency)


def whole_shares(payment: PaymentView) -> Shares:
    """A whole payment, as its wallet pays and its merchant is owed it."""
    if payment.wallet_total is None or payment.wallet_margin is None:
        raise InvariantBroken("no wallet has priced this payment")
    margin = payment.wallet_margin.minor
    return Shares(payment.wallet_total.minor - margin, margin, payment.settlement.minor)


def captured_shares(payment: PaymentView) -> Shares:
    """What was captured of an authorization."""
    return Shares(
        payment.wallet_captured - payment.margin_captured,
        payment.margin_captured,
        payment.settlement_captured,
    )


def capture_shares(payment: PaymentView, amount: Money) -> Shares:
    """What a capture of `amount` takes, at the authorization's own rate; the last one takes the rest."""
    done = payment.captured + amount.minor
    return _shares(whole_shares(payment), captured_shares(payment), done, payment.amount.minor)


def refund_shares(payment: PaymentView, amount: Money) -> Shares:
    """What a refund of `amount` gives back, at the payment's own rate; the last one gives back the rest."""
    gone = Shares(
        payment.wallet_refunded - payment.margin_refunded,
        payment.margin_refunded,
        payment.settlement_refunded,
    )
    whole = whole_shares(payment) if payment.capture_mode is None else captured_shares(payment)
    return _shares(whole, gone, payment.refunded + amount.minor, taken(payment))


def settlement_share(payment: PaymentView, amount: Money) -> int:
    """What a refund of `amount` takes from the merchant where the wallet is another issuer's."""
    done = payment.refunded + amount.minor
    return _share(payment.settlement.minor, payment.settlement_refunded, done, payment.amount.minor)


def _shares(whole: Shares, gone: Shares, done: int, of: int) -> Shares:
    return Shares(*(_share(all_, before, done, of) for all_, before in zip(whole, gone, strict=True)))


def _share(whole: int, gone: int, done: int, of: int) -> int:
    """What of `whole` is due for the steps so far, this one included (`done` out of `of`), less what is gone.

    Rounded down as a sum, so many small steps come to exactly what one large one would, and the one that
    completes takes the rest. Never negative: after a refund that another issuer refused, one minor unit
    more than due may be gone.
    """
    return max(whole * done // of - gone, 0)
