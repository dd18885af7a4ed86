"""Rule files: what they may say, and that what is wrong with them is named."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from comptoir.risk.errors import RulesInvalid
from comptoir.risk.rules.reading import MOST_RULES, checked, compiled, plain, read
from comptoir.risk.types import Action, Limit, Rule, Scope

FULL = b"""
sample = 1000

[[rules]]
id = "one-phone"
action = "refuse"
note = "a stolen phone"
per = "device"
payments = 20
within = "1h"

[[rules]]
id = "night"
action = "ask_pin"
currency = "EUR"
above = "300.00"
up_to = "1000"
hours = "22:00-06:00"
days = ["fri", "sat"]
zone = "Europe/Brussels"
countries = ["BE", "FR"]
mccs = ["5944"]
issuers = ["COMPTOIR"]

[[rules]]
id = "blocked"
action = "refuse"
terminals = ["M0000000001/S1/T1"]

[[rules]]
id = "much"
action = "flag"
merchants = ["M0000000001"]
devices = [12345678]
wallets = ["0190c0de-0000-7000-8000-000000000001"]
currency = "JPY"
per = "merchant"
amount = "500000"
within = "7d"
"""


def test_a_file_is_read_into_typed_rules() -> None:
    rules = compiled(read(FULL))
    assert [rule.id for rule in rules] == ["one-phone", "night", "blocked", "much"]
    assert rules[0] == Rule(
        id="one-phone",
        action=Action.REFUSE,
        limit=Limit(per=Scope.DEVICE, window=3600, grain=60, most=20),
    )
    night = rules[1]
    assert (night.above, night.up_to, night.hours, night.days) == (300_00, 1000_00, (1320, 360), {4, 5})
    assert rules[3].limit == Limit(
        per=Scope.MERCHANT, window=604_800, grain=86_400, most=500_000, of_amount=True
    )


def test_json_says_the_same_and_what_is_stored_reads_back() -> None:
    source = read(FULL)
    assert source.sample == 1000
    assert read(json.dumps(plain(source)).encode()) == source
    assert checked(plain(source)) == source


def rule(**members: object) -> bytes:
    return json.dumps({"rules": [{"id": "r", "action": "refuse", **members}]}).encode()


LIMIT = {"per": "wallet", "within": "1h", "payments": 3}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b"rules = ", "neither TOML nor JSON"),
        (b"\xff", "neither TOML nor JSON"),
        (b'{"rules": 1}', "$.rules"),
        (b'{"rulez": []}', "rulez"),
        (rule(command="rm"), "command"),
        (rule(), "no condition"),
        (rule(id="Not An Id", mccs=["5944"]), "id"),
        (rule(action="explode", mccs=["5944"]), "action"),
        (rule(mccs=["594"]), "mccs"),
        (rule(mccs=[]), "mccs"),
        (rule(countries=["be"]), "countries"),
        (rule(wallets=["me"]), "wallets"),
        (rule(devices=["12345678"]), "devices"),
        (rule(terminals=["T1"]), "terminals"),
        (rule(above="1.00"), "currency"),
        (rule(currency="EURO", above="1.00"), "currency"),
        (rule(currency="EUR", above="1.001"), "above"),
        (rule(currency="EUR", above="-1"), "above"),
        (rule(currency="EUR", above="much"), "above"),
        (rule(hours="22:00-06:00"), "zone"),
        (rule(hours="22:00-22:00", zone="UTC"), "hours"),
        (rule(hours="24:00-06:00", zone="UTC"), "hours"),
        (rule(days=["someday"], zone="UTC"), "days"),
        (rule(days=["mon"], zone="Europe/Atlantis"), "zone"),
        (rule(days=["mon"], zone="../../etc/passwd"), "zone"),
        (rule(mccs=["5944"], zone="UTC"), "zone"),
        (rule(**LIMIT | {"per": "planet"}), "per"),
        (rule(per="wallet", payments=3), "within"),
        (rule(within="1h", payments=3), "within"),
        (rule(per="wallet", within="1h"), "payments"),
        (rule(**LIMIT, currency="EUR", amount="1"), "payments"),
        (rule(**LIMIT | {"within": "32d"}), "within"),
        (rule(**LIMIT | {"within": "0h"}), "within"),
        (rule(**LIMIT | {"within": "1 hour"}), "within"),
        (rule(**LIMIT | {"payments": -1}), "payments"),
        (rule(per="wallet", within="1h", amount="5"), "currency"),
    ],
)
def test_what_is_wrong_is_named(text: bytes, named: str) -> None:
    with pytest.raises(RulesInvalid) as refused:
        read(text)
    assert named in f"{refused.value.message} {refused.value.field}"


def test_rules_have_names_of_their_own_and_there_are_not_thousands() -> None:
    one = {"id": "r", "action": "flag", "mccs": ["5944"]}
    with pytest.raises(RulesInvalid, match="two rules are called r"):
        read(json.dumps({"rules": [one, one]}).encode())
    many = [one | {"id": f"r{number}"} for number in range(MOST_RULES + 1)]
    with pytest.raises(RulesInvalid, match="rules"):
        read(json.dumps({"rules": many}).encode())
    assert compiled(read(b"")) == ()


def test_the_rules_on_the_page_are_rules() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operating" / "risk.md").read_text("utf-8")
    [shown] = re.findall(r"^```toml\n(.+?)^```$", page, re.MULTILINE | re.DOTALL)
    source = read(shown.encode())
    assert [one.action for one in source.rules] == [Action.REFUSE, Action.ASK_PIN, Action.REFUSE]
    assert f"{MOST_RULES} is the most" in (
        Path(__file__).parents[2] / "docs" / "decisions" / "0029-risk-rules-are-data.md"
    ).read_text("utf-8")
