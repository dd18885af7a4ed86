"""The proof over everything: the books are whole, and payments, refunds and wallets agree with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, zip_longest
from typing import NamedTuple
from uuid import UUID

from comptoir.acquiring import api as acquiring
from comptoir.db.run import read
from comptoir.db.snapshot import snapshot
from comptoir.flows.engine.issuer_legs import issuer_owner
from comptoir.fx import api as fx
from comptoir.kernel.ids import SANDBOX
from comptoir.ledger import api as ledger
from comptoir.ledger.api import LedgerReport, Role
from comptoir.wallet import api as wallet

#: The kinds of transfers that payments, captures and refunds make, and that holds for captures, and for
#: refunds and chargebacks that are not decided, are.
_KINDS = ("pay", "capture", "cancel", "refund")
_HOLDS = ("hold", "refund")


class _Said(NamedTuple):
    """How a difference is put: the record's claim without a transfer, a transfer without a record."""

    record: str
    books: str


_MOVED = _Said(
    "moved money, the books have no transfer of it",
    "moved money for {}, which no payment, capture or refund says",
)
_HELD = _Said(
    "holds money, the books have no hold of it",
    "hold money for {}, which no authorization says, nor a refund or dispute",
)

#: What a subject moved: (role, currency) -> net minor units.
_Moved = dict[tuple[Role, str], int]


@dataclass
class VerificationReport:
    """What was looked at, and what does not agree. `differences` is empty when all is well."""

    ledger: LedgerReport
    payments: int = 0
    refunds: int = 0
    wallets: int = 0
    agreements: int = 0
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

    May run beside live traffic. Reads everything: some 30 seconds for a million transfers.
    """
    with snapshot():
        report = VerificationReport(ledger.verify())
        report.payments, report.refunds = acquiring.counts()
        sides = (Role.WALLET, Role.MERCHANT_PAYABLE)
        moved, held = ledger.movements(sides, _KINDS), ledger.holds(sides, _HOLDS)
        report.differences.extend(_first(_differences(acquiring.expected_movements(), moved, _MOVED)))
        report.differences.extend(_first(_differences(acquiring.expected_holds(), held, _HELD)))
        report.differences.extend(_first(_wallet_differences(report)))
        report.differences.extend(_first(_quote_differences()))
        report.differences.extend(_first(_agreement_differences(report)))
        sums = (
            acquiring.refund_difference(),
            acquiring.capture_difference(),
            acquiring.subscription_difference(),
            acquiring.dispute_difference(),
        )
        report.differences.extend(difference for difference in sums if difference is not None)
        report.differences.extend(_first(_sandbox_differences()))
    return report


def _differences(
    expected: Iterator[acquiring.Expected], rows: Iterable[tuple[UUID, Role, str, int]], words: _Said
) -> Iterator[str]:
    """Records on one side, transfers on the other, both in order of id: walked side by side."""
    moved = _by_subject(rows)
    want, have = next(expected, None), next(moved, None)
    while want is not None and have is not None:
        if want.subject_id < have[0]:
            yield from _unposted(want, words)
            want = next(expected, None)
        elif have[0] < want.subject_id:
            yield _unexplained(have[0], words)
            have = next(moved, None)
        else:
            said, posted = _wanted(want), have[1]
            if said != posted:
                name = f"{want.what} {want.subject_id.hex}"
                yield f"{name}: it says {_words(said)}, the books {_words(posted)}"
            want, have = next(expected, None), next(moved, None)
    while want is not None:
        yield from _unposted(want, words)
        want = next(expected, None)
    while have is not None:
        yield _unexplained(have[0], words)
        have = next(moved, None)


def _unposted(one: acquiring.Expected, words: _Said) -> list[str]:
    """A difference, unless all that moved comes to nothing."""
    if not _wanted(one):
        return []
    return [f"{one.what} {one.subject_id.hex} {words.record}"]


def _unexplained(subject_id: UUID, words: _Said) -> str:
    return f"the books {words.books.format(subject_id.hex)}"


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
    """Each wallet's movements and holds come to what its account says; what it counts has its records."""
    for expected, actual in zip_longest(wallet.expected_balances(), ledger.balances(Role.WALLET)):
        report.wallets += 1
        if expected is None or actual is None or expected[:2] != actual[:2]:
            owner = (expected or actual)[0]
            yield f"wallet {owner.hex}: it and its account in the books are not both there"
            return
        name, currency = f"wallet {expected.wallet_id.hex}", expected.currency
        _, _, posted, held = actual
        if expected.balance != posted:
            yield f"{name}: its movements come to {expected.balance} {currency}, its account holds {posted}"
        elif expected.held != held:
            yield f"{name}: its authorizations hold {expected.held} {currency}, its account {held}"
        elif expected.refunded != expected.credited:
            yield f"{name}: {expected.refunded} {currency} were refunded, {expected.credited} were credited"
        elif expected.captured != expected.taken:
            yield f"{name}: {expected.captured} {currency} were captured, its captures are {expected.taken}"


def _quote_differences() -> Iterator[str]:
    """Whoever asked to be paid at a quote was: its own, at its price, within its time."""
    for paid in acquiring.payments_at_quotes():
        quotes = fx.decode_quotes(read(fx.load_quotes([one.asked_id for one in paid])))
        for one in paid:
            quote = quotes.get(one.asked_id)
            if quote is None or quote.owner_id != one.merchant_id:
                yield f"payment {one.payment_id.hex} was asked for at a quote that its merchant never had"
            elif (one.quote_id, one.price, one.paid) != (
                quote.id,
                quote.price,
                fx.split(one.amount, quote).total,
            ):
                yield f"payment {one.payment_id.hex} was not paid at the quote that it was asked for at"
            elif one.finished_at >= quote.expires_at:
                yield f"payment {one.payment_id.hex} was paid after its quote had expired"


def _agreement_differences(report: VerificationReport) -> Iterator[str]:
    """Both sides of each agreement say the same, and every debit was within what its wallet had allowed."""
    for theirs, own in zip_longest(acquiring.approved_agreements(), wallet.agreements_kept()):
        report.agreements += 1
        if theirs is None or own is None or tuple(theirs) != own[:4]:
            name = (theirs.id if theirs else own[1]).hex
            yield f"agreement {name}: the merchant's side and the wallet's do not say the same"
            return
        if own[4]:
            yield f"agreement {own[1].hex}: {own[4]} debits were not within it"
    if (stray := wallet.stray_debit()) is not None:
        yield f"authorization {stray.hex} was debited under an agreement that its wallet never made"


def _sandbox_differences() -> Iterator[str]:
    """Test merchants, simulated wallets and what stands between have no transfer with anybody else."""
    if (difference := acquiring.sandbox_difference(wallet.SIMULATED)) is not None:
        yield difference
    if merchants := acquiring.sandbox_merchants():
        issuers = [issuer_owner(name) for name in wallet.SIMULATED_WALLETS]
        crossing = ledger.crossing([*merchants, *issuers, SANDBOX])
        if crossing is not None:
            yield f"transfer {crossing.hex} is between the sandbox and the real world"


def _first(differences: Iterator[str]) -> list[str]:
    """The first difference of its kind: later ones mostly follow from it."""
    return [one for one in [next(differences, None)] if one is not None]
