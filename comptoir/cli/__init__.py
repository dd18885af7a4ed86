"""The commands of `comptoir`: see `main.COMMANDS`, and `comptoir --help`.

One module per command, listed in `main.COMMANDS`, each with

    HELP: str                                            one line for `comptoir --help`
    configure(parser: argparse.ArgumentParser) -> None   its arguments
    run(arguments: argparse.Namespace) -> int            its work; the value is the exit code

The module's name is the command's name. A command imports what it needs inside `run`, so that
`comptoir --help` stays fast. Exit codes: 0 done, 1 the answer is no, 2 it could not be tried.
"""
