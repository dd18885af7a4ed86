"""Rule sets as data: TOML or JSON in, typed and checked rules out. Nothing of it is ever run.

sample = 1000                     # keep an entry of one passed payment in a thousand (default: none)

[[rules]]
id = "one-phone-many-payments"
action = "refuse"                 # or "ask_pin", or "flag"
per = "device"                    # wallet, device, merchant, terminal, issuer
payments = 20                     # at most
within = "1h"                     # minutes (m), hours (h) or days (d)

[[rules]]
id = "large-at-night"
action = "ask_pin"
currency = "EUR"
above = "300.00"
hours = "22:00-06:00"
zone = "Europe/Brussels"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Annotated, Any, NoReturn, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from comptoir.kernel.errors import ComptoirError
from comptoir.kernel.money import Money, exponent
from comptoir.risk.errors import RulesInvalid
from comptoir.risk.rules.counting import LONGEST_WINDOW, grain_for
from comptoir.risk.types import Action, Limit, Rule, Scope

#: What a rule set may hold. Every rule is looked at for every payment, so there are not thousands.
MOST_RULES = 200
MOST_NAMED = 50_000
LARGEST_FILE = 8 * 1024 * 1024

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
_WITHIN = re.compile(r"([1-9][0-9]{0,5})([mhd])")
_UNIT = {"m": 60, "h": 3_600, "d": 86_400}

Id = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Text = Annotated[str, Meta(min_length=1, max_length=200)]
Names = Annotated[list[Text], Meta(min_length=1)]
T = TypeVar("T")


class RuleSource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A rule as it is written; see `Rule` for what the members mean. `note` is for people."""

    id: Id
    action: Action
    note: Annotated[str, Meta(max_length=500)] = ""
    wallets: Annotated[list[UUID], Meta(min_length=1)] | None = None
    devices: Annotated[list[int], Meta(min_length=1)] | None = None
    merchants: Names | None = None
    terminals: Names | None = None
    issuers: Names | None = None
    mccs: Annotated[list[Annotated[str, Meta(pattern=r"^[0-9]{4}$")]], Meta(min_length=1)] | None = None
    countries: Annotated[list[Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]], Meta(min_length=1)] | None = None
    currency: Text | None = None
    above: Text | None = None
    up_to: Text | None = None
    hours: Text | None = None
    days: Annotated[list[Text], Meta(min_length=1)] | None = None
    zone: Text | None = None
    per: Scope | None = None
    within: Text | None = None
    payments: Annotated[int, Meta(ge=0, le=10**9)] | None = None
    amount: Text | None = None


class RuleSetSource(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A whole file."""

    rules: Annotated[list[RuleSource], Meta(max_length=MOST_RULES)] = []
    sample: Annotated[int, Meta(ge=0, le=10**9)] = 0


def read(text: bytes) -> RuleSetSource:
    """A rule file, TOML or (when it begins with a brace) JSON. Raises RulesInvalid.

    What is returned has been checked whole: `compiled` makes rules of it.
    """
    if len(text) > LARGEST_FILE:
        raise RulesInvalid(f"a rule file has at most {LARGEST_FILE // 1024 // 1024} MiB")
    try:
        content = text.decode("utf-8")
        raw = msgspec.json.decode(text) if content.lstrip().startswith("{") else tomllib.loads(content)
    except (UnicodeDecodeError, msgspec.DecodeError, tomllib.TOMLDecodeError) as error:
        raise RulesInvalid(f"the file is neither TOML nor JSON: {error}") from None
    return checked(raw)


def checked(raw: Any) -> RuleSetSource:
    """A rule set from plain values, its types and its rules checked. Raises RulesInvalid."""
    try:
        source = msgspec.convert(raw, RuleSetSource)
    except msgspec.ValidationError as error:
        raise RulesInvalid(str(error)) from None
    compiled(source)
    return source


def plain(source: RuleSetSource) -> dict[str, Any]:
    """A rule set as plain values, as it is stored and shown; `checked` reads it again."""
    values: dict[str, Any] = msgspec.to_builtins(source)
    return values


def compiled(source: RuleSetSource) -> tuple[Rule, ...]:
    """The rules of a set, in order. Raises RulesInvalid, naming rule and member."""
    rules = tuple(_rule(one) for one in source.rules)
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise RulesInvalid(f"two rules are called {rule.id}", field="id")
        seen.add(rule.id)
    named = sum(
        len(names)
        for rule in rules
        for names in (rule.wallets, rule.devices, rule.merchants, rule.terminals, rule.issuers)
    )
    if named > MOST_NAMED:
        raise RulesInvalid(f"a rule set names at most {MOST_NAMED:,} wallets, phones, merchants and tills")
    return rules


def _rule(one: RuleSource) -> Rule:
    if all(
        getattr(one, name) is None for name in one.__struct_fields__ if name not in ("id", "action", "note")
    ):
        raise RulesInvalid(f"rule {one.id} has no condition: it would concern every payment", field="id")
    if one.currency is not None:
        _said(one, "currency", exponent, one.currency)
    for till in one.terminals or ():
        if till.count("/") < 2:
            _wrong(one, "terminals", f"{till} is not merchant/store/till")
    return Rule(
        id=one.id,
        action=one.action,
        wallets=frozenset(one.wallets or ()),
        devices=frozenset(one.devices or ()),
        merchants=frozenset(one.merchants or ()),
        terminals=frozenset(one.terminals or ()),
        issuers=frozenset(one.issuers or ()),
        mccs=frozenset(one.mccs or ()),
        countries=frozenset(one.countries or ()),
        currency=one.currency,
        above=_minor(one, "above"),
        up_to=_minor(one, "up_to"),
        hours=_hours(one),
        days=frozenset(_day(one, day) for day in one.days or ()),
        zone=_zone(one),
        limit=_limit(one),
    )


def _limit(one: RuleSource) -> Limit | None:
    """The limit, all of it or none: per, within, and either payments or amount."""
    given = [name for name in ("per", "within", "payments", "amount") if getattr(one, name) is not None]
    if not given:
        return None
    if one.per is None or one.within is None:
        _wrong(one, "within", "a limit needs per and within")
    if (one.payments is None) == (one.amount is None):
        _wrong(one, "payments", "a limit is either of payments or of an amount")
    found = _WITHIN.fullmatch(one.within)
    window = int(found[1]) * _UNIT[found[2]] if found else 0
    if not 0 < window <= LONGEST_WINDOW:
        _wrong(one, "within", "a window is such as 10m, 1h or 7d, at most 31d")
    amount = _minor(one, "amount")
    most = amount if amount is not None else one.payments or 0
    return Limit(per=one.per, window=window, grain=grain_for(window), most=most, of_amount=amount is not None)


def _minor(one: RuleSource, name: str) -> int | None:
    """An amount in minor units of the rule's currency; zero is one."""
    text = getattr(one, name)
    if text is None:
        return None
    if one.currency is None:
        _wrong(one, name, "an amount needs a currency beside it")
    minor = _said(one, name, lambda given: Money.of(given, one.currency or "").minor, text)
    if minor < 0:
        _wrong(one, name, "an amount is not below zero")
    return minor


def _hours(one: RuleSource) -> tuple[int, int] | None:
    if one.hours is None:
        return None
    found = _HOURS.fullmatch(one.hours)
    if found is None:
        _wrong(one, "hours", "hours are such as 22:00-06:00")
    start, end = (int(found[i]) * 60 + int(found[i + 1]) for i in (1, 3))
    if start == end:
        _wrong(one, "hours", "hours begin and end at different times")
    return start, end


def _day(one: RuleSource, day: str) -> int:
    if day not in _DAYS:
        _wrong(one, "days", f"a day is one of {', '.join(_DAYS)}")
    return _DAYS.index(day)


def _zone(one: RuleSource) -> str:
    timed = one.hours is not None or one.days is not None
    if timed != (one.zone is not None):
        _wrong(one, "zone", "hours and days need a zone beside them, and a zone needs them")
    if one.zone is None:
        return "UTC"
    try:
        return ZoneInfo(one.zone).key
    except (LookupError, ValueError, OSError):
        _wrong(one, "zone", "a zone is one of the IANA database, such as Europe/Brussels")


def _said(one: RuleSource, name: str, parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except (ComptoirError, ValueError) as error:
        _wrong(one, name, str(error))


def _wrong(one: RuleSource, name: str, why: str) -> NoReturn:
    raise RulesInvalid(f"rule {one.id}, {name}: {why}", field=name)
