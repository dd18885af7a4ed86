"""Steady load while gateways, worker and database are killed -9, one after the other and together."""

from __future__ import annotations

import os
import signal

import pytest

from comptoir.cli.processes import is_alive
from tests.api.conftest import Site
from tests.api.load import Load
from tests.api.support import pause
from tests.cli.processes import wait_for
from tests.flows.merchant_server import Merchant

pytestmark = pytest.mark.slow


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
        house.hurry("notify.", leases=True)
        wait_for(lambda: (house.hurry("notify."), house.outbox("notify.payment", done=False) == 0)[1], 60)
        told = {one.message["paymentRequestId"] for one in server.heard}
        # Also of those that failed, because their code had run out before they could be sent again.
        assert told == {one.ref for one in load.asked if one.name == "pay"}
    logs = b"".join(one.log.read_bytes() for one in house.servers) + site.postgres.log_file.read_bytes()
    codes = [one.body["paymentMethod"]["paymentMethodId"] for one in load.asked if one.name == "pay"]
    assert not [code for code in codes if code.encode() in logs], "a payment code is in a log"


def healthy(load: Load, count: int = 25) -> None:
    """Wait for so many more successes."""
    before = load.answered
    wait_for(lambda: load.answered >= before + count, 40)
