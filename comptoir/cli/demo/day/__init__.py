"""`comptoir demo day`: a shopping day through the front door, with the official SDK as the client.

`plan` says what happens, `till` is the shops' side, `phones` the travellers', `receiver` takes the
notifications, `stories` brings them together, `report` shows what came of it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from comptoir.cli.demo.world import use_demo_variables
from comptoir.kernel.errors import ComptoirError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from comptoir.cli.demo.day.phones import Phones
    from comptoir.cli.demo.day.plan import Story
    from comptoir.cli.demo.day.receiver import Receiver
    from comptoir.cli.demo.day.stories import Journal, Scene
    from comptoir.cli.demo.day.till import Till

#: How long the last notifications may take to come.
_NOTICE_SECONDS: Final = 30.0


class DayImpossible(ComptoirError):
    """The day cannot begin; the message says what is missing."""

    code = "demo.day_impossible"


def run(arguments: argparse.Namespace) -> int:
    """Play the day. Exit code 0 when every story ended as planned and the books agree, 1 otherwise."""
    from comptoir.cli.database import open_database

    if importlib.util.find_spec("com") is None or importlib.util.find_spec("com.alipay") is None:
        raise DayImpossible(
            "the official SDK is not installed: it is a development dependency, `make test` or `make bench` "
            "installs it (package global-open-sdk-python)"
        )
    if arguments.payments < 1 or not 1 <= arguments.threads <= 64:
        raise DayImpossible("--payments is at least 1, --threads is 1 to 64")
    use_demo_variables()
    environment = open_database()
    demo = _running(environment.home)
    os.environ["SSL_CERT_FILE"] = demo["ca_file"]
    return _day(arguments, demo)


def _running(home: Path) -> dict[str, Any]:
    """demo.json of a running `comptoir up --tls`. Raises DayImpossible, saying what to do."""
    import ssl

    try:
        demo: dict[str, Any] = json.loads((home / "demo.json").read_text())
    except FileNotFoundError:
        raise DayImpossible(f"nothing runs on {home}: start `comptoir up --tls` first") from None
    if not demo["tls"]:
        raise DayImpossible("the official SDK only speaks TLS: start with `comptoir up --tls`")
    port = urlsplit(demo["tls"]).port or 443
    if port != 443:
        raise DayImpossible(
            f"TLS is on port {port}, but the official Python SDK always connects to port 443, whatever "
            "address it is given: start `comptoir up --tls` without --tls-port"
        )
    try:
        context = ssl.create_default_context(cafile=demo["ca_file"])
        urllib.request.urlopen(f"{demo['tls']}/healthz", timeout=5, context=context).close()  # noqa: S310
    except OSError as error:
        raise DayImpossible(
            f"{demo['tls']} does not answer ({error}): is `comptoir up --tls` running?"
        ) from None
    return demo


def _day(arguments: argparse.Namespace, demo: dict[str, Any]) -> int:
    from rich.console import Console

    from comptoir.cli.demo.day import report
    from comptoir.cli.demo.day.phones import Phones
    from comptoir.cli.demo.day.plan import plan
    from comptoir.cli.demo.day.receiver import Receiver
    from comptoir.cli.demo.day.stories import Journal
    from comptoir.cli.verify import show
    from comptoir.config.environment import read_environment
    from comptoir.flows.api import verify_books
    from comptoir.kernel.clock import utc_now

    # A terminal has its own width; a file or a pipe gets one in which every table fits.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    journal = Journal()
    pins = {one["login"]: one["pin"] for one in demo["people"] if one["role"] == "traveller"}
    phones = Phones(read_environment(), pins)
    phones.fill_wallets()
    before, began = report.owed_by_the_books(), utc_now()
    with Receiver({one["client_id"]: one["platform_public_key"] for one in demo["clients"]}) as receiver:
        tills = _tills(demo, receiver)
        surprises = _play_all(arguments, plan(arguments.payments, arguments.seed), tills, phones, journal)
        missing = _wait_for_notices(console, journal, receiver)
    earned = {ref: now - before[ref] for ref, now in report.owed_by_the_books().items()}
    surprises += report.show_shops(console, journal.sales, earned)
    report.show_refusals(console, journal.sales)
    report.show_travellers(console, began)
    _show_figures(console, journal, receiver, sum(till.requests for till in tills.values()), began)
    if missing:
        surprises.append(f"{missing} notifications did not come")
    if receiver.forged:
        surprises.append(f"{len(receiver.forged)} notifications had a signature that does not verify")
    books = verify_books()
    show(books)
    for one in surprises:
        console.print(f"[red]Surprise:[/] {one}", soft_wrap=True)
    return 0 if books.holds and not surprises else 1


def _tills(demo: dict[str, Any], receiver: Receiver) -> dict[str, Till]:
    """A till for each client, by client id."""
    from comptoir.cli.demo.day.till import Till

    return {
        one["client_id"]: Till(one, demo["tls"], receiver.url(one["client_id"])) for one in demo["clients"]
    }


def _play_all(
    arguments: argparse.Namespace,
    stories: list[Story],
    tills: dict[str, Till],
    phones: Phones,
    journal: Journal,
) -> list[str]:
    """Play all stories on a few threads, with a progress bar; what did not end as planned, in words."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from comptoir.cli.demo.day.stories import Scene

    surprises = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress, ThreadPoolExecutor(arguments.threads) as threads:
        bar = progress.add_task("Shopping", total=sum(one.payments for one in stories))
        scenes = [Scene(one, tills[one.merchant.client_id], phones, journal) for one in stories]
        playing = {threads.submit(_play, scene): scene.story for scene in scenes}
        for done in as_completed(playing):
            if (surprise := done.result()) is not None:
                surprises.append(surprise)
            progress.advance(bar, playing[done].payments)
    return surprises


def _play(scene: Scene) -> str | None:
    """Play one story in a thread; what was surprising about it, or None."""
    from django.db import connection

    from comptoir.cli.demo.day.stories import play

    story = scene.story
    try:
        play(scene)
    except Exception as error:  # one customer's trouble is not the day's
        return f"{story.number}, {story.merchant.name}, {story.kind.value}: {type(error).__name__} {error}"
    finally:
        connection.close()
    return None


def _wait_for_notices(console: Console, journal: Journal, receiver: Receiver) -> int:
    """Wait until everything was told that has to be; how many are missing when time is up."""
    deadline = time.monotonic() + _NOTICE_SECONDS
    with console.status("Waiting for the last notifications ..."):
        while journal.told - set(receiver.verified) and time.monotonic() < deadline:
            time.sleep(0.2)
    return len(journal.told - set(receiver.verified))


def _show_figures(
    console: Console, journal: Journal, receiver: Receiver, requests: int, began: datetime
) -> None:
    from comptoir.kernel.clock import utc_now

    seconds = (utc_now() - began).total_seconds()
    console.print(
        f"{len(journal.sales)} payments and {journal.refunds} refunds in {requests} signed requests, "
        f"{seconds:.0f} seconds. Notifications: {len(receiver.verified)} received and verified, "
        f"{len(receiver.forged)} with a bad signature."
    )
