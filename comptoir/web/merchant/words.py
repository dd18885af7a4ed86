"""Codes, events, accounts and kinds in the page's language."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from comptoir.acquiring.api import STAFF
from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import topics
from comptoir.flows.api import OK
from comptoir.flows.history import Happened
from comptoir.identity.api import Detail, Role
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import Money
from comptoir.ledger.api import Posting
from comptoir.ledger.api import Role as Account
from comptoir.risk.api import errors as risk
from comptoir.wallet.api import errors as wallet
from comptoir.web.components.refund_reasons import refund_reason
from comptoir.web.components.templatetags.comptoir import money
from comptoir.web.merchant.doers import Doer

#: Why something was refused. A code that is not here is shown as it is.
_REASONS: Final[dict[str, Promise]] = {
    wallet.CODE_INVALID: _("The code is not valid"),
    wallet.CODE_EXPIRED: _("The code has expired"),
    wallet.CODE_USED: _("The code was used before"),
    wallet.BALANCE_INSUFFICIENT: _("Too little in the wallet"),
    wallet.WALLET_INACTIVE: _("The wallet is not active"),
    wallet.PAYMENT_LIMIT: _("More than the wallet pays at once"),
    wallet.DAY_LIMIT: _("More than the wallet pays in a day"),
    wallet.DECLINED: _("The customer declined"),
    risk.REFUSED: _("Refused by a risk rule"),
    acquiring.PAYMENT_EXPIRED: _("Nobody paid in time"),
    acquiring.PAYMENT_CANCELLED: _("The payment was cancelled"),
    acquiring.PAYMENT_NOT_PAID: _("The payment is not paid"),
    acquiring.REFUND_EXCEEDS: _("More than is left of the payment"),
    acquiring.REFUND_WINDOW: _("Too long after the payment"),
    acquiring.MERCHANT_BALANCE: _("More than you are owed at the moment"),
    acquiring.REQUEST_REUSED: _("This was sent before, with other contents"),
    acquiring.DISPUTE_CLOSED: _("The dispute is over"),
    acquiring.DISPUTE_LATE: _("The time for an answer is up"),
}

_EVENTS: Final[dict[Happened, tuple[Promise, str]]] = {
    Happened.ASKED: (_("Asked for"), ""),
    Happened.PAID: (_("Paid"), "good"),
    Happened.AUTHORIZED: (_("Authorized: the money is held"), "good"),
    Happened.FAILED: (_("Refused"), "bad"),
    Happened.AMOUNT_CHANGED: (_("Authorized amount changed"), ""),
    Happened.AMOUNT_KEPT: (_("Change of the amount refused"), "bad"),
    Happened.CAPTURED: (_("Captured"), "good"),
    Happened.CAPTURE_FAILED: (_("Capture refused"), "bad"),
    Happened.CANCELLED: (_("Cancelled"), "bad"),
    Happened.REFUND_ASKED: (_("Refund asked for"), ""),
    Happened.REFUNDED: (_("Refunded"), ""),
    Happened.REFUND_FAILED: (_("Refund refused"), "bad"),
    Happened.DISPUTED: (_("Disputed"), "bad"),
    Happened.DEFENDED: (_("Defended"), ""),
    Happened.DISPUTE_ACCEPTED: (_("Dispute accepted: the money goes back"), "bad"),
    Happened.DISPUTE_WON: (_("Dispute won: you keep the money"), "good"),
    Happened.DISPUTE_LOST: (_("Dispute lost: the money goes back"), "bad"),
    Happened.DISPUTE_CANCELLED: (_("Dispute withdrawn: you keep the money"), "good"),
    Happened.TOLD: (_("Your server was notified"), "good"),
    Happened.TOLD_IN_VAIN: (_("Your server never acknowledged"), "bad"),
}

_ACCOUNTS: Final[dict[Account, Promise]] = {
    Account.WALLET: _("the customer's wallet"),
    Account.WALLET_FUNDING: _("the wallet's funds"),
    Account.MERCHANT_PAYABLE: _("what you are owed"),
    Account.ISSUER_RECEIVABLE: _("the other wallet's operator"),
    Account.FX_POSITION: _("currency exchange"),
    Account.FX_MARGIN: _("exchange margin"),
}

_PHASES: Final[dict[str, Promise]] = {
    "posted": _("moved"),
    "pending": _("held"),
    "post": _("made final"),
    "void": _("let go"),
}

_NOTICES: Final[dict[str, Promise]] = {
    topics.NOTIFY_PAYMENT: _("Payment"),
    topics.NOTIFY_REFUND: _("Refund"),
    topics.NOTIFY_CAPTURE: _("Capture"),
    topics.NOTIFY_AMOUNT: _("Changed amount"),
    topics.NOTIFY_AGREEMENT: _("Agreement"),
    topics.NOTIFY_SUBSCRIPTION: _("Subscription"),
    topics.NOTIFY_DISPUTE: _("Dispute"),
    topics.NOTIFY_TEST: _("Test"),
}

_ROLES: Final[dict[Role, Promise]] = {
    Role.OWNER: _("Owner"),
    Role.MANAGER: _("Manager"),
    Role.CASHIER: _("Cashier"),
    Role.ACCOUNTANT: _("Accountant"),
}

#: What people of a merchant do, as its record names it.
_ACTIONS: Final[dict[str, Promise]] = {
    "login.succeed": _("Logged in"),
    "login.change": _("Changed their own password"),
    "second_factor.add": _("Set up a second factor"),
    "second_factor.remove": _("Removed a second factor"),
    "payment.cancel": _("Cancelled a payment"),
    "refund.create": _("Refunded"),
    "poster.print": _("Printed a code for the wall"),
    "dispute.accept": _("Accepted a dispute"),
    "dispute.defend": _("Defended a dispute"),
    "store.create": _("Added a store"),
    "till.create": _("Added a till"),
    "staff.create": _("Brought in a member of staff"),
    "staff.role": _("Changed somebody's role"),
    "staff.out": _("Shut somebody out"),
    "staff.in": _("Let somebody in again"),
    "staff.reset": _("Set a new password for somebody"),
    "staff.second_factor": _("Removed somebody's second factor"),
    "staff.approval": _("Set a PIN for approvals"),
    "client.create": _("Added an API client"),
    "client.add_key": _("Registered a public key"),
    "client.revoke_key": _("Revoked a public key"),
    "client.add_api_key": _("Made an API key"),
    "client.revoke_api_key": _("Revoked an API key"),
    "client.address": _("Changed where notifications go"),
    "client.suspend": _("Suspended an API client"),
    "client.activate": _("Let an API client in again"),
    "client.test": _("Sent a test notification"),
    "notification.resend": _("Had a notification sent again"),
    "export.create": _("Exported a file"),
    "sandbox.create": _("Set up the sandbox"),
    "sandbox.update": _("Brought the sandbox in step"),
}

#: Kinds of what something was done to.
_SUBJECTS: Final[dict[str, Promise]] = {
    "payment": _("Payment"),
    "dispute": _("Dispute"),
    "store": _("Store"),
    "till": _("Till"),
    "person": _("Person"),
    "client": _("API client"),
    "notification": _("Notification"),
}

#: What is kept with an act.
_DETAILS: Final[dict[str, Promise]] = {
    "amount": _("Amount"),
    "approved_by": _("Approved by"),
    "currency": _("Currency"),
    "file": _("File"),
    "kind": _("Kind"),
    "outcome": _("Outcome"),
    "reason": _("Reason"),
    "role": _("Role"),
    "size": _("Paper size"),
    "which": _("Which one"),
    "why": _("Reason"),
}


def reason(code: str | None) -> str:
    """Why, in words: of one of our codes, of a chosen refund reason, or what somebody wrote."""
    if not code:
        return ""
    known = _REASONS.get(code)
    return refund_reason(code) if known is None else str(known)


def event(what: Happened) -> tuple[str, str]:
    """What happened, and whether it is good, bad or neither."""
    words, kind = _EVENTS[what]
    return str(words), kind


def client(client_ref: str | None, seller: str | None = None) -> str:
    """Who asked: a machine by its id, or people at a counter, by name if it is known."""
    if client_ref != STAFF:
        return client_ref or ""
    return gettext("%(name)s, at the counter") % {"name": seller} if seller else gettext("at the counter")


def doer(one: Doer) -> str:
    """Who did something by hand, and who approved it."""
    if one.approved_by is None:
        return one.name
    return gettext("%(name)s, approved by %(manager)s") % {"name": one.name, "manager": one.approved_by}


def posting(one: Posting) -> tuple[str, str, str]:
    """Of a line of the books: from where, to where, and how it stands."""
    return str(_ACCOUNTS[one.debit]), str(_ACCOUNTS[one.credit]), str(_PHASES[one.phase.value])


def notice(kind: str) -> str:
    """What a notification is about."""
    return str(_NOTICES.get(kind, kind))


def action(name: str) -> str:
    """What somebody did. A name that is not known, of an older record, is shown as it is."""
    return str(_ACTIONS.get(name, name))


def subject(kind: str) -> str:
    """What it was done to; a kind that is not known is shown as it is."""
    return str(_SUBJECTS.get(kind, kind))


def detail(name: str, value: Detail, logins: dict[str, str]) -> str:
    """What is kept with an act: its name and value in words, as far as there are any, and people by name."""
    said = str(value)
    if name == "role" and said in set(Role):
        said = role(Role(said))
    elif name == "outcome" and said == OK:
        said = gettext("Done")
    elif name in ("outcome", "why", "reason"):
        said = reason(said)
    elif name == "amount":
        said = _amount(said)
    elif name == "approved_by":
        said = logins.get(said, said)
    return gettext("%(what)s: %(value)s") % {"what": _DETAILS.get(name, name), "value": said}


def _amount(kept: str) -> str:
    """An amount as the record keeps it (10.00 EUR), in the page's language."""
    number, _blank, currency = kept.partition(" ")
    try:
        return money(Money.of(number, currency))
    except InvalidValue:
        return kept


def role(one: Role) -> str:
    """A role of a merchant's staff."""
    return str(_ROLES.get(one, one.value))
