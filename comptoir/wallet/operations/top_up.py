"""Money into a wallet, by posting of the operator."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from comptoir.kernel.ids import OPERATOR
from comptoir.kernel.money import Money
from comptoir.ledger.api import Role, Transfer, account_id, post_now
from comptoir.wallet.errors import TopUpConflict, TopUpUnfit, WalletInactive, WalletUnknown
from comptoir.wallet.models import Wallet, WalletCredit
from comptoir.wallet.rules import LARGEST_AMOUNT
from comptoir.wallet.types import CreditKind, WalletState


def top_up(credit_id: UUID, wallet_id: UUID, amount: Money, now: datetime, note: str = "") -> None:
    """Post `amount` (above zero, in the wallet's currency) from the operator's funding to a wallet.

    A repeat with the same id and amount changes nothing. A frozen wallet may receive, a closed one may
    not. Raises TopUpUnfit, TopUpConflict (the wallet has this id with other content), WalletUnknown,
    WalletInactive, PostingRefused.
    """
    if not 0 < amount.minor <= LARGEST_AMOUNT:
        raise TopUpUnfit("a top-up is above zero and has at most 16 digits", field="amount")
    with transaction.atomic():
        # The row's lock makes repeats wait for the first, and `close` for both.
        wallet = Wallet.objects.select_for_update().filter(id=wallet_id).first()
        if wallet is None:
            raise WalletUnknown(f"there is no wallet {wallet_id.hex}", field="wallet_id")
        if amount.currency != wallet.currency:
            raise TopUpUnfit(f"the wallet is in {wallet.currency}", field="amount")
        known = WalletCredit.objects.filter(wallet_id=wallet_id, id=credit_id).first()
        if known is not None:
            if (known.kind, known.amount) != (CreditKind.TOP_UP.value, amount.minor):
                raise TopUpConflict(f"credit {credit_id.hex} is another one", field="credit_id")
            return
        if wallet.state == WalletState.CLOSED:
            raise WalletInactive(f"wallet {wallet_id.hex} is closed", field="wallet_id")
        post_now([_transfer(credit_id, wallet_id, amount)])
        WalletCredit.objects.create(
            wallet_id=wallet_id,
            id=credit_id,
            kind=CreditKind.TOP_UP.value,
            currency=amount.currency,
            amount=amount.minor,
            note=note,
            created_at=now,
        )


def _transfer(credit_id: UUID, wallet_id: UUID, amount: Money) -> Transfer:
    return Transfer(
        id=credit_id,
        owner_id=wallet_id,
        debit_id=account_id(OPERATOR, Role.WALLET_FUNDING, amount.currency),
        credit_id=account_id(wallet_id, Role.WALLET, amount.currency),
        amount=amount.minor,
        currency=amount.currency,
        kind="wallet.top_up",
        subject_id=credit_id,
    )
