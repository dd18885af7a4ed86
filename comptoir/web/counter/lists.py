"""Payments of a till or a store, as lists show them."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentFilter, PaymentView, Place, TillView
from comptoir.db.run import read
from comptoir.kernel.money import Money
from comptoir.standards import time_zones
from comptoir.web.components.wallets import wallet_name
from comptoir.web.counter import words
from comptoir.web.counter.outcomes import seen


class Line(msgspec.Struct, frozen=True):
    """One payment in a list: how it stands in words, and `look`, the badge's kind."""

    payment: PaymentView
    sight: str
    look: str
    wallet: str
    refunded: Money | None


def lines_of(
    till: TillView, now: datetime, day: date, limit: int, *, after: Place | None = None, whole: bool = False
) -> list[Line]:
    """The newest payments of a day, below `after`: at a till and over the store's poster, or (`whole`) in the
    store."""
    begin, end = time_zones.bounds_of(day, till.time_zone)
    wanted = PaymentFilter(
        merchant_id=till.merchant_id,
        start=begin,
        end=end,
        store_ref=till.store_ref,
        terminal_ref=None if whole else till.terminal_ref,
    )
    found = acquiring.decode_payments(read(acquiring.payments_page(wanted, limit, after)))
    return [line_of(one, now) for one in found]


def line_of(payment: PaymentView, now: datetime) -> Line:
    """A payment as a list shows it."""
    shown = seen(payment, now)
    return Line(
        payment=payment,
        sight=str(words.NAMES[shown.sight]),
        look=words.LOOKS[shown.sight],
        wallet=wallet_name(payment.issuer),
        refunded=Money(payment.refunded, payment.amount.currency) if payment.refunded else None,
    )
