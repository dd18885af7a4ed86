"""The entry point `comptoir`: finds the command and runs it."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from comptoir.kernel.errors import ComptoirError

#: Every command, in the order of the help text. Each is a module of this package: see its docstring.
COMMANDS = (
    "up", "serve", "worker", "migrate", "backup", "restore", "verify", "books", "rates", "merchants",
    "clients", "people", "wallets", "keys", "issuers", "risk", "disputes", "qr", "demo",
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. A ComptoirError is one line on stderr and exit code 2."""
    words = list(sys.argv[1:] if argv is None else argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comptoir.config.settings")
    arguments = _parser(words[:1]).parse_args(words)
    command = _module(arguments.command)
    try:
        result = int(command.run(arguments))
        sys.stdout.flush()
        return result
    except ComptoirError as error:
        print(f"comptoir {arguments.command}: {error.message}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python must not try to write the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130


def _parser(first: list[str]) -> argparse.ArgumentParser:
    """The parser; only the wanted command is imported, or all of them when help is wanted."""
    parser = argparse.ArgumentParser(
        prog="comptoir", description="Sell to China and be paid by its wallets, over one set of books."
    )
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name in first if first and first[0] in COMMANDS else COMMANDS:
        module = _module(name)
        module.configure(commands.add_parser(name, help=module.HELP, description=module.HELP))
    return parser


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"comptoir.cli.{name}")


if __name__ == "__main__":
    sys.exit(main())
