"""Payment codes against the real tables: single use, replay, guessing, and what is kept of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from comptoir.kernel.ids import new_id
from comptoir.standards.payment_code import STEP, Form, build
from comptoir.wallet import api as wallet
from comptoir.wallet.api import CodesExhausted, DeviceUnknown, WalletInactive, WalletUnknown, errors
from comptoir.wallet.models import Device, SpentCode
from tests.wallet.support import NOW, device_view, make_wallet, present, run

pytestmark = pytest.mark.usefixtures("module_database")


@pytest.fixture
def device() -> wallet.Enrollment:
    return wallet.enroll_device(make_wallet(), "phone", NOW)


def wrong(device: wallet.Enrollment) -> str:
    """A code with the right device number and a password that is none of its own."""
    good = {build(Form.SHORT, *device, NOW + step * STEP, 0) for step in range(-30, 3)}
    return next(code for i in range(100) if (code := f"28{device.number}0{i:07d}") not in good)


def test_a_code_is_good_once(device: wallet.Enrollment) -> None:
    code = build(Form.SHORT, *device, NOW, 0)
    assert isinstance(present(code, NOW), wallet.CodeUse)
    for later in (timedelta(0), STEP):
        assert present(code, NOW + later) == errors.CODE_USED
    assert present(code, NOW + 2 * STEP) == errors.CODE_EXPIRED
    assert SpentCode.objects.filter(device_number=device.number).count() == 1


def test_the_other_form_of_a_spent_code_is_spent_too(device: wallet.Enrollment) -> None:
    assert isinstance(present(build(Form.SHORT, *device, NOW, 0), NOW), wallet.CodeUse)
    assert present(build(Form.ALIPAY_PLUS, *device, NOW, 0), NOW) == errors.CODE_USED


def test_a_code_shown_early_stays_spent_while_it_can_be_accepted(device: wallet.Enrollment) -> None:
    """A phone 30 seconds fast: its code is accepted for three windows, and spent in all of them."""
    code = build(Form.SHORT, *device, NOW + STEP, 0)
    assert isinstance(present(code, NOW), wallet.CodeUse)
    for windows in (0, 1, 2):
        assert present(code, NOW + windows * STEP) == errors.CODE_USED


def test_two_who_race_with_one_code_spend_it_once(device: wallet.Enrollment) -> None:
    """Both saw the code unspent: the primary key lets one of them through."""
    code = build(Form.SHORT, *device, NOW, 0)
    use = wallet.check_code(code, device_view(device.number, NOW), NOW)
    assert isinstance(use, wallet.CodeUse)
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def spend() -> None:
        try:
            start.wait()
            with transaction.atomic():
                for statement in wallet.spend_codes([use]):
                    run(statement)
            outcomes.append("spent")
        except IntegrityError:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=spend) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(outcomes) == ["refused", "spent"]


def test_five_wrong_codes_lock_the_device(device: wallet.Enrollment) -> None:
    guess = wrong(device)
    assert [present(guess, NOW) for _ in range(6)] == [errors.CODE_INVALID] * 5 + [errors.DEVICE_LOCKED]
    right = build(Form.SHORT, *device, NOW, 0)
    assert present(right, NOW) == errors.DEVICE_LOCKED
    assert not SpentCode.objects.filter(device_number=device.number).exists()
    later = NOW + timedelta(minutes=15)
    assert isinstance(present(build(Form.SHORT, *device, later, 0), later), wallet.CodeUse)


def test_a_right_code_forgives_the_wrong_ones_before(device: wallet.Enrollment) -> None:
    guess = wrong(device)
    for n in range(3):
        assert [present(guess, NOW) for _ in range(4)] == [errors.CODE_INVALID] * 4
        assert isinstance(present(build(Form.SHORT, *device, NOW, n), NOW), wallet.CodeUse)


def test_a_code_shown_too_long_is_no_guess(device: wallet.Enrollment) -> None:
    old = build(Form.SHORT, *device, NOW - timedelta(minutes=3), 0)
    assert [present(old, NOW) for _ in range(10)] == [errors.CODE_EXPIRED] * 10
    assert Device.objects.get(number=device.number).bad_codes == 0


def test_a_revoked_device_pays_nothing(device: wallet.Enrollment) -> None:
    owner = Device.objects.get(number=device.number).wallet_id
    with pytest.raises(DeviceUnknown):
        wallet.revoke_device(new_id(), device.number)
    assert wallet.devices_of(owner)[0].active
    wallet.revoke_device(owner, device.number)
    wallet.revoke_device(owner, device.number)
    assert present(build(Form.SHORT, *device, NOW, 0), NOW) == errors.CODE_INVALID
    with pytest.raises(DeviceUnknown):
        wallet.payment_code_for(device.number, NOW)


def test_devices_get_numbers_and_seeds_of_their_own() -> None:
    owner = make_wallet()
    enrolled = [wallet.enroll_device(owner, f"phone {i}", NOW) for i in range(20)]
    assert len({one.number for one in enrolled}) == len({one.seed for one in enrolled}) == 20
    assert all(10_000_000 <= one.number <= 99_999_999 and len(one.seed) == 32 for one in enrolled)
    assert {(one.number, one.name) for one in wallet.devices_of(owner)} == {
        (one.number, f"phone {i}") for i, one in enumerate(enrolled)
    }


def test_a_number_that_is_taken_is_drawn_again(
    device: wallet.Enrollment, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = iter([device.number - 10_000_000, 5])
    monkeypatch.setattr("comptoir.wallet.operations.devices.secrets.randbelow", lambda _: next(draws))
    assert wallet.enroll_device(make_wallet(), "phone", NOW).number == 10_000_005
    view = device_view(device.number, NOW)
    assert view is not None
    assert view.seed == device.seed


def _frozen() -> UUID:
    wallet_id = make_wallet()
    wallet.freeze(wallet_id)
    return wallet_id


@pytest.mark.parametrize(("owner", "error"), [(new_id, WalletUnknown), (_frozen, WalletInactive)])
def test_only_an_active_wallet_enrolls(owner: Callable[[], UUID], error: type[Exception]) -> None:
    before = Device.objects.count()
    with pytest.raises(error):
        wallet.enroll_device(owner(), "phone", NOW)
    assert Device.objects.count() == before


def test_our_own_app_shows_the_next_code_once_one_is_spent(device: wallet.Enrollment) -> None:
    shown = []
    for n in range(10):
        code = wallet.payment_code_for(device.number, NOW)
        assert code == wallet.payment_code_for(device.number, NOW)
        assert code.digits == build(Form.SHORT, *device, NOW, n)
        assert isinstance(present(code.digits, NOW), wallet.CodeUse)
        shown.append(code.digits)
    assert len(set(shown)) == 10
    with pytest.raises(CodesExhausted):
        wallet.payment_code_for(device.number, NOW)
    fresh = wallet.payment_code_for(device.number, NOW + STEP, Form.ALIPAY_PLUS)
    assert isinstance(present(fresh.digits, NOW + STEP), wallet.CodeUse)
    assert NOW + STEP < fresh.expires_at <= NOW + 3 * STEP


def test_there_is_no_code_of_no_device() -> None:
    with pytest.raises(DeviceUnknown):
        wallet.payment_code_for(1, NOW)


@pytest.mark.usefixtures("database")
def test_old_codes_are_forgotten_and_young_ones_kept() -> None:
    owner = make_wallet()
    ages = [timedelta(hours=hours) for hours in (0, 1, 23, 24, 25, 48, 72)]
    uses = [wallet.CodeUse(owner, 20_000_000, i, 0, NOW - age) for i, age in enumerate(ages)]
    run(wallet.spend_codes(uses)[0])
    assert [len(run(wallet.purge_spent_codes(NOW, 2))) for _ in range(3)] == [2, 1, 0]
    assert set(SpentCode.objects.values_list("window", flat=True)) == {0, 1, 2, 3}
