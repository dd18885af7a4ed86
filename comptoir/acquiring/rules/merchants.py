"""Which contract holds, and what merchants and their contracts may be."""

from __future__ import annotations

import re

from comptoir.acquiring import errors
from comptoir.acquiring.errors import MerchantInvalid, Refused
from comptoir.acquiring.rules.payments import LONGEST_EXPIRY
from comptoir.acquiring.types import ContractView, MerchantView
from comptoir.kernel.errors import InvalidValue
from comptoir.standards import time_zones

#: The most a contract's traveller margin may be: ten percent, in hundredths of a percent.
LARGEST_MARGIN_BPS = 1000
_REF = re.compile(r"[A-Za-z0-9._-]{1,32}")
_MCC = re.compile(r"[0-9]{4}")
_COUNTRY = re.compile(r"[A-Z]{2}")


def check_active(merchant: MerchantView | None) -> MerchantView:
    """The merchant, if it is one that may take payments. Raises Refused."""
    if merchant is None:
        raise Refused("the merchant is not registered", code=errors.MERCHANT_UNKNOWN)
    if not merchant.active:
        raise Refused("the merchant is not active", code=errors.MERCHANT_INACTIVE)
    return merchant


def contract_for(
    merchant: MerchantView | None, currency: str, settlement_currency: str | None
) -> ContractView:
    """The contract under which this merchant may charge in `currency`. Raises Refused."""
    merchant = check_active(merchant)
    wanted = [c for c in merchant.contracts if settlement_currency in (None, c.settlement_currency)]
    if not wanted:
        raise Refused(
            f"no contract settles in {settlement_currency}",
            code=errors.SETTLEMENT_NOT_CONTRACTED,
            field="settlementStrategy.settlementCurrency",
        )
    if settlement_currency is None and len(wanted) > 1:
        same = [c for c in wanted if c.settlement_currency == currency]
        if not same:
            raise Refused(
                "several contracts hold: name the settlement currency",
                code=errors.SETTLEMENT_NOT_CONTRACTED,
                field="settlementStrategy.settlementCurrency",
            )
        wanted = same
    if currency not in wanted[0].payment_currencies:
        raise Refused(
            f"the contract does not take {currency}",
            code=errors.CURRENCY_NOT_SUPPORTED,
            field="paymentAmount.currency",
        )
    return wanted[0]


def check_ref(ref: str) -> str:
    """A merchant's public reference: 1 to 32 letters, digits, dots, dashes, underscores.

    Raises MerchantInvalid.
    """
    if not _REF.fullmatch(ref):
        raise MerchantInvalid(
            "a merchant's reference is 1 to 32 letters, digits, dots, dashes or underscores", field="ref"
        )
    return ref


def check_label(text: str, field: str, longest: int) -> str:
    """A name for people or a reference of the merchant's own: trimmed, printable. Raises MerchantInvalid."""
    cleaned = text.strip()
    if not 1 <= len(cleaned) <= longest or not cleaned.isprintable():
        raise MerchantInvalid(f"{field} has 1 to {longest} printable characters", field=field)
    return cleaned


def check_mcc(mcc: str) -> str:
    """A merchant category code of ISO 18245: four digits. Raises MerchantInvalid."""
    if not _MCC.fullmatch(mcc):
        raise MerchantInvalid("a merchant category code (ISO 18245) has four digits", field="mcc")
    return mcc


def check_country(country: str) -> str:
    """A country code of ISO 3166-1 alpha-2: two capital letters. Raises MerchantInvalid."""
    if not _COUNTRY.fullmatch(country):
        raise MerchantInvalid("a country (ISO 3166-1 alpha-2) is two capital letters", field="country")
    return country


def check_time_zone(name: str) -> str:
    """The name of a time zone of the IANA database. Raises MerchantInvalid."""
    try:
        return time_zones.validate(name)
    except InvalidValue as error:
        raise MerchantInvalid(error.message, field="time_zone") from None


def check_terms(
    margin_bps: int, in_store_expiry_s: int, online_expiry_s: int, refund_window_days: int, overdraft: int
) -> None:
    """Refuse terms that no contract may have. Seconds, days, minor units. Raises MerchantInvalid."""
    longest = int(LONGEST_EXPIRY.total_seconds())
    if not 0 <= margin_bps <= LARGEST_MARGIN_BPS:
        raise MerchantInvalid(f"a margin is 0 to {LARGEST_MARGIN_BPS} basis points", field="margin_bps")
    if not (0 < in_store_expiry_s <= longest and 0 < online_expiry_s <= longest):
        raise MerchantInvalid(f"a payment lives 1 to {longest} seconds", field="expiry_s")
    if not 0 < refund_window_days <= 3650:
        raise MerchantInvalid("refunds are taken for 1 to 3650 days", field="refund_window_days")
    if overdraft < 0:
        raise MerchantInvalid("an overdraft is not below zero", field="overdraft")
