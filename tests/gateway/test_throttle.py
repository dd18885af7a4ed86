"""A client has its rate; nobody else's requests count against it."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from comptoir.config.environment import read_environment
from comptoir.gateway.throttle import Throttle
from tests.gateway.conftest import BODY, CLIENT, Till, build


class Clock:
    """Stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(throttle: Throttle, client: str = "A", most: int = 1000) -> int:
    """How many requests pass before one does not."""
    return next((n for n in range(most) if not throttle.admits(client)), most)


def test_a_burst_of_two_seconds_and_then_the_rate() -> None:
    clock = Clock()
    throttle = Throttle(10, clock=clock)
    assert taken(throttle) == 20
    clock.now = 0.5
    assert taken(throttle) == 5
    clock.now = 1000.0
    assert taken(throttle) == 20


def test_one_client_takes_nothing_from_another() -> None:
    throttle = Throttle(10, clock=Clock())
    assert taken(throttle, "A") == 20
    assert taken(throttle, "B") == 20


def test_zero_is_no_limit() -> None:
    assert taken(Throttle(0), most=5000) == 5000


def test_the_memory_is_bounded() -> None:
    throttle = Throttle(10, capacity=3, clock=Clock())
    for name in "ABCDE":
        throttle.admits(name)
    assert sorted(throttle._buckets) == ["C", "D", "E"]


async def test_the_door_asks_who_is_over_the_rate_to_come_again_and_hands_nothing_over(
    till: Till, platform_key: rsa.RSAPrivateKey
) -> None:
    house = build(till, platform_key, client_per_second=1)
    results = [till.check(await house.post())["resultCode"] for _ in range(4)]
    assert results == ["SUCCESS", "SUCCESS", "REQUEST_TRAFFIC_EXCEED_LIMIT", "REQUEST_TRAFFIC_EXCEED_LIMIT"]
    assert len(house.fake.calls) == 2
    other = await house.post(headers=till.headers(BODY, client_id="SANDBOX_" + CLIENT))
    assert till.check(other, client_id="SANDBOX_" + CLIENT)["resultCode"] == "SUCCESS"


async def test_who_only_uses_a_clients_name_uses_up_nothing_of_it(
    till: Till, platform_key: rsa.RSAPrivateKey
) -> None:
    house = build(till, platform_key, client_per_second=1)
    for _ in range(10):
        forged = await house.post(headers=till.headers(BODY, key=till.keys[9]))
        assert till.check(forged)["resultCode"] == "INVALID_SIGNATURE"
    assert till.check(await house.post())["resultCode"] == "SUCCESS"


@pytest.mark.parametrize(("given", "rate"), [(None, 1000), ("0", 0), ("25", 25)])
def test_the_rate_of_the_environment(given: str | None, rate: int) -> None:
    variables = {} if given is None else {"COMPTOIR_CLIENT_RATE": given}
    assert read_environment(variables).client_rate == rate
