"""Wallets of others: whose code it is, and a scripted issuer that keeps (and breaks) the contract."""

from __future__ import annotations

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptoir.kernel.errors import InvariantBroken
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.standards.payment_code import Form, Scheme, build
from comptoir.wallet.api import (
    OWN_ISSUER,
    AnswerState,
    AuthoriseRequest,
    Authorization,
    IssuerAnswer,
    IssuerDirectory,
    IssuersInvalid,
    RefundRequest,
    errors,
    open_issuers,
)
from comptoir.wallet.connectors.directory import IssuerEntry
from tests.wallet.scripted_issuer import PRICE, Act, ScriptedIssuer
from tests.wallet.support import NOW

SUCCEEDED, FAILED, PENDING, UNKNOWN = (
    AnswerState.SUCCEEDED, AnswerState.FAILED, AnswerState.PENDING, AnswerState.UNKNOWN,
)  # fmt: skip
OWN_SHORT = build(Form.SHORT, 12_345_678, bytes(32), NOW, 0)
OWN_LONG = build(Form.ALIPAY_PLUS, 12_345_678, bytes(32), NOW, 0)
SCRIPTED = "tests.wallet.scripted_issuer.connect"


def directory(**claims: dict[str, Any]) -> IssuerDirectory:
    entries = {name: IssuerEntry(connector="", **claim) for name, claim in claims.items()}
    return IssuerDirectory(entries, {name: ScriptedIssuer(":memory:") for name in entries})


ISSUERS = directory(
    ALIPAY={"schemes": [Scheme.ALIPAY, Scheme.ALIPAY_PLUS, Scheme.ALIPAY_PLUS_19, Scheme.ALIPAY_PLUS_CGCP]},
    WECHAT={"schemes": [Scheme.WECHAT_PAY]},
    HONGKONG={"prefixes": ["2577", "281666"]},
    SCRIPTED={"prefixes": ["25779"]},
)


@pytest.mark.parametrize(
    ("code", "issuer"),
    [
        (OWN_SHORT, OWN_ISSUER),
        (OWN_LONG, OWN_ISSUER),
        ("287" + "0" * 15, OWN_ISSUER),
        ("25" + "0" * 16, "ALIPAY"),
        ("28" + "0" * 17, "ALIPAY"),
        ("289" + "0" * 10 + "6" + "0" * 5, "ALIPAY"),
        ("281666" + "02" + "0" * 16, "HONGKONG"),
        ("2577" + "0" * 14, "HONGKONG"),
        ("25779" + "0" * 13, "SCRIPTED"),
        ("13" + "0" * 16, "WECHAT"),
        ("62" + "0" * 17, None),  # UnionPay: nobody here takes it
        ("286688" + "04" + "0" * 16, None),  # a shop's order code is no payment code
        ("281666" + "04" + "0" * 16, None),
        ("", None),
        ("hello", None),
        ("2577", None),
        ("２５７７" + "0" * 14, None),
    ],
)
def test_whose_code_it_is(code: str, issuer: str | None) -> None:
    assert ISSUERS.route(code) == issuer


@given(st.text(alphabet="0123456789", max_size=30) | st.text(max_size=30))
def test_any_text_has_one_issuer_or_none(text: str) -> None:
    assert ISSUERS.route(text) in (None, OWN_ISSUER, "ALIPAY", "WECHAT", "HONGKONG", "SCRIPTED")


def test_without_a_table_only_our_own_codes_have_an_issuer() -> None:
    alone = open_issuers()
    assert (alone.route(OWN_SHORT), alone.route("25" + "0" * 16)) == (OWN_ISSUER, None)
    for name in (OWN_ISSUER, "ALIPAY"):
        with pytest.raises(IssuersInvalid):
            alone.connector(name)


@pytest.mark.parametrize(
    "claims",
    [
        {"A": {"prefixes": ["2577"]}, "B": {"prefixes": ["2577"]}},
        {"A": {"schemes": [Scheme.ALIPAY]}, "B": {"schemes": [Scheme.ALIPAY]}},
        {"A": {"prefixes": ["2"]}},
        {"A": {"prefixes": ["25a"]}},
        {"A": {"schemes": [Scheme.ALIPAY_PLUS_ORDER]}},
        {"A": {"schemes": [Scheme.UNKNOWN]}},
        {OWN_ISSUER: {}},
        {"lower": {}},
        {"": {}},
    ],
)
def test_a_table_that_cannot_be(claims: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(IssuersInvalid):
        directory(**claims)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"connector": "tests.wallet.nowhere.connect"},
        {"connector": SCRIPTED},
        {"connector": SCRIPTED, "options": {"key": "hunter2"}},
        {"connector": SCRIPTED, "options": {"path": "x"}, "prefix": ["25"]},
        {"connector": SCRIPTED, "options": {"path": "x"}, "schemes": ["hunter2"]},
    ],
)
def test_a_connector_that_is_not_there_is_named_and_its_options_are_not(members: dict[str, Any]) -> None:
    with pytest.raises(IssuersInvalid, match="REMOTE") as refused:
        open_issuers({"REMOTE": members})
    assert "hunter2" not in str(refused.value)


def test_the_table_makes_connectors(tmp_path: Path) -> None:
    table = {
        "REMOTE": {"connector": SCRIPTED, "options": {"path": str(tmp_path / "i")}, "schemes": ["wechat_pay"]}
    }
    issuers = open_issuers(table)
    assert issuers.route("13" + "0" * 16) == "REMOTE"
    assert isinstance(issuers.connector("REMOTE"), ScriptedIssuer)
    asyncio.run(issuers.aclose())


def test_an_answer_fails_with_a_reason_and_only_then() -> None:
    with pytest.raises(InvariantBroken):
        IssuerAnswer(state=FAILED)
    with pytest.raises(InvariantBroken):
        IssuerAnswer(state=SUCCEEDED, code=errors.DECLINED)


# ---------------------------------------------------------------- the scripted issuer

CODE = "257712345678901234"


@pytest.fixture
def issuer(tmp_path: Path) -> ScriptedIssuer:
    return ScriptedIssuer(tmp_path / "issuer.sqlite")


def ask(authorization_id: UUID | None = None, code: str = CODE) -> AuthoriseRequest:
    return AuthoriseRequest(
        authorization_id=authorization_id or new_id(),
        payment_id=new_id(),
        code=code,
        charge=Money(1000, "EUR"),
        payee="Chocolatier Leroy",
        merchant_ref="M1",
        mcc="5441",
        country="BE",
        expires_at=NOW + timedelta(minutes=10),
    )


def about(request: AuthoriseRequest) -> Authorization:
    return Authorization(
        authorization_id=request.authorization_id, charge=request.charge, expires_at=request.expires_at
    )


def test_a_request_does_not_print_its_code() -> None:
    assert CODE not in f"{ask()!r} {ask()}"


@pytest.mark.parametrize(
    ("authorise", "answered", "truth", "moved", "queried"),
    [
        (Act.PLAIN, SUCCEEDED, "paid", 1000, SUCCEEDED),
        (Act.REFUSE, FAILED, "failed", 0, FAILED),
        (Act.ASK, PENDING, "asked", 0, PENDING),
        (Act.LOST, UNKNOWN, None, 0, UNKNOWN),
        (Act.ANSWER_LOST, UNKNOWN, "paid", 1000, SUCCEEDED),
        (Act.LATE, UNKNOWN, "late", 0, SUCCEEDED),
        (Act.LIE_FAILED, FAILED, "paid", 1000, SUCCEEDED),
        (Act.LIE_SUCCEEDED, SUCCEEDED, None, 0, UNKNOWN),
    ],
)
async def test_what_is_answered_and_what_is_true(
    issuer: ScriptedIssuer,
    authorise: Act,
    answered: AnswerState,
    truth: str,
    moved: int,
    queried: AnswerState,
) -> None:
    issuer.script(CODE, authorise=[authorise])
    request = ask()
    assert (await issuer.authorise(request)).state is answered
    assert (issuer.truth(request.authorization_id), issuer.moved(request.authorization_id)) == (truth, moved)
    assert (await issuer.query(about(request))).state is queried


async def test_a_repeat_moves_nothing_again(issuer: ScriptedIssuer) -> None:
    issuer.script(CODE, authorise=[Act.ANSWER_LOST, Act.PLAIN])
    request = ask()
    states = [(await issuer.authorise(request)).state for _ in range(3)]
    assert states == [UNKNOWN, SUCCEEDED, SUCCEEDED]
    assert issuer.moved(request.authorization_id) == 1000
    assert issuer.authorizations(CODE) == [request.authorization_id]


@pytest.mark.parametrize(("approved", "state", "moved"), [(True, SUCCEEDED, 1000), (False, FAILED, 0)])
async def test_a_traveller_decides(
    issuer: ScriptedIssuer, approved: bool, state: AnswerState, moved: int
) -> None:
    issuer.script(CODE, authorise=[Act.ASK])
    request = ask()
    await issuer.authorise(request)
    issuer.decide(request.authorization_id, approved)
    issuer.decide(request.authorization_id, not approved)
    assert (await issuer.query(about(request))).state is state
    assert issuer.moved(request.authorization_id) == moved


@pytest.mark.parametrize("before", [Act.PLAIN, Act.ASK, Act.ANSWER_LOST, Act.LATE, Act.REFUSE, None])
async def test_a_reversal_undoes_whatever_there_was_and_bars_what_comes_late(
    issuer: ScriptedIssuer, before: Act | None
) -> None:
    request = ask()
    if before is not None:
        issuer.script(CODE, authorise=[before, Act.PLAIN])
        await issuer.authorise(request)
    for _ in range(2):
        assert (await issuer.reverse(about(request))).state is SUCCEEDED
    assert (await issuer.authorise(request)).state is FAILED
    assert (await issuer.query(about(request))).state is FAILED
    assert issuer.moved(request.authorization_id) == 0


async def test_refunds_never_exceed_the_charge(issuer: ScriptedIssuer) -> None:
    request = ask()
    await issuer.authorise(request)

    def back(minor: int) -> RefundRequest:
        return RefundRequest(
            refund_id=new_id(),
            authorization_id=request.authorization_id,
            issuer_ref="any",
            amount=Money(minor, "EUR"),
        )

    first = back(600)
    for _ in range(2):
        answer = await issuer.refund(first)
        assert (answer.state, answer.wallet_amount) == (SUCCEEDED, Money(600 * PRICE, "CNY"))
    assert (await issuer.refund(back(401))).state is FAILED
    assert (await issuer.refund(back(400))).state is SUCCEEDED
    assert issuer.moved(request.authorization_id) == 0


async def test_a_call_that_hangs_has_had_its_effect(issuer: ScriptedIssuer) -> None:
    issuer.script(CODE, authorise=[Act.HANG])
    request = ask()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(issuer.authorise(request), 0.05)
    assert issuer.truth(request.authorization_id) == "paid"


async def test_a_connector_that_breaks_did_nothing(issuer: ScriptedIssuer) -> None:
    issuer.script(CODE, authorise=[Act.BREAK])
    request = ask()
    with pytest.raises(RuntimeError):
        await issuer.authorise(request)
    assert issuer.truth(request.authorization_id) is None
    assert issuer.calls() == [("authorise", request.authorization_id, Act.BREAK)]


def _authorise_elsewhere(path: str, request: AuthoriseRequest) -> str:
    return asyncio.run(ScriptedIssuer(path).authorise(request)).state.value


def test_processes_see_one_issuer(issuer: ScriptedIssuer, tmp_path: Path) -> None:
    request, path = ask(), str(tmp_path / "issuer.sqlite")
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        calls = [pool.submit(_authorise_elsewhere, path, request) for _ in range(6)]
        assert [one.result() for one in calls] == ["succeeded"] * 6
    assert issuer.authorizations(CODE) == [request.authorization_id]
    assert len(issuer.calls()) == 6


def test_a_house_without_wallets_routes_codes_of_its_own_shape() -> None:
    entries = {"NEXT": IssuerEntry(connector="", prefixes=["28"])}
    connectors = {"NEXT": ScriptedIssuer(":memory:")}
    assert IssuerDirectory(entries, connectors).route(OWN_SHORT) == OWN_ISSUER
    assert IssuerDirectory(entries, connectors, own_wallets=False).route(OWN_SHORT) == "NEXT"
    assert IssuerDirectory({}, {}, own_wallets=False).route(OWN_SHORT) is None
