"""What the context's door promises: opening accounts, posting at once, groups that stand together."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import transaction

from comptoir.kernel.errors import InvariantBroken
from comptoir.kernel.ids import new_id
from comptoir.ledger import api as ledger
from comptoir.ledger import errors
from comptoir.ledger.api import AccountUnknown, Phase, PostingRefused, Role, Side
from tests.ledger import books

pytestmark = pytest.mark.usefixtures("module_database")


def test_an_account_is_opened_once_and_keeps_what_is_in_it() -> None:
    owner, till = new_id(), books.account(Side.DEBIT)
    for _ in range(2):
        books.run(ledger.open_account(owner, Role.WALLET, "CNY", books.OPENED, floor=0))
        wallet = ledger.account_id(owner, Role.WALLET, "CNY")
        ledger.post_now([books.transfer(till, wallet, 7)])
    assert ledger.balance(wallet).posted == 14


def test_an_account_that_is_not_there_is_named_and_not_read_as_empty() -> None:
    for read in (
        ledger.balance,
        lambda id: ledger.balance_at(id, books.OPENED),
        lambda id: ledger.balance_effective(id, books.OPENED),
    ):
        with pytest.raises(AccountUnknown):
            read(uuid4())


def test_post_now_posts_all_or_none_and_names_the_first_at_fault() -> None:
    till, ann, shop = books.account(Side.DEBIT), books.account(floor=0), books.account()
    before = books.everything()
    with pytest.raises(PostingRefused) as refused:
        ledger.post_now(
            [books.transfer(till, ann, 10), books.transfer(ann, shop, 11), books.transfer(till, ann, 5)]
        )
    assert refused.value.code == errors.FLOOR
    assert books.everything() == before


def test_post_now_may_be_repeated_but_not_extended() -> None:
    till, ann = books.account(Side.DEBIT), books.account(floor=0)
    once = [books.transfer(till, ann, 10), books.transfer(till, ann, 20)]
    ledger.post_now(once)
    after = books.everything()
    ledger.post_now(once)
    assert books.everything() == after
    with pytest.raises(PostingRefused) as refused:
        ledger.post_now([*once, books.transfer(till, ann, 30)])
    assert refused.value.code == errors.EXISTS
    assert books.everything() == after


def test_posting_nothing_records_nothing() -> None:
    before = books.everything()
    assert books.post() == {}
    ledger.post_now([])
    assert books.everything() == before


def test_the_legs_of_a_group_must_stand_together() -> None:
    till, ann = books.account(Side.DEBIT), books.account()
    legs = [books.transfer(till, ann, 1, group=group) for group in (1, 2, 1)]
    with pytest.raises(InvariantBroken):
        ledger.post(legs)


def test_what_the_transaction_gives_up_was_never_posted() -> None:
    till, ann = books.account(Side.DEBIT), books.account()
    before = books.everything()
    with transaction.atomic():
        ledger.post_now([books.transfer(till, ann, 1)])
        transaction.set_rollback(True)
    assert books.everything() == before


def test_balances_read_on_the_side_of_their_account() -> None:
    vault, ann = books.account(Side.DEBIT), books.account()
    ledger.post_now([books.transfer(vault, ann, 50)])
    ledger.post_now([books.transfer(ann, vault, 20, phase=Phase.PENDING)])
    assert (ledger.balance(vault).posted, ledger.balance(vault).available) == (50, 30)
    assert (ledger.balance(ann).posted, ledger.balance(ann).available) == (50, 30)
