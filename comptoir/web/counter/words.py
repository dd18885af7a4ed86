"""What the counter says, in the page's language: of a payment, of a refusal, of what to do."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy

from comptoir.web.counter.outcomes import Advice, Reason, Refunded, Seen, Sight

#: In letters that are read from two metres.
TITLES: Final = {
    Sight.TO_SCAN: gettext_lazy("Let the customer scan"),
    Sight.TO_CONFIRM: gettext_lazy("Waiting for the customer"),
    Sight.NO_ANSWER: gettext_lazy("No answer yet"),
    Sight.HELD: gettext_lazy("Held"),
    Sight.PAID: gettext_lazy("Paid"),
    Sight.REFUSED: gettext_lazy("Not paid"),
    Sight.CANCELLED: gettext_lazy("Cancelled"),
    Sight.EXPIRED: gettext_lazy("Time is up"),
}

TEXTS: Final = {
    Sight.TO_SCAN: gettext_lazy("The customer scans this code with the wallet and confirms."),
    Sight.TO_CONFIRM: gettext_lazy("The customer has to confirm on the phone. Nothing is paid yet."),
    Sight.NO_ANSWER: gettext_lazy(
        "The wallet has not answered. It may be paid or not: do not take the payment again. We go on asking,"
        " and this page shows the answer. If the customer cannot wait, cancel: what was paid goes back."
    ),
    Sight.HELD: gettext_lazy("The money is held for the shop's own software to collect."),
    Sight.PAID: gettext_lazy("The money is yours. Hand over the goods."),
    Sight.CANCELLED: gettext_lazy("The customer pays nothing. What was paid went back."),
    Sight.EXPIRED: gettext_lazy("Nobody paid in time. Nothing was paid."),
}

REASONS: Final = {
    Reason.CODE_OLD: gettext_lazy("The code was too old."),
    Reason.CODE_USED: gettext_lazy("The code was used before."),
    Reason.CODE_WRONG: gettext_lazy("This is no code of a wallet that pays here."),
    Reason.TOO_LITTLE: gettext_lazy("There is not enough money in the wallet."),
    Reason.LIMIT: gettext_lazy("It is more than the wallet may pay."),
    Reason.DECLINED: gettext_lazy("The customer said no on the phone."),
    Reason.WALLET_LOCKED: gettext_lazy("The wallet is locked."),
    Reason.WALLET_SAYS_NO: gettext_lazy("The wallet said no."),
    Reason.AMOUNT_SMALL: gettext_lazy("The amount is too small."),
    Reason.AMOUNT_LARGE: gettext_lazy("The amount is too large."),
    Reason.NO_RATE: gettext_lazy("There is no exchange rate now."),
    Reason.SHOP_CLOSED: gettext_lazy("This shop cannot take this payment."),
}

ADVICE: Final = {
    Advice.FRESH_CODE: gettext_lazy("Ask the customer for a new code, and scan that."),
    Advice.ANOTHER_WAY: gettext_lazy("Ask the customer for another way to pay."),
    Advice.ASK_CUSTOMER: gettext_lazy("Ask the customer whether to try again."),
    Advice.CHECK_AMOUNT: gettext_lazy("Check the amount."),
    Advice.LATER: gettext_lazy("Try again in a few minutes, or ask for another way to pay."),
    Advice.CALL_MANAGER: gettext_lazy("Call your manager."),
}

REFUNDED: Final = {
    Refunded.GIVEN: gettext_lazy("The money went back to the customer."),
    Refunded.NO_ANSWER: gettext_lazy("The wallet has not answered yet. The refund goes on by itself."),
    Refunded.EXCEEDS: gettext_lazy("That is more than is left of this payment."),
    Refunded.TOO_LATE: gettext_lazy("The payment is too old to be refunded here."),
    Refunded.NO_MONEY: gettext_lazy("The shop is owed less than that. Refund it after the next sales."),
    Refunded.NOT_PAID: gettext_lazy("This payment is not paid, or was cancelled. Nothing can go back."),
    Refunded.ANOTHER: gettext_lazy("A refund was asked for from this page already. Look at it first."),
    Refunded.REFUSED: gettext_lazy("The refund was refused. Nothing went back."),
}

#: The same in a list.
NAMES: Final = TITLES | {
    Sight.TO_SCAN: gettext_lazy("Open"),
    Sight.TO_CONFIRM: gettext_lazy("Open"),
}

#: How a sight looks in a list: the badge's kind.
LOOKS: Final = {
    Sight.TO_SCAN: "info",
    Sight.TO_CONFIRM: "info",
    Sight.NO_ANSWER: "warn",
    Sight.HELD: "info",
    Sight.PAID: "good",
    Sight.REFUSED: "bad",
    Sight.CANCELLED: "",
    Sight.EXPIRED: "",
}

#: And its drawing in large: shape says what color says.
DRAWINGS: Final = {
    Sight.TO_SCAN: "qr",
    Sight.TO_CONFIRM: "phone",
    Sight.NO_ANSWER: "clock",
    Sight.HELD: "lock",
    Sight.PAID: "check",
    Sight.REFUSED: "cross",
    Sight.CANCELLED: "cross",
    Sight.EXPIRED: "clock",
}


def lines(shown: Seen) -> list[str]:
    """What stands below the title: why, and what to do."""
    if shown.reason is None:
        return [str(TEXTS[shown.sight])]
    return [str(REASONS[shown.reason]), str(ADVICE[shown.advice])]
