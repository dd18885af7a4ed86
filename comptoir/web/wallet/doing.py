"""Carrying out what a traveller decided, and saying in plain words why something was refused."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.utils.translation import gettext, gettext_lazy, ngettext

from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import api as flows
from comptoir.flows.api import Command, Outcome
from comptoir.fx import api as fx
from comptoir.risk import api as risk
from comptoir.wallet import api as wallet
from comptoir.wallet.api import PinLocked, PinRefused, PinUnfit
from comptoir.web.components.asking import desk
from comptoir.web.components.templatetags.comptoir import clock

_ENDED: Final = gettext_lazy("This is no longer waiting for you. Nothing was taken.")

#: By the code of the refusal. Every one of them means that nothing was taken.
_REFUSALS: Final = {
    wallet.errors.WALLET_INACTIVE: gettext_lazy("This wallet is frozen. Nothing leaves it."),
    wallet.errors.DEVICE_UNKNOWN: gettext_lazy("This phone was removed from the wallet. Nothing was taken."),
    wallet.errors.BALANCE_INSUFFICIENT: gettext_lazy("There is not enough money in the wallet."),
    wallet.errors.PAYMENT_LIMIT: gettext_lazy("This is above your limit for one payment."),
    wallet.errors.DAY_LIMIT: gettext_lazy("This is above what you may spend today."),
    wallet.errors.AUTHORIZATION_UNKNOWN: _ENDED,
    wallet.errors.AUTHORIZATION_CLOSED: _ENDED,
    wallet.errors.DECLINED: gettext_lazy("You declined. Nothing was taken."),
    wallet.errors.AGREEMENT_LIMITS: gettext_lazy(
        "These limits do not fit: at most your own, and per payment not more than per day."
    ),
    risk.errors.REFUSED: gettext_lazy("This payment was stopped for your protection. Nothing was taken."),
    fx.errors.QuoteExpired.code: gettext_lazy("The price was no longer promised. Nothing was taken."),
    fx.errors.AmountTooSmall.code: gettext_lazy("This amount is too small."),
    fx.errors.AmountTooLarge.code: gettext_lazy("This amount is too large."),
    acquiring.PAYMENT_UNKNOWN: gettext_lazy("No shop is waiting for this code."),
    acquiring.PAYMENT_EXPIRED: gettext_lazy("The time for this payment is up. Ask the shop for a new code."),
    acquiring.PAYMENT_CANCELLED: gettext_lazy("The shop has canceled this payment."),
    acquiring.AGREEMENT_UNKNOWN: gettext_lazy("Nothing is asked under this code."),
    acquiring.AGREEMENT_CLOSED: gettext_lazy("This is no longer asked. Start again at the shop."),
    acquiring.REQUEST_REUSED: gettext_lazy("Check the amount, then go on once more."),
    flows.CROWDED: gettext_lazy("The shop is very busy just now. Try again in a moment."),
}


def do(command: Command, now: datetime) -> Outcome:
    """Carry out one command, in a batch of its own beside the gateway's. Repeating it changes nothing."""
    (outcome,) = flows.execute([command], now, desk())
    return outcome


def refusal(code: str) -> str:
    """Why it was refused, for the traveller."""
    known = _REFUSALS.get(code)
    return str(known) if known else gettext("This cannot be paid just now. Nothing was taken.")


def pin_problem(refused: PinRefused | PinUnfit) -> str:
    """What is wrong with the PIN that was typed."""
    if isinstance(refused, PinUnfit):
        return gettext("A PIN has six digits.")
    if isinstance(refused, PinLocked):
        until = clock(refused.locked_until)
        return gettext("Too many wrong PINs. The PIN is locked until %(time)s, China time.") % {"time": until}
    return ngettext(
        "Wrong PIN. %(left)s try left before the PIN is locked.",
        "Wrong PIN. %(left)s tries left before the PIN is locked.",
        refused.tries_left,
    ) % {"left": refused.tries_left}
