"""What the books refuse. The same codes come back per transfer from the posting function."""

from __future__ import annotations

from comptoir.kernel.errors import ComptoirError

#: The account would fall below its floor.
FLOOR = "ledger.floor"
#: Another leg of the same linked group was refused.
LINKED = "ledger.linked"
#: This very transfer is in the books already: nothing was posted again.
EXISTS = "ledger.exists"
#: The id is in the books with other content.
ID_REUSED = "ledger.id_reused"
#: The id stood earlier in this call, whatever became of that transfer.
ID_REPEATED = "ledger.id_repeated"
ACCOUNT_UNKNOWN = "ledger.account_unknown"
ACCOUNT_CLOSED = "ledger.account_closed"
SAME_ACCOUNT = "ledger.same_account"
CURRENCY_MISMATCH = "ledger.currency_mismatch"
#: Zero, less, or more than 16 digits.
AMOUNT_INVALID = "ledger.amount_invalid"
#: No earlier call made this hold.
PENDING_UNKNOWN = "ledger.pending_unknown"
#: The hold was posted or voided before, or earlier in this call.
PENDING_RESOLVED = "ledger.pending_resolved"
#: More was to be posted than was held.
PENDING_EXCEEDED = "ledger.pending_exceeded"
#: Other accounts, currency or (voiding) amount than the hold's; or a hold named where none is resolved.
PENDING_MISMATCH = "ledger.pending_mismatch"


class PostingRefused(ComptoirError):
    """A posting outside the engine was refused; `code` is that of the first refused transfer."""

    code = "ledger.refused"


class AccountUnknown(ComptoirError):
    code = ACCOUNT_UNKNOWN
