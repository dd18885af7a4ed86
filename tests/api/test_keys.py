"""Keys are changed while shops pay, and nobody notices: ours, a merchant's, and the master key."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.conf import settings
from django.db import connections

from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.standards.antom import signing
from tests.api.balancer import Balancer
from tests.api.load import SUCCESS, Load
from tests.api.support import ROOT, House, Server, Traveller, pause
from tests.api.test_operations import healthy
from tests.cli.processes import wait_for
from tests.flows.merchant_server import Merchant

pytestmark = pytest.mark.slow

NEW = base64.b64encode(bytes(range(32, 64))).decode()


@pytest.fixture
def pair(house: House) -> Iterator[list[Server]]:
    """Two gateways of the test's own, which drain."""
    gateways = [house.gateway(drain=6) for _ in range(2)]
    yield gateways
    for one in gateways:
        one.stop()
        house.servers.remove(one)
    del house.ports[-2:]


def comptoir(house: House, *command: str, **variables: str) -> str:
    """What an operator types, on this house's database."""
    done = subprocess.run(
        [sys.executable, "-m", "comptoir.cli.main", *command],
        env=house._environment(variables), cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_another_platform_key_signs_answers_and_notifications(house: House) -> None:
    """Made, given to the merchants, used: every answer verifies by the key it names, before and after."""
    old = identity.platform_key()
    comptoir(house, "keys", "add")
    made = identity.platform_keys()[0]
    known = {one.version: signing.public_key_from_der(one.public_key) for one in identity.platform_keys()}
    assert identity.platform_key().version == old.version
    house.platform_key = known  # of the module's other tests too: they are answered by whichever signs
    travellers = two(house)
    with Merchant() as server:
        shop = house.shop(notify_url=server.url)
        load = Load(house, shop, travellers, hands=3)
        with load.running(pause=0.1):
            healthy(load)
            assert answers_by(load, 6) == old.version
            comptoir(house, "keys", "use", str(made.version))
            wait_for(lambda: answers_by(load, 6) == made.version)
            healthy(load)
        assert set(load.kinds()) == {SUCCESS}, load.kinds()
        load.prove()
        for n in range(15):
            if told_by(server) == made.version:
                break
            shop.till.pay(f"N{n}", travellers[0].code())
            pause(2)
        assert told_by(server) == made.version


def two(house: House) -> list[Traveller]:
    """Three hands with a pause of 0.1 s use up 900 codes in half a minute; these have 1,200."""
    return [house.traveller(100_000_000, phones=60) for _ in range(2)]


def answers_by(load: Load, newest: int) -> int | None:
    """The key that signed all of the newest answers, if it was one."""
    versions = {one.answer.key_version for one in load.asked[-newest:] if one.answer}
    return versions.pop() if len(versions) == 1 else None


def told_by(server: Merchant) -> int | None:
    """The key that signed the last notification."""
    return signing.parse_header(server.heard[-1].headers["signature"]).key_version if server.heard else None


def test_a_merchant_changes_its_key_without_a_pause(house: House) -> None:
    travellers = two(house)
    shop = house.shop()
    load = Load(house, shop, travellers, hands=3)
    with load.running(pause=0.1):
        healthy(load)
        fresh = signing.generate_key()
        public = signing.export_public_key(fresh.public_key())
        version = identity.add_key(shop.till.client_ref, public, now=utc_now())
        pause_for_memories(load)
        shop.till = replace(shop.till, key=fresh, key_version=version)
        healthy(load)
        identity.revoke_key(shop.till.client_ref, 1, now=utc_now())
        pause_for_memories(load)
        healthy(load)
    assert set(load.kinds()) == {SUCCESS}, load.kinds()
    load.prove()


def pause_for_memories(load: Load) -> None:
    """Gateways remember a client for three seconds: so long nothing may depend on the change."""
    pause(3.5)
    healthy(load, 3)


def test_the_master_key_is_changed_without_a_pause(house: House, pair: list[Server]) -> None:
    """Both keys to everybody; the new one in front; seal everything again; the old one away."""
    old = base64.b64encode(settings.COMPTOIR.require_master_key()).decode()
    ports = house.ports[-2:]
    travellers = two(house)

    def restart_all(balancer: Balancer, keys: str) -> None:
        for gateway, port in zip(pair, ports, strict=True):
            gateway.terminate()
            wait_for(lambda gateway=gateway: not gateway.running)  # type: ignore[misc]
            gateway._environment["COMPTOIR_MASTER_KEY"] = keys
            gateway.start()
            wait_for(lambda port=port: balancer.sends_to(port))  # type: ignore[misc]

    with Balancer(ports) as balancer:
        shop = house.shop(ports=[balancer.port])
        load = Load(house, shop, travellers, hands=3)
        with load.running(pause=0.1):
            healthy(load)
            restart_all(balancer, f"1:{old},2:{NEW}")
            restart_all(balancer, f"2:{NEW},1:{old}")
            said = comptoir(house, "keys", "reseal", COMPTOIR_MASTER_KEY=f"2:{NEW},1:{old}")
            assert "no other is needed" in said
            healthy(load)
            restart_all(balancer, f"2:{NEW}")
            healthy(load)
        assert set(load.kinds()) == {SUCCESS}, load.kinds()
        load.prove()
    connections.close_all()
    # Back again, for the module's other tests: the same way.
    assert "no other is needed" in comptoir(house, "keys", "reseal", COMPTOIR_MASTER_KEY=f"1:{old},2:{NEW}")
