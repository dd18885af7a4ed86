"""Opening, limiting, freezing, filling and closing wallets, each seen in the books too."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection, transaction
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from comptoir.config.environment import EnvironmentInvalid, read_environment
from comptoir.kernel.errors import ComptoirError
from comptoir.kernel.ids import OPERATOR, new_id
from comptoir.kernel.money import Money
from comptoir.ledger import api as ledger
from comptoir.ledger.api import Role, account_id
from comptoir.wallet import api as wallet
from comptoir.wallet.api import (
    CNY_LIMITS,
    CurrencyUnfit,
    Limits,
    LimitsUnfit,
    PinUnfit,
    TopUpConflict,
    TopUpUnfit,
    WalletExists,
    WalletInactive,
    WalletNotEmpty,
    WalletState,
    WalletUnknown,
)
from comptoir.wallet.models import Wallet, WalletCredit
from tests.wallet.support import NOW, PIN, cny, make_wallet

pytestmark = pytest.mark.usefixtures("module_database")


def available(wallet_id: UUID) -> int:
    return wallet.wallet_summary(wallet_id, NOW).available.minor


def funding(currency: str = "CNY") -> int:
    return ledger.balance(account_id(OPERATOR, Role.WALLET_FUNDING, currency)).posted


def state(wallet_id: UUID) -> WalletState:
    return wallet.wallet_summary(wallet_id, NOW).wallet.state


def test_a_new_wallet_is_empty_active_and_limited() -> None:
    holder, wallet_id = new_id(), new_id()
    wallet.open_wallet(wallet_id, holder, "李娜", pin=PIN, now=NOW)
    summary = wallet.wallet_summary(wallet_id, NOW)
    assert summary.available == cny(0)
    assert summary.wallet == wallet.WalletView(
        id=wallet_id,
        holder_id=holder,
        display_name="李娜",
        currency="CNY",
        state=WalletState.ACTIVE,
        no_pin_limit=CNY_LIMITS.no_pin,
        payment_limit=CNY_LIMITS.payment,
        day_limit=CNY_LIMITS.day,
        spent=0,
    )
    assert wallet.wallets_of(holder) == (wallet_id,)


def test_opening_again_changes_nothing() -> None:
    holder, wallet_id = new_id(), new_id()
    wallet.open_wallet(wallet_id, holder, "李娜", pin=PIN, now=NOW)
    wallet.top_up(new_id(), wallet_id, cny(5), NOW)
    wallet.open_wallet(wallet_id, holder, "someone", pin="918273", now=NOW)
    wallet.check_pin(wallet_id, PIN, NOW)
    assert wallet.wallet_summary(wallet_id, NOW).wallet.display_name == "李娜"
    assert available(wallet_id) == 5
    with pytest.raises(WalletExists):
        wallet.open_wallet(wallet_id, new_id(), "李娜", pin=PIN, now=NOW)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"currency": "EUR"}, CurrencyUnfit),
        ({"currency": "???"}, CurrencyUnfit),
        ({"pin": "111111"}, PinUnfit),
        ({"limits": Limits(no_pin=2, payment=1, day=3)}, LimitsUnfit),
    ],
)
def test_a_wallet_that_cannot_be_leaves_nothing_behind(
    change: dict[str, object], error: type[ComptoirError]
) -> None:
    wallet_id = new_id()
    given: dict[str, object] = {"pin": PIN, "now": NOW} | change
    with pytest.raises(error):
        wallet.open_wallet(wallet_id, new_id(), "李娜", **given)  # type: ignore[arg-type]
    assert not Wallet.objects.filter(id=wallet_id).exists()
    with pytest.raises(ledger.AccountUnknown):
        ledger.balance(account_id(wallet_id, Role.WALLET, "CNY"))


def test_another_home_currency_by_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "COMPTOIR", replace(settings.COMPTOIR, wallet_currencies=("CNY", "JPY")))
    wallet_id, limits = new_id(), Limits(no_pin=5000, payment=100_000, day=300_000)
    with pytest.raises(LimitsUnfit):
        wallet.open_wallet(wallet_id, new_id(), "田中", pin=PIN, now=NOW, currency="JPY")
    wallet.open_wallet(wallet_id, new_id(), "田中", pin=PIN, now=NOW, currency="JPY", limits=limits)
    wallet.top_up(new_id(), wallet_id, Money(1200, "JPY"), NOW)
    assert wallet.wallet_summary(wallet_id, NOW).available == Money(1200, "JPY")
    assert funding("JPY") == 1200


@pytest.mark.parametrize(
    ("text", "currencies"),
    [("", ("CNY",)), ("CNY", ("CNY",)), ("HKD, CNY,JPY", ("HKD", "CNY", "JPY")), ("none", ())],
)
def test_the_environment_names_the_home_currencies(text: str, currencies: tuple[str, ...]) -> None:
    assert read_environment({"COMPTOIR_WALLET_CURRENCIES": text}).wallet_currencies == currencies


@pytest.mark.parametrize("text", ["cny", "CNY,", "RMB", "CNY;HKD"])
def test_the_environment_may_not_name_what_is_no_currency(text: str) -> None:
    with pytest.raises(EnvironmentInvalid) as refused:
        read_environment({"COMPTOIR_WALLET_CURRENCIES": text})
    assert refused.value.field == "COMPTOIR_WALLET_CURRENCIES"


def test_a_top_up_is_in_the_books_and_in_the_statement() -> None:
    wallet_id, before = make_wallet(), funding()
    credit_id = new_id()
    wallet.top_up(credit_id, wallet_id, cny(123_45), NOW, "Bank of China 4711")
    assert available(wallet_id) == 123_45
    assert funding() - before == 123_45
    (line,) = wallet.movements(wallet_id).movements
    assert (line.id, line.kind, line.at, line.amount, line.note) == (
        credit_id, wallet.MovementKind.TOP_UP, NOW, cny(123_45), "Bank of China 4711",
    )  # fmt: skip


def test_a_repeated_top_up_posts_once_also_when_racing() -> None:
    wallet_id, credit_id = make_wallet(), new_id()
    start = threading.Barrier(8)
    done: list[int] = []

    def post() -> None:
        start.wait()
        try:
            wallet.top_up(credit_id, wallet_id, cny(100), NOW)
            done.append(available(wallet_id))
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert done == [100] * 8
    with pytest.raises(TopUpConflict):
        wallet.top_up(credit_id, wallet_id, cny(101), NOW)
    assert available(wallet_id) == 100
    assert WalletCredit.objects.filter(wallet_id=wallet_id).count() == 1


@pytest.mark.parametrize("amount", [cny(0), cny(-1), cny(10**16), Money(100, "EUR")])
def test_an_unfit_top_up_moves_nothing(amount: Money) -> None:
    wallet_id, before = make_wallet(), funding()
    with pytest.raises(TopUpUnfit):
        wallet.top_up(new_id(), wallet_id, amount, NOW)
    assert (available(wallet_id), funding()) == (0, before)
    assert not WalletCredit.objects.filter(wallet_id=wallet_id).exists()


def test_a_top_up_of_no_wallet_moves_nothing() -> None:
    make_wallet()
    before = funding()
    with pytest.raises(WalletUnknown):
        wallet.top_up(new_id(), new_id(), cny(1), NOW)
    assert funding() == before


def test_a_top_up_the_books_refuse_leaves_no_credit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credit and its posting stand or fall together."""
    wallet_id, credit_id = make_wallet(), new_id()
    monkeypatch.setattr(WalletCredit.objects, "create", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        wallet.top_up(credit_id, wallet_id, cny(7), NOW)
    assert available(wallet_id) == 0
    monkeypatch.undo()
    wallet.top_up(credit_id, wallet_id, cny(7), NOW)
    assert available(wallet_id) == 7


@effort(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-5, 10**6)), max_size=12))
def test_whatever_is_posted_the_books_and_the_statement_agree(tops: list[tuple[int, int]]) -> None:
    """Ids repeat (0 to 3), amounts may be unfit: what is accepted is there once, in both places."""
    wallet_id, before, ids = make_wallet(), funding(), [new_id() for _ in range(4)]
    accepted: dict[int, int] = {}
    for which, amount in tops:
        try:
            wallet.top_up(ids[which], wallet_id, cny(amount), NOW)
        except TopUpUnfit:
            assert amount <= 0
        except TopUpConflict:
            assert accepted[which] != amount
        else:
            assert accepted.setdefault(which, amount) == amount
    total = sum(accepted.values())
    assert (available(wallet_id), funding() - before) == (total, total)
    assert sum(line.amount.minor for line in wallet.movements(wallet_id).movements) == total


def test_limits_are_replaced() -> None:
    wallet_id, limits = make_wallet(), Limits(no_pin=1, payment=2, day=3)
    wallet.set_limits(wallet_id, limits)
    with pytest.raises(LimitsUnfit):
        wallet.set_limits(wallet_id, Limits(no_pin=9, payment=2, day=3))
    view = wallet.wallet_summary(wallet_id, NOW).wallet
    assert (view.no_pin_limit, view.payment_limit, view.day_limit) == (1, 2, 3)


def test_a_frozen_wallet_receives_and_does_not_pay() -> None:
    wallet_id = make_wallet(1000)
    for _ in range(2):
        wallet.freeze(wallet_id)
        assert state(wallet_id) is WalletState.FROZEN
    wallet.top_up(new_id(), wallet_id, cny(1), NOW)
    view = wallet.wallet_summary(wallet_id, NOW).wallet
    assert wallet.decide(view, cny(1), True) == wallet.errors.WALLET_INACTIVE
    for _ in range(2):
        wallet.unfreeze(wallet_id)
        assert state(wallet_id) is WalletState.ACTIVE
    assert available(wallet_id) == 1001


def test_a_wallet_closes_when_it_is_empty_and_stays_closed() -> None:
    wallet_id = make_wallet(1)
    number = wallet.enroll_device(wallet_id, "phone", NOW).number
    with pytest.raises(WalletNotEmpty):
        wallet.close(wallet_id)
    assert state(wallet_id) is WalletState.ACTIVE
    assert wallet.devices_of(wallet_id)[0].active
    empty(wallet_id, 1)
    for _ in range(2):
        wallet.close(wallet_id)
    assert state(wallet_id) is WalletState.CLOSED
    assert [(one.number, one.active) for one in wallet.devices_of(wallet_id)] == [(number, False)]
    refused: list[Callable[[], None]] = [
        lambda: wallet.freeze(wallet_id),
        lambda: wallet.unfreeze(wallet_id),
        lambda: wallet.set_limits(wallet_id, CNY_LIMITS),
        lambda: wallet.top_up(new_id(), wallet_id, cny(1), NOW),
        lambda: wallet.enroll_device(wallet_id, "phone", NOW) and None,
    ]
    for attempt in refused:
        with pytest.raises(WalletInactive):
            attempt()
    assert (state(wallet_id), available(wallet_id)) == (WalletState.CLOSED, 0)


def test_the_books_let_no_more_out_than_is_in() -> None:
    wallet_id = make_wallet(5)
    with pytest.raises(ledger.PostingRefused) as refused:
        empty(wallet_id, 6)
    assert (refused.value.code, available(wallet_id)) == (ledger.FLOOR, 5)


def test_money_on_hold_keeps_a_wallet_open() -> None:
    wallet_id = make_wallet(5)
    empty(wallet_id, 5, ledger.Phase.PENDING)
    assert available(wallet_id) == 0
    with pytest.raises(WalletNotEmpty):
        wallet.close(wallet_id)


def empty(wallet_id: UUID, amount: int, phase: ledger.Phase = ledger.Phase.POSTED) -> None:
    """Pay the operator back."""
    ledger.post_now(
        [
            ledger.Transfer(
                id=new_id(),
                owner_id=wallet_id,
                debit_id=account_id(wallet_id, Role.WALLET, "CNY"),
                credit_id=account_id(OPERATOR, Role.WALLET_FUNDING, "CNY"),
                amount=amount,
                currency="CNY",
                kind="wallet.pay_out",
                subject_id=wallet_id,
                phase=phase,
            )
        ]
    )


def test_a_freeze_waits_for_the_batch_that_is_deciding() -> None:
    """Whoever holds the books decides on the wallet as loaded; `freeze` returns only after that."""
    wallet_id, order = make_wallet(), []

    def freeze() -> None:
        try:
            wallet.freeze(wallet_id)
            order.append("frozen")
        finally:
            connection.close()

    freezing = threading.Thread(target=freeze)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(ledger.lock().sql)
        freezing.start()
        freezing.join(timeout=0.3)
        order.append("decided")
    freezing.join(timeout=10)
    assert order == ["decided", "frozen"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda one: wallet.wallet_summary(one, NOW),
        wallet.freeze,
        wallet.close,
        lambda one: wallet.set_limits(one, CNY_LIMITS),
    ],
)
def test_a_wallet_nobody_has(ask: Callable[[UUID], object]) -> None:
    with pytest.raises(WalletUnknown):
        ask(new_id())
