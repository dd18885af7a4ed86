"""What holders change themselves: limits below the operator's, a lost phone, the PIN."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from comptoir.kernel.ids import new_id
from comptoir.standards.payment_code import Form, build
from comptoir.wallet import api as wallet
from comptoir.wallet import rules
from comptoir.wallet.api import (
    FrozenByOperator,
    Limits,
    LimitsTooHigh,
    LimitsUnfit,
    PinRefused,
    PinUnfit,
    WalletInactive,
    WalletState,
    WalletUnknown,
)
from tests.wallet.support import NOW, PIN, cny, make_wallet, present

pytestmark = pytest.mark.usefixtures("module_database")

OPERATORS = Limits(no_pin=500_00, payment=20_000_00, day=50_000_00)
LOWER = Limits(no_pin=100_00, payment=2_000_00, day=5_000_00)


def held_limits(wallet_id: UUID) -> Limits:
    """The limits that payments are decided by."""
    view = wallet.wallet_summary(wallet_id, NOW).wallet
    return Limits(no_pin=view.no_pin_limit, payment=view.payment_limit, day=view.day_limit)


def test_a_holder_lowers_limits_and_raises_them_again_up_to_the_operators() -> None:
    wallet_id = make_wallet()
    wallet.choose_limits(wallet_id, LOWER)
    assert held_limits(wallet_id) == LOWER
    assert wallet.standing(wallet_id).most == OPERATORS
    wallet.choose_limits(wallet_id, OPERATORS)
    assert held_limits(wallet_id) == OPERATORS


@pytest.mark.parametrize(
    ("wanted", "error", "field"),
    [
        (Limits(no_pin=500_01, payment=20_000_00, day=50_000_00), LimitsTooHigh, "no_pin"),
        (Limits(no_pin=0, payment=20_000_01, day=50_000_00), LimitsTooHigh, "payment"),
        (Limits(no_pin=0, payment=0, day=50_000_01), LimitsTooHigh, "day"),
        (Limits(no_pin=2, payment=1, day=3), LimitsUnfit, None),
        (Limits(no_pin=-1, payment=1, day=3), LimitsUnfit, None),
    ],
)
def test_limits_that_no_holder_may_choose_change_nothing(
    wanted: Limits, error: type[Exception], field: str | None
) -> None:
    wallet_id = make_wallet()
    wallet.choose_limits(wallet_id, LOWER)
    with pytest.raises(error) as refused:
        wallet.choose_limits(wallet_id, wanted)
    assert getattr(refused.value, "field", None) == field
    assert held_limits(wallet_id) == LOWER


def test_what_a_holder_lowered_stays_low_when_the_operator_sets_others() -> None:
    wallet_id = make_wallet()
    wallet.choose_limits(wallet_id, Limits(no_pin=0, payment=20_000_00, day=50_000_00))
    wallet.set_limits(wallet_id, Limits(no_pin=800_00, payment=30_000_00, day=60_000_00))
    assert held_limits(wallet_id) == Limits(no_pin=0, payment=30_000_00, day=60_000_00)
    wallet.set_limits(wallet_id, Limits(no_pin=1_00, payment=2_00, day=3_00))
    assert held_limits(wallet_id) == Limits(no_pin=0, payment=2_00, day=3_00)
    with pytest.raises(LimitsTooHigh):
        wallet.choose_limits(wallet_id, Limits(no_pin=0, payment=2_00, day=3_01))


def limits() -> st.SearchStrategy[Limits]:
    three = st.lists(st.integers(0, 1000), min_size=3, max_size=3).map(sorted)
    return three.map(lambda one: Limits(no_pin=one[0], payment=one[1], day=one[2]))


@given(limits(), limits(), limits())
def test_limits_after_the_operators_are_limits_and_never_above_them(
    most: Limits, wish: Limits, new_most: Limits
) -> None:
    chosen = Limits(
        no_pin=min(wish.no_pin, most.no_pin),
        payment=min(wish.payment, most.payment),
        day=min(wish.day, most.day),
    )
    after = rules.limits_after(chosen, most, new_most)
    rules.check_choice(after, new_most)
    for name in ("no_pin", "payment", "day"):
        if getattr(chosen, name) < getattr(most, name):
            assert getattr(after, name) <= getattr(chosen, name)
    assert rules.limits_after(most, most, new_most) == new_most


def test_a_lost_phone_freezes_the_wallet_and_its_devices_for_good() -> None:
    wallet_id = make_wallet(1000)
    phone, tablet = (wallet.enroll_device(wallet_id, name, NOW) for name in ("phone", "tablet"))
    for _ in range(2):
        wallet.freeze_lost(wallet_id, NOW)
        standing = wallet.standing(wallet_id)
        assert (standing.state, standing.frozen_by_holder) == (WalletState.FROZEN, True)
    for device in (phone, tablet):
        assert present(build(Form.SHORT, *device, NOW, 0), NOW) == wallet.errors.CODE_INVALID
    with pytest.raises(WalletInactive):
        wallet.enroll_device(wallet_id, "phone", NOW)
    with pytest.raises(WalletInactive):
        wallet.choose_limits(wallet_id, LOWER)
    for _ in range(2):
        wallet.unfreeze_own(wallet_id)
        standing = wallet.standing(wallet_id)
        assert (standing.state, standing.frozen_by_holder) == (WalletState.ACTIVE, False)
    assert [one.active for one in wallet.devices_of(wallet_id)] == [False, False]
    fresh = wallet.enroll_device(wallet_id, "new phone", NOW)
    assert isinstance(present(build(Form.SHORT, *fresh, NOW, 0), NOW), wallet.CodeUse)
    assert wallet.wallet_summary(wallet_id, NOW).available == cny(1000)


def test_what_the_operator_froze_only_the_operator_thaws() -> None:
    wallet_id = make_wallet()
    wallet.freeze(wallet_id)
    wallet.freeze_lost(wallet_id, NOW)
    with pytest.raises(FrozenByOperator):
        wallet.unfreeze_own(wallet_id)
    assert wallet.standing(wallet_id).state is WalletState.FROZEN
    wallet.unfreeze(wallet_id)
    wallet.freeze_lost(wallet_id, NOW)
    wallet.freeze(wallet_id)
    with pytest.raises(FrozenByOperator):
        wallet.unfreeze_own(wallet_id)
    assert wallet.standing(wallet_id).state is WalletState.FROZEN


def test_a_closed_wallet_is_nobodys_to_freeze_or_thaw() -> None:
    wallet_id = make_wallet()
    wallet.close(wallet_id)
    with pytest.raises(WalletInactive):
        wallet.freeze_lost(wallet_id, NOW)
    with pytest.raises(WalletInactive):
        wallet.unfreeze_own(wallet_id)
    for ask in (lambda one: wallet.freeze_lost(one, NOW), wallet.unfreeze_own, wallet.standing):
        with pytest.raises(WalletUnknown):
            ask(new_id())


def test_a_holder_changes_the_pin_with_the_old_one() -> None:
    wallet_id = make_wallet()
    wallet.change_pin(wallet_id, PIN, "862590", NOW)
    wallet.check_pin(wallet_id, "862590", NOW)
    with pytest.raises(PinRefused):
        wallet.check_pin(wallet_id, PIN, NOW)


def test_a_wrong_old_pin_is_counted_and_changes_nothing() -> None:
    wallet_id = make_wallet()
    with pytest.raises(PinRefused) as refused:
        wallet.change_pin(wallet_id, "918273", "862590", NOW)
    assert refused.value.tries_left == 4
    wallet.check_pin(wallet_id, PIN, NOW)


def test_a_new_pin_that_is_none_is_no_guess() -> None:
    wallet_id = make_wallet()
    for weak in ("111111", "234567", "86259", "8625９0"):
        with pytest.raises(PinUnfit) as unfit:
            wallet.change_pin(wallet_id, "918273", weak, NOW)
        assert unfit.value.field == "new"
    with pytest.raises(PinRefused) as refused:
        wallet.check_pin(wallet_id, "918273", NOW)
    assert refused.value.tries_left == 4


def test_a_login_on_a_device_is_welcome_until_the_device_is_revoked() -> None:
    wallet_id, other = make_wallet(), make_wallet()
    number = wallet.enroll_device(wallet_id, "phone", NOW).number
    assert wallet.is_welcome(wallet_id, NOW, number)
    assert not wallet.is_welcome(other, NOW, number)
    wallet.revoke_device(wallet_id, number)
    assert not wallet.is_welcome(wallet_id, NOW, number)
    assert wallet.is_welcome(wallet_id, NOW, None)


def test_no_login_from_before_a_phone_was_lost_is_welcome() -> None:
    wallet_id = make_wallet()
    wallet.freeze_lost(wallet_id, NOW)
    assert not wallet.is_welcome(wallet_id, NOW - timedelta(microseconds=1), None)
    wallet.unfreeze_own(wallet_id)
    assert not wallet.is_welcome(wallet_id, NOW - timedelta(microseconds=1), None)
    assert wallet.is_welcome(wallet_id, NOW, None)


@effort(max_examples=30, deadline=None)
@given(limits(), limits(), st.lists(st.booleans(), max_size=6))
def test_whatever_holder_and_operator_do_in_turn_the_tables_take_it(
    first: Limits, second: Limits, turns: list[bool]
) -> None:
    wallet_id, given = make_wallet(limits=first), [first, second]
    for step, by_holder in enumerate(turns):
        wanted = given[step % 2]
        if by_holder:
            most = wallet.standing(wallet_id).most
            day = min(wanted.day, most.day)
            payment = min(wanted.payment, most.payment, day)
            wallet.choose_limits(
                wallet_id, Limits(no_pin=min(wanted.no_pin, most.no_pin, payment), payment=payment, day=day)
            )
        else:
            wallet.set_limits(wallet_id, wanted)
            assert wallet.standing(wallet_id).most == wanted
        rules.check_choice(held_limits(wallet_id), wallet.standing(wallet_id).most)
