"""`comptoir demo`: a small world to try Comptoir in, and its travellers.

`cast` names who lives there, `world` brings them into the database, `traveller` does what a traveller
does with a phone, `day` runs a shopping day through the official client. Nothing here is used outside
the demo world.
"""

from __future__ import annotations

import argparse
import importlib

HELP = "the demo world: payment codes, confirmations, statements, a whole shopping day"

_FORMS = ("18", "24")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parts = parser.add_subparsers(dest="part", metavar="what", required=True)
    parts.add_parser("seed", help="bring the demo world into the database; `comptoir up` does it")

    code = _travellers(parts, "code", "print a fresh payment code, and nothing else")
    code.add_argument("--form", choices=_FORMS, default="18", help="digits (default %(default)s)")
    order = _travellers(parts, "order", "scan a shop's order code, see the price, and pay with the PIN")
    order.add_argument("--code", required=True, help="the address of the code, or its 24 digits")
    order.add_argument("--pin", help="the payment PIN (asked for when it is not given)")
    confirm = _travellers(parts, "confirm", "approve what waits for the traveller")
    confirm.add_argument("--pin", help="the payment PIN (asked for when it is not given)")
    confirm.add_argument("--payment", metavar="ID", help="only this payment (default: all that wait)")
    decline = _travellers(parts, "decline", "refuse what waits for the traveller")
    decline.add_argument("--payment", metavar="ID", help="only this payment (default: all that wait)")
    agree = _travellers(
        parts, "agree", "scan a consent page, and let the shop debit without asking each time"
    )
    agree.add_argument("--code", required=True, help="the address of the page, or the code at its end")
    agree.add_argument("--pin", help="the payment PIN (asked for when it is not given)")
    agree.add_argument("--at-once", metavar="AMOUNT", help="at most so much in one payment")
    agree.add_argument("--a-day", metavar="AMOUNT", help="at most so much on a day in China")
    agree.add_argument("--decline", action="store_true", help="refuse instead")
    statement = _travellers(parts, "statement", "show the wallet and its newest movements")
    statement.add_argument("--lines", type=int, default=20, help="how many (default %(default)s)")

    day = parts.add_parser("day", help="a shopping day with the official client; needs `comptoir up --tls`")
    day.add_argument("--payments", type=int, default=200, help="how many (default %(default)s)")
    day.add_argument("--seed", type=int, default=1, help="the same seed plans the same day")
    day.add_argument("--threads", type=int, default=8, help="tills at work at once (default %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Do one part. Exit code 0: done; 1: refused; 2 (by ComptoirError): it could not be tried."""
    if arguments.part == "day":
        return int(importlib.import_module("comptoir.cli.demo.day").run(arguments))
    if arguments.part == "seed":
        return int(importlib.import_module("comptoir.cli.demo.world").run(arguments))
    return int(importlib.import_module("comptoir.cli.demo.traveller").run(arguments))


def _travellers(
    parts: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = parts.add_parser(name, help=text, description=text)
    parser.add_argument("--login", required=True, help="the traveller's login, as in demo.json")
    return parser
