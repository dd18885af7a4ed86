"""The proof over everything: the books are whole, and payments, refunds and wallets agree with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, zip_longest
from uuid import UUID

from comptoir.acquiring import api as acquiring
from comptoir.db.snapshot import snapshot
from comptoir.ledger import api as ledger
from comptoir.ledger.api import LedgerReport, Role
from comptoir.wallet import api as wallet

#: The kinds of transfers that payments and refunds make.
_KINDS = ("pay", "cancel", "refund")

#: What a subject moved: (role, currency) -> net minor units.
_Moved = dict[tuple[Role, str], int]


@dataclass
class VerificationReport:
    """What was looked at, and what does not agree. `differences` is empty when all is well."""

    ledger: LedgerReport
    payments: int = 0
    refunds: int = 0
    wallets: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether everything agrees."""
        return not self.ledger.differences and not self.differences

    @property
    def first_difference(self) -> str | None:
        """The first thing that does not agree, in words; the books come before what refers to them."""
        return next(iter(self.ledger.differences + self.differences), None)


def verify_books() -> VerificationReport:
    """Check the books, and every payment, refund and wallet against them, in one snapshot.

    May run beside live traffic. Reads everything: minutes for tens of millions of transfers.
    """
    with snapshot():
        report = VerificationReport(ledger.verify())
        report.payments, report.refunds = acquiring.counts()
        report.differences.extend(_first(_movement_differences()))
        report.differences.extend(_first(_wallet_differences(report)))
        if (difference := acquiring.refund_difference()) is not None:
            report.differences.append(difference)
    return report


def _movement_differences() -> Iterator[str]:
    """Payments and refunds on one side, transfers on the other, both in order of id: walked side by side."""
    expected = acquiring.expected_movements()
    moved = _by_subject(ledger.movements((Role.WALLET, Role.MERCHANT_PAYABLE), _KINDS))
    want = next(expected, None)
    have = next(moved, None)
    while want is not None or have is not None:
        if have is None or (want is not None and want.subject_id < have[0]):
            assert want is not None
            if _wanted(want):
                yield f"{want.what} {want.subject_id.hex} moved money, the books have no transfer of it"
            want = next(expected, None)
        elif want is None or have[0] < want.subject_id:
            yield f"the books moved money for {have[0].hex}, which no payment or refund says"
            have = next(moved, None)
        else:
            if _wanted(want) != have[1]:
                yield f"{want.what} {want.subject_id.hex}: it says {_words(_wanted(want))}, the books {_words(have[1])}"
            want, have = next(expected, None), next(moved, None)


def _by_subject(rows: Iterable[tuple[UUID, Role, str, int]]) -> Iterator[tuple[UUID, _Moved]]:
    for subject_id, lines in groupby(rows, key=lambda row: row[0]):
        yield subject_id, {(role, currency): net for _, role, currency, net in lines}


def _wanted(one: acquiring.Expected) -> _Moved:
    moved = {
        (Role.MERCHANT_PAYABLE, one.settlement_currency): one.settlement,
        (Role.WALLET, one.wallet_currency): -one.wallet,
    }
    return {key: net for key, net in moved.items() if net}


def _words(moved: _Moved) -> str:
    return (
        ", ".join(f"{role.value} {net} {currency}" for (role, currency), net in sorted(moved.items()))
        or "nothing"
    )


def _wallet_differences(report: VerificationReport) -> Iterator[str]:
    """Each wallet's movements come to what its account holds; each refund it counts has its credit."""
    for expected, actual in zip_longest(wallet.expected_balances(), ledger.balances(Role.WALLET)):
        report.wallets += 1
        if expected is None or actual is None or expected[:2] != actual[:2]:
            owner = (expected or actual)[0]
            yield f"wallet {owner.hex}: it and its account in the books are not both there"
            return
        wallet_id, currency, balance, refunded, credited = expected
        if balance != actual[2]:
            yield f"wallet {wallet_id.hex}: its movements come to {balance} {currency}, its account holds {actual[2]}"
        elif refunded != credited:
            yield f"wallet {wallet_id.hex}: {refunded} {currency} were refunded, {credited} were credited"


def _first(differences: Iterator[str]) -> list[str]:
    """The first difference of its kind: later ones mostly follow from it."""
    return [one for one in [next(differences, None)] if one is not None]
