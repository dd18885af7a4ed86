"""Steady load while gateways, worker and database are killed -9, one after the other and together."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from random import Random

import pytest

from comptoir.cli.processes import is_alive
from tests.api.conftest import Site
from tests.api.load import Load
from tests.api.support import pause
from tests.cli.processes import wait_for
from tests.flows.merchant_server import Merchant

pytestmark = pytest.mark.slow

#: How long one after the other is killed, and which.
KILL_SECONDS = float(os.environ.get("KILL_SECONDS", "45"))
KILL_SEED = os.environ.get("KILL_SEED", "1")


def kill_postgres(site: Site) -> None:
    """kill -9 of the postmaster: no checkpoint, no goodbye; its children notice and go."""
    pid = site.postgres.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not site.postgres.running or not is_alive(pid))


def test_nothing_that_was_answered_is_lost_and_nothing_is_done_twice(site: Site) -> None:
    """After every kill and restart the next payments succeed; in the end the whole load is proven.

    Every success that was answered is in the books exactly once and is answered the same again; every
    request without an answer, sent again with its id, is done once; `verify` holds; and the shop has
    been told of every payment.
    """
    house = site.house
    travellers = [house.traveller(100_000_000, phones=90) for _ in range(3)]
    with Merchant() as server:
        shop = house.shop(notify_url=server.url)
        load = Load(house, shop, travellers)
        first, second, worker = house.servers
        with load.running():
            healthy(load)
            for gateway in (first, second):
                gateway.kill()
                pause(0.3)
                gateway.start()
                healthy(load)
            worker.kill()
            pause(0.3)
            worker.start()
            first.stop()  # in order, as in a rolling update
            first.start()
            for _ in range(2):
                kill_postgres(site)
                pause(0.3)
                site.postgres.ensure()
                healthy(load)
            first.kill()
            second.kill()
            worker.kill()
            kill_postgres(site)
            site.postgres.ensure()
            for one in house.servers:
                one.start()
            healthy(load)
        assert load.kinds()[None] > 0
        load.prove()
        all_are_told(site, load, server)
    no_code_is_in_a_log(site, load)


def test_one_of_them_is_killed_every_few_seconds(site: Site) -> None:
    """Any of two gateways and a worker that is up; a supervisor starts it again and the tills try again.

    No answer is lost: each request has a final one in the end. All else as above. `KILL_SECONDS` makes it
    longer, `KILL_SEED` other.
    """
    house, rng = site.house, Random(KILL_SEED)
    fen = int(10_000_000 + 2_000_000 * KILL_SECONDS)
    travellers = [house.traveller(fen, phones=90) for _ in range(3)]
    killed: Counter[int] = Counter()
    with Merchant() as server:
        load = Load(house, house.shop(notify_url=server.url), travellers, patience=300)
        with load.running():
            healthy(load)
            ends = time.monotonic() + KILL_SECONDS
            while time.monotonic() < ends:
                if victims := [number for number, one in enumerate(house.servers) if one.up]:
                    victim = rng.choice(victims)
                    house.servers[victim].kill()
                    house.servers[victim].launch()
                    killed[victim] += 1
                pause(rng.uniform(2, 3))
            wait_for(lambda: all(one.up for one in house.servers))
            healthy(load)
        print(f"{sum(killed.values())} kills {dict(killed)}, {len(load.asked)} requests {load.kinds()}")
        assert load.unanswered == set()
        load.prove()
        all_are_told(site, load, server)
    no_code_is_in_a_log(site, load)


def all_are_told(site: Site, load: Load, server: Merchant) -> None:
    """The shop hears of every payment, also of those that failed because their code had run out."""
    house = site.house
    house.hurry("notify.", leases=True)
    wait_for(lambda: (house.hurry("notify."), house.outbox("notify.payment", done=False) == 0)[1])
    told = {one.message["paymentRequestId"] for one in server.heard}
    assert told == {one.ref for one in load.asked if one.name == "pay"}


def no_code_is_in_a_log(site: Site, load: Load) -> None:
    logs = b"".join(one.log.read_bytes() for one in site.house.servers) + site.postgres.log_file.read_bytes()
    codes = {one.body["paymentMethod"]["paymentMethodId"] for one in load.asked if one.name == "pay"}
    assert not [code for code in codes if code.encode() in logs], "a payment code is in a log"


def healthy(load: Load, count: int = 25) -> None:
    """Wait for so many more successes."""
    before = load.answered
    wait_for(lambda: load.answered >= before + count)
