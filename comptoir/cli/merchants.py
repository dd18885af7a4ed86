"""`comptoir merchants`: bring merchants in: who they are, what was agreed, where they sell."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from comptoir.acquiring.api import ContractView, MerchantSummary

HELP = "bring merchants in: register, agree on and change terms, add stores and tills, suspend, list"


_PERIODS = (
    ("--in-store-expiry", 600, "seconds a payment at the counter stays open"),
    ("--online-expiry", 840, "seconds an online payment stays open"),
    ("--refund-days", 365, "days in which refunds are taken"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parts = parser.add_subparsers(dest="part", metavar="what", required=True)
    _configure_add(_part(parts, "add", "register a merchant; it takes payments once it has a contract"))
    _configure_contract(_part(parts, "contract", "agree on terms for one settlement currency"))
    _configure_change(_part(parts, "change", "change terms of a contract, for payments from now on"))
    store = _part(parts, "store", "add a place where the merchant sells")
    store.add_argument("--ref", required=True, help="the merchant's own name for it")
    store.add_argument("--name", required=True, help="as travellers read it")
    store.add_argument("--city", required=True)
    store.add_argument("--mcc", help="category of ISO 18245 (default: the merchant's)")
    store.add_argument("--country", help="two letters (default: the merchant's)")
    store.add_argument("--time-zone", help="where its days begin and end (default: that of the country)")
    terminal = _part(parts, "terminal", "add a till to a store")
    terminal.add_argument("--store", required=True, help="the store's reference")
    terminal.add_argument("--ref", required=True, help="the till's reference")
    _part(parts, "suspend", "take no more payments; what was taken can still be refunded")
    _part(parts, "activate", "let a suspended merchant take payments again")
    listed = parts.add_parser("list", help="show all merchants", description="show all merchants")
    listed.add_argument("--json", action="store_true", help="JSON instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Do one part. What is refused (exit 2) changed nothing."""
    from comptoir.cli.database import open_database

    open_database()
    parts = {
        "add": _add,
        "contract": _contract,
        "change": _change,
        "store": _store,
        "terminal": _terminal,
        "suspend": _suspend,
        "activate": _activate,
        "list": _list,
    }
    parts[arguments.part](arguments)
    return 0


def _part(
    parts: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = parts.add_parser(name, help=text, description=text)
    parser.add_argument("merchant", help="the merchant's public reference, such as M0000000001")
    return parser


def _configure_add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", required=True, help="as travellers read it")
    parser.add_argument("--mcc", required=True, help="merchant category of ISO 18245, four digits")
    parser.add_argument("--country", required=True, help="ISO 3166-1 alpha-2, two capital letters")
    parser.add_argument(
        "--sandbox",
        action="store_true",
        help="a test merchant, for SANDBOX_ clients: only simulated wallets pay",
    )
    parser.add_argument("--office", metavar="ID", help="the office that brings it in (default: the operator)")


def _configure_contract(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--settle", required=True, metavar="CUR", help="currency it is paid out in")
    parser.add_argument(
        "--take", action="append", metavar="CUR", help="currency it may charge in; may be repeated"
        " (default: the settlement currency)",
    )  # fmt: skip
    parser.add_argument(
        "--margin-bps", type=int, required=True, help="traveller's margin in hundredths of a percent, to 1000"
    )
    parser.add_argument(
        "--overdraft", default="0", metavar="AMOUNT", help="how far refunds may take what is owed below zero"
    )
    for name, default, text in _PERIODS:
        parser.add_argument(name, type=int, default=default, help=f"{text} (default %(default)s)")


def _configure_change(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--settle", required=True, metavar="CUR", help="which contract: its currency")
    parser.add_argument(
        "--take",
        action="append",
        metavar="CUR",
        help="currency it may charge in; may be repeated: all of them",
    )
    parser.add_argument(
        "--margin-bps", type=int, help="traveller's margin in hundredths of a percent, to 1000"
    )
    for name, _, text in _PERIODS:
        only = "; never fewer than before" if name == "--refund-days" else ""
        parser.add_argument(name, type=int, help=text + only)


def _add(arguments: argparse.Namespace) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.cli.show import say
    from comptoir.kernel.clock import utc_now
    from comptoir.kernel.ids import OPERATOR, new_id, parse_id

    merchant_id = new_id()
    acquiring.register_merchant(
        merchant_id,
        office_id=parse_id(arguments.office, "--office") if arguments.office else OPERATOR,
        ref=arguments.merchant,
        name=arguments.name,
        mcc=arguments.mcc,
        country=arguments.country,
        now=utc_now(),
        sandbox=arguments.sandbox,
    )
    kind = "Test merchant" if arguments.sandbox else "Merchant"
    say(f"{kind} {arguments.merchant} is registered, id {merchant_id.hex}. It has no contract yet.")


def _contract(arguments: argparse.Namespace) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.cli.show import say
    from comptoir.kernel.clock import utc_now
    from comptoir.kernel.money import Money

    merchant = acquiring.merchant_summary(arguments.merchant)
    taken = arguments.take or [arguments.settle]
    acquiring.open_contract(
        merchant.id,
        settlement_currency=arguments.settle,
        payment_currencies=taken,
        margin_bps=arguments.margin_bps,
        overdraft=Money.of(arguments.overdraft, arguments.settle).minor,
        in_store_expiry_s=arguments.in_store_expiry,
        online_expiry_s=arguments.online_expiry,
        refund_window_days=arguments.refund_days,
        now=utc_now(),
    )
    say(
        f"Merchant {merchant.ref} takes {', '.join(taken)} and is owed {arguments.settle}, "
        f"with a margin of {arguments.margin_bps} basis points."
    )


def _change(arguments: argparse.Namespace) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.cli.show import say

    merchant = acquiring.merchant_summary(arguments.merchant)
    terms = acquiring.change_contract(
        merchant.id,
        settlement_currency=arguments.settle,
        payment_currencies=arguments.take,
        margin_bps=arguments.margin_bps,
        in_store_expiry_s=arguments.in_store_expiry,
        online_expiry_s=arguments.online_expiry,
        refund_window_days=arguments.refund_days,
    )
    say(
        f"Merchant {merchant.ref}: {_terms(terms)}; payments stay open {terms.in_store_expiry_s} s at the "
        f"counter, {terms.online_expiry_s} s online; refunds are taken for {terms.refund_window_days} days."
    )


def _store(arguments: argparse.Namespace) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.cli.show import say
    from comptoir.kernel.clock import utc_now
    from comptoir.kernel.ids import new_id

    merchant = acquiring.merchant_summary(arguments.merchant)
    store_id = new_id()
    acquiring.add_store(
        merchant.id,
        store_id,
        ref=arguments.ref,
        name=arguments.name,
        mcc=arguments.mcc or merchant.mcc,
        city=arguments.city,
        country=arguments.country or merchant.country,
        now=utc_now(),
        time_zone=arguments.time_zone,
    )
    say(f"Merchant {merchant.ref} sells at {arguments.ref}, id {store_id.hex}.")


def _terminal(arguments: argparse.Namespace) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.cli.show import say
    from comptoir.kernel.clock import utc_now
    from comptoir.kernel.ids import new_id

    merchant = acquiring.merchant_summary(arguments.merchant)
    stores = {one.ref: one.id for one in merchant.stores}
    if arguments.store not in stores:
        raise acquiring.StoreUnknown(
            f"merchant {merchant.ref} has no store {arguments.store}", field="--store"
        )
    acquiring.add_terminal(merchant.id, new_id(), stores[arguments.store], ref=arguments.ref, now=utc_now())
    say(f"Store {arguments.store} of merchant {merchant.ref} has a till {arguments.ref}.")


def _suspend(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import say

    _set_status(arguments.merchant, "suspended")
    say(f"Merchant {arguments.merchant} is suspended: from now on its payments are refused.")


def _activate(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import say

    _set_status(arguments.merchant, "active")
    say(f"Merchant {arguments.merchant} is active.")


def _set_status(ref: str, status: str) -> UUID:
    from comptoir.acquiring import api as acquiring

    merchant = acquiring.merchant_summary(ref)
    acquiring.set_status(merchant.id, status)
    return merchant.id


def _list(arguments: argparse.Namespace) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.cli.show import print_json, table

    merchants = acquiring.merchant_summaries()
    if arguments.json:
        print_json([_as_json(one) for one in merchants])
        return
    table(
        ("Merchant", "Name", "Country", "Category", "State", "Contracts", "Stores and tills"),
        [
            (
                one.ref,
                one.name,
                one.country,
                one.mcc,
                "active" if one.active else "suspended",
                "\n".join(map(_terms, one.contracts)) or "none",
                "\n".join(f"{store.ref}: {', '.join(store.terminals) or 'no till'}" for store in one.stores),
            )
            for one in merchants
        ],
    )


def _terms(contract: ContractView) -> str:
    taken = ", ".join(contract.payment_currencies)
    return f"{taken} for {contract.settlement_currency}, {contract.margin_bps} bps"


def _as_json(one: MerchantSummary) -> dict[str, Any]:
    return {
        "merchant": one.ref,
        "id": one.id.hex,
        "name": one.name,
        "mcc": one.mcc,
        "country": one.country,
        "office_id": one.office_id.hex,
        "active": one.active,
        "contracts": [
            {
                "settle": contract.settlement_currency,
                "take": list(contract.payment_currencies),
                "margin_bps": contract.margin_bps,
                "in_store_expiry": contract.in_store_expiry_s,
                "online_expiry": contract.online_expiry_s,
                "refund_days": contract.refund_window_days,
            }
            for contract in one.contracts
        ],
        "stores": [
            {
                "ref": store.ref,
                "id": store.id.hex,
                "name": store.name,
                "mcc": store.mcc,
                "city": store.city,
                "country": store.country,
                "time_zone": store.time_zone,
                "terminals": list(store.terminals),
            }
            for store in one.stores
        ],
    }
