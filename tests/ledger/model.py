"""The posting function in plain Python, one group after the other: what the SQL must equal.

It is written to be obviously right, not to be fast. A call is a list of transfers; those with the same
`group` are linked. For each group, in order:

1. every leg is checked by itself, against the books as they were before the call (`_own_code`);
2. if none failed, the legs are posted in order; one that comes too late for its hold, or that would take
   an account under its floor, takes the group down (`_order_code`);
3. a leg of a fallen group without a code of its own is refused as linked.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from itertools import groupby
from uuid import UUID

from comptoir.ledger import errors
from comptoir.ledger.api import Phase, Side, Transfer
from comptoir.ledger.types import MAX_AMOUNT

RESOLVING = (Phase.POST, Phase.VOID)
Key = tuple[UUID, UUID]


@dataclass
class ModelAccount:
    """An account: its four sums, and what it may not do."""

    side: Side
    currency: str
    floor: int | None = None
    closed: bool = False
    debits_posted: int = 0
    credits_posted: int = 0
    debits_pending: int = 0
    credits_pending: int = 0

    def __copy__(self) -> ModelAccount:
        return ModelAccount(self.side, self.currency, self.floor, self.closed, *self.sums)

    @property
    def sums(self) -> tuple[int, int, int, int]:
        return self.debits_posted, self.credits_posted, self.debits_pending, self.credits_pending

    @property
    def available(self) -> int:
        if self.side is Side.CREDIT:
            return self.credits_posted - self.debits_posted - self.debits_pending
        return self.debits_posted - self.credits_posted - self.credits_pending


@dataclass
class Model:
    """The books in memory."""

    accounts: dict[UUID, ModelAccount] = field(default_factory=dict)
    transfers: dict[Key, Transfer] = field(default_factory=dict)
    resolved: set[Key] = field(default_factory=set)

    def post(self, call: Sequence[Transfer]) -> dict[int, str]:
        """Post a call; returns the refused positions with their codes."""
        posted: dict[Key, Transfer] = {}
        resolved: set[Key] = set()
        seen: set[Key] = set()
        refused: dict[int, str] = {}
        numbered = list(enumerate(call))
        for _, legs in groupby(
            numbered, key=lambda leg: ("alone", leg[0]) if leg[1].group is None else leg[1].group
        ):
            group = list(legs)
            codes = {}
            for position, leg in group:
                codes[position] = self._own_code(leg, seen)
                seen.add((leg.owner_id, leg.id))
            if not any(codes.values()):
                codes |= self._post_in_order(group, posted, resolved)
            if any(codes.values()):
                refused |= {position: code or errors.LINKED for position, code in codes.items()}
        self.transfers |= posted
        self.resolved |= resolved
        return refused

    def _own_code(self, leg: Transfer, seen: set[Key]) -> str | None:
        """What is wrong with a leg by itself, in the books as they were before the call."""
        key = (leg.owner_id, leg.id)
        if key in self.transfers:
            return errors.EXISTS if _content(self.transfers[key]) == _content(leg) else errors.ID_REUSED
        if key in seen:
            return errors.ID_REPEATED
        if not 0 < leg.amount <= MAX_AMOUNT:
            return errors.AMOUNT_INVALID
        if leg.phase not in RESOLVING and leg.pending_id is not None:
            return errors.PENDING_MISMATCH
        if leg.phase in RESOLVING and (code := _hold_code(leg, self.transfers, self.resolved)):
            return code
        return self._account_code(leg)

    def _account_code(self, leg: Transfer) -> str | None:
        debit, credit = self.accounts.get(leg.debit_id), self.accounts.get(leg.credit_id)
        if debit is None or credit is None:
            return errors.ACCOUNT_UNKNOWN
        if leg.debit_id == leg.credit_id:
            return errors.SAME_ACCOUNT
        if debit.currency != leg.currency or credit.currency != leg.currency:
            return errors.CURRENCY_MISMATCH
        if debit.closed or credit.closed:
            return errors.ACCOUNT_CLOSED
        return None

    def _post_in_order(
        self, group: list[tuple[int, Transfer]], posted: dict[Key, Transfer], resolved: set[Key]
    ) -> dict[int, str]:
        """Post the legs one by one; the first that cannot be undoes the group and is named."""
        touched = {id for _, leg in group for id in (leg.debit_id, leg.credit_id)}
        before = {id: copy(self.accounts[id]) for id in touched}
        ended: set[Key] = set()
        for position, leg in group:
            if code := self._order_code(leg, resolved, ended):
                self.accounts |= before
                return {position: code}
        posted |= {(leg.owner_id, leg.id): leg for _, leg in group}
        resolved |= ended
        return {}

    def _order_code(self, leg: Transfer, resolved: set[Key], ended: set[Key]) -> str | None:
        """Post one leg. `resolved` are holds that earlier groups of the call ended, `ended` this group's."""
        hold = self.transfers.get((leg.owner_id, leg.pending_id)) if leg.pending_id else None
        if hold and (hold.owner_id, hold.id) in resolved | ended:
            return errors.PENDING_RESOLVED
        debit, credit = self.accounts[leg.debit_id], self.accounts[leg.credit_id]
        had = debit.available, credit.available
        if leg.phase is Phase.PENDING:
            debit.debits_pending += leg.amount
            credit.credits_pending += leg.amount
        if hold:
            debit.debits_pending -= hold.amount
            credit.credits_pending -= hold.amount
            ended.add((hold.owner_id, hold.id))
        if leg.phase in (Phase.POSTED, Phase.POST):
            debit.debits_posted += leg.amount
            credit.credits_posted += leg.amount
        for account, available in zip((debit, credit), had, strict=True):
            if account.floor is not None and account.available < min(account.floor, available):
                return errors.FLOOR
        return None


def _hold_code(leg: Transfer, known: dict[Key, Transfer], resolved: set[Key]) -> str | None:
    assert leg.pending_id
    hold = known.get((leg.owner_id, leg.pending_id))
    if hold is None or hold.phase is not Phase.PENDING:
        return errors.PENDING_UNKNOWN
    if (leg.owner_id, leg.pending_id) in resolved:
        return errors.PENDING_RESOLVED
    if leg.phase is Phase.POST and leg.amount > hold.amount:
        return errors.PENDING_EXCEEDED
    if leg.phase is Phase.VOID and leg.amount != hold.amount:
        return errors.PENDING_MISMATCH
    if (leg.debit_id, leg.credit_id, leg.currency) != (hold.debit_id, hold.credit_id, hold.currency):
        return errors.PENDING_MISMATCH
    return None


def _content(leg: Transfer) -> tuple[object, ...]:
    """Everything of a transfer but the group it came in."""
    return tuple(getattr(leg, name) for name in leg.__struct_fields__ if name != "group")
