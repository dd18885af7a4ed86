"""An order is taken over by a wallet: its price in yuan is fixed, and the traveller is asked."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentView
from comptoir.db.run import read
from comptoir.flows.api import IN_PROCESS, OK, Claim
from comptoir.web.wallet.doing import do, refusal
from comptoir.web.wallet.holder import Holder


def claim(holder: Holder, digits: str) -> HttpResponseRedirect | str:
    """Where an order's code leads: to the question, to the result of what was paid already; or why nowhere.

    Scanning the same code again leads to the same question.
    """
    try:
        outcome = do(Claim(order_code=digits, wallet_id=holder.wallet_id, device=holder.device), holder.now)
    except DatabaseError:
        return busy()
    payment = outcome.payment
    mine = payment is not None and payment.wallet_id == holder.wallet_id
    if mine and payment is not None and payment.authorization_id is not None:
        name = "wallet-ask" if outcome.code == IN_PROCESS else "wallet-result"
        return HttpResponseRedirect(reverse(name, args=[payment.authorization_id]))
    if outcome.code == OK:
        return gettext("This has been paid already.")
    return refusal(outcome.code)


def hosted_page(payment: PaymentView) -> str | None:
    """The cashier's page of a payment that a website asked for, which leads back there once; else None."""
    if not payment.order_code or not payment.redirect_url:
        return None
    return reverse("order", args=[payment.order_code])


def hosted_page_of(digits: str) -> str | None:
    """The same of an order by its digits; None also for digits of no order."""
    found = acquiring.decode_payments(read(acquiring.payments_by_order_code([digits])))
    return hosted_page(found[0]) if found else None


def busy() -> str:
    """Perhaps it was done, perhaps not: doing it again finds out, and never does it twice."""
    return gettext("Busy just now. Try again in a moment: you will not be charged twice.")
