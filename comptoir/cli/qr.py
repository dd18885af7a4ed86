"""`comptoir qr`: codes that hang in a shop: hang one up, draw it, take it down, explain a scanned one."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from comptoir.kernel.errors import ComptoirError, InvalidValue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from comptoir.acquiring.api import MerchantSummary, StoreSummary
    from comptoir.config.environment import Environment
    from comptoir.standards.emv_qr import (
        DataObject,
        MerchantCode,
        OtherLanguage,
        Profile,
        Template,
    )

HELP = "codes that hang in a shop: hang one up, draw it, take it down, explain a scanned one"


class FileUnusable(ComptoirError):
    """A file cannot be read or written, or its name does not say which picture it is to be."""

    code = "cli.file_unusable"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parts = parser.add_subparsers(dest="part", metavar="what", required=True)
    _configure_entry(parts)
    _configure_emv(parts)
    text = "explain a code that was scanned: every object, and what is wrong with it"
    read = parts.add_parser("read", help=text, description=text)
    read.add_argument("payload", help="the text of the code, in quotes")
    read.add_argument("--json", action="store_true", help="JSON instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Do one part. `read` needs no database, and exits 1 for a code that nobody could pay."""
    from comptoir.cli.database import open_database
    from comptoir.config.environment import read_environment

    if arguments.part == "read":
        return _read(arguments, read_environment())
    environment = open_database()
    {"entry": _entry, "withdraw": _withdraw, "emv": _emv}[arguments.part](arguments, environment)
    return 0


def _configure_entry(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    entry = _store_part(parts, "entry", "a store's entry code: travellers scan it, type the amount and pay")
    entry.add_argument("--client", required=True, help="the client of the merchant's that is notified")
    _add_out(entry)
    _store_part(parts, "withdraw", "take a store's entry code down for good; what it began goes on")


def _store_part(
    parts: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    """A part about one store and one currency."""
    parser = parts.add_parser(name, help=text, description=text)
    parser.add_argument("merchant", help="the merchant's public reference, such as M0000000001")
    parser.add_argument("--store", required=True, help="the store's reference")
    parser.add_argument("--currency", required=True, metavar="CUR", help="what is paid in")
    return parser


def _configure_emv(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "a store's static code of EMVCo, for the wallets of payment schemes that the merchant has joined"
    parser = _store_part(parts, "emv", text)
    parser.add_argument(
        "--account", action="append", nargs="+", required=True, metavar=("SCHEME", "ID=VALUE"),
        help="an account: a scheme of COMPTOIR_QR_TEMPLATES_FILE, and its members; may be repeated",
    )  # fmt: skip
    parser.add_argument("--amount", help="a fixed amount, such as 12.50 (default: the payer types it)")
    parser.add_argument("--reference", help="reference label, which comes back with the payment")
    parser.add_argument("--terminal", help="the till's reference")
    parser.add_argument("--name", help="to 25 characters of ASCII (default: the store's)")
    parser.add_argument("--city", help="to 15 characters of ASCII (default: the store's)")
    parser.add_argument(
        "--also",
        nargs="+",
        metavar=("LANGUAGE", "NAME"),
        help="name and city in a second language, such as zh",
    )
    _add_out(parser)


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="a picture: .svg or .png (default: the text)"
    )


def _entry(arguments: argparse.Namespace, environment: Environment) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.identity import api as identity
    from comptoir.kernel.clock import utc_now
    from comptoir.standards import entry_code

    merchant, store = _store(arguments)
    client = identity.client(arguments.client)
    if client is None or client.merchant_id != merchant.id:
        raise identity.ClientUnknown(
            f"merchant {merchant.ref} has no client {arguments.client}", field="--client"
        )
    ref = acquiring.issue_entry_code(
        merchant.id,
        store.id,
        entry_code.new_ref(),
        currency=arguments.currency,
        client_ref=client.client_ref,
        now=utc_now(),
    )
    _hand_out(entry_code.build(environment.public_url, ref), arguments.out)


def _withdraw(arguments: argparse.Namespace, environment: Environment) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.cli.show import say
    from comptoir.kernel.clock import utc_now

    merchant, store = _store(arguments)
    acquiring.withdraw_entry_code(merchant.id, store.id, arguments.currency, utc_now())
    say(f"Store {store.ref} has no entry code in {arguments.currency} any more. Take it off the wall.")


def _emv(arguments: argparse.Namespace, environment: Environment) -> None:
    from comptoir.kernel.money import Money
    from comptoir.standards import emv_qr

    _, store = _store(arguments)
    templates = {one.name: one for one in _templates(environment)}
    amount = Money.of(arguments.amount, arguments.currency).decimal() if arguments.amount else None
    labels = {
        emv_qr.STORE: store.ref,
        emv_qr.REFERENCE: arguments.reference,
        emv_qr.TERMINAL: arguments.terminal,
    }
    text = emv_qr.build(
        emv_qr.MerchantCode(
            accounts=tuple(_account(words, templates) for words in arguments.account),
            currency=arguments.currency,
            country=store.country,
            mcc=store.mcc,
            name=arguments.name or store.name,
            city=arguments.city or store.city,
            is_dynamic=False,
            amount=amount,
            additional=tuple(emv_qr.DataObject(key, label) for key, label in labels.items() if label),
            other_language=_other_language(arguments.also),
        )
    )
    _hand_out(text, arguments.out)


def _store(arguments: argparse.Namespace) -> tuple[MerchantSummary, StoreSummary]:
    """The merchant and the store that are named. Raises MerchantUnknown, StoreUnknown."""
    from comptoir.acquiring import api as acquiring

    merchant = acquiring.merchant_summary(arguments.merchant)
    for store in merchant.stores:
        if store.ref == arguments.store:
            return merchant, store
    raise acquiring.StoreUnknown(f"merchant {merchant.ref} has no store {arguments.store}", field="--store")


def _account(words: Sequence[str], templates: dict[str, Template]) -> DataObject:
    scheme, *given = words
    if scheme not in templates:
        known = ", ".join(templates) or "COMPTOIR_QR_TEMPLATES_FILE names none"
        raise InvalidValue(f"there is no template {scheme} ({known})", field="--account")
    values: dict[str, str] = {}
    for word in given:
        name, found, value = word.partition("=")
        if not found or name in values:
            raise InvalidValue(f"--account {scheme}: {word} is not ID=VALUE, each id once", field="--account")
        values[name] = value
    return templates[scheme].account(values)


def _other_language(words: Sequence[str] | None) -> OtherLanguage | None:
    from comptoir.standards import emv_qr

    if not words:
        return None
    if not 2 <= len(words) <= 3:
        raise InvalidValue("--also takes a language, a name and perhaps a city", field="--also")
    return emv_qr.OtherLanguage(*words)


def _hand_out(text: str, out: Path | None) -> None:
    """Print the text of a code, or draw it to a file."""
    from comptoir.cli.show import say
    from comptoir.standards import qr_code

    if out is None:
        print(text)
        return
    kinds = {f".{one.value}": one for one in qr_code.Picture}
    if out.suffix.lower() not in kinds:
        raise FileUnusable(f"{out} ends neither in .svg nor in .png", field="--out")
    try:
        out.write_bytes(qr_code.build(text, kinds[out.suffix.lower()]))
    except OSError as error:
        raise FileUnusable(f"{out} cannot be written: {error.strerror}", field="--out") from None
    say(f"{out} holds {text}")


def _templates(environment: Environment) -> tuple[Template, ...]:
    from comptoir.standards import emv_qr

    file = environment.qr_templates_file
    if file is None:
        return ()
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnusable(f"{file} cannot be read: {error}", field="COMPTOIR_QR_TEMPLATES_FILE") from None
    return emv_qr.parse_templates(text)


def _read(arguments: argparse.Namespace, environment: Environment) -> int:
    from comptoir.cli.show import print_json, say, table
    from comptoir.standards import emv_qr

    text = arguments.payload
    other = _other_kind(text, environment.public_url)
    if other:
        print_json({"kind": other}) if arguments.json else say(f"This is {other}.")
        return 0
    rows = [
        (path, emv_qr.spec_of(path).name, value) for path, value in emv_qr.walk(emv_qr.read_objects(text))
    ]
    profile, remarks = _judge(text, _templates(environment))
    if arguments.json:
        print_json(
            {
                "kind": "a code of EMVCo",
                "profile": profile.value if profile else None,
                "remarks": remarks,
                "objects": [{"object": path, "what": what, "value": value} for path, what, value in rows],
            }
        )
    else:
        table(("Object", "What it is", "Value"), rows)
        for remark in remarks:
            say(remark)
    return 0 if profile else 1


def _other_kind(text: str, public_url: str) -> str | None:
    """What a text is that is no code of EMVCo, if it is a code at all."""
    from comptoir.standards import entry_code, order_code, payment_code
    from comptoir.standards.payment_code import Scheme

    for parse, kind in ((entry_code.parse, "an entry code"), (order_code.parse, "an order code")):
        with suppress(InvalidValue):
            parse(text, public_url)
            return f"{kind} of this house"
    scheme = payment_code.classify(text)
    return None if scheme is Scheme.UNKNOWN else f"a payment code, by its digits of {scheme.value}"


def _judge(text: str, templates: Sequence[Template]) -> tuple[Profile | None, list[str]]:
    """The strictest profile that a payload keeps, if any, and what there is to say."""
    from comptoir.standards import emv_qr

    remarks = []
    for profile in (emv_qr.Profile.STRICT, emv_qr.Profile.LENIENT):
        try:
            code = emv_qr.parse(text, profile)
        except emv_qr.EmvQrMalformed as error:
            remarks.append(f"Not {profile.value}: {error.message}.")
        else:
            return profile, [*remarks, f"Good as {profile.value}.", *_say_code(code, templates)]
    return None, remarks


def _say_code(code: MerchantCode, templates: Sequence[Template]) -> list[str]:
    """What a good code asks for, and whose its accounts are."""
    from comptoir.standards import emv_qr

    asked = f"{code.amount:f} {code.currency}" if code.amount else f"an amount in {code.currency}"
    remarks = [f"Asks for {asked}."]
    for account in code.accounts:
        if not emv_qr.is_template(account.id):
            continue
        scheme = emv_qr.template_of(account, templates)
        if scheme is None:
            remarks.append(f"{account.id} is of no scheme in COMPTOIR_QR_TEMPLATES_FILE.")
            continue
        try:
            scheme.check(account)
        except emv_qr.EmvQrMalformed as error:
            remarks.append(f"{account.id} is of {scheme.name}, and wrong: {error.message}.")
        else:
            remarks.append(f"{account.id} is of {scheme.name}.")
    return remarks
