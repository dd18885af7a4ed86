"""`comptoir worker`: do what nobody asks for: notify merchants, close payments whose time is up, tidy up."""

from __future__ import annotations

import argparse
import asyncio
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comptoir.config.environment import Environment

HELP = "notify merchants, close payments whose time is up; any number of workers may run"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command has no arguments: the environment says everything (see config/environment.py)."""


def run(arguments: argparse.Namespace) -> int:
    """Work until SIGTERM or SIGINT; what is under way is finished first, for up to ten seconds."""
    import django

    from comptoir.cli.logs import log_as_json
    from comptoir.config.environment import read_environment

    environment = read_environment()
    environment.require_master_key()
    django.setup()
    log_as_json()
    asyncio.run(_work(environment))
    return 0


async def _work(environment: Environment) -> None:
    from comptoir.config.observers import Observers
    from comptoir.flows.api import Desk
    from comptoir.flows.worker import Worker, jobs
    from comptoir.kernel.clock import utc_now
    from comptoir.wallet.api import configured_issuers

    observers = Observers.of(environment)
    desk = Desk(environment.fx_max_age_days)
    issuers = await configured_issuers(environment.public_url)
    work = jobs(
        clock=utc_now,
        desk=desk,
        issuers=issuers,
        notify_private=environment.notify_private,
        fx_fetch=environment.fx_fetch,
        watch=observers.watch,
    )
    worker = Worker(work, environment.database_url, utc_now, observers.watch)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        worker.stop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)  # a second signal ends the process at once

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        async with observers.showing():
            await worker.run()
    finally:
        await issuers.aclose()
