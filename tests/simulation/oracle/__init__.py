"""What ought to be true: the rules of the house, said a second time and as plainly as possible.

The oracle is told of every commit. It does the commands of the batch one after the other in its own small
books, says what each ought to have been answered, and compares: the answer, the records, the accounts, the
notices. It knows nothing of waves, engines, retries or SQL.

`oracle` is told and compares · `kept` the oracle's own records and books · `types` what they are made of ·
the rules by noun: `payments`, `prices`, `captures`, `refunds`, `disputes`, `agreements`,
`subscriptions`, `others` (another issuer) ·
`rows` what records have to say.
"""

from __future__ import annotations

from tests.simulation.oracle import disputes, subscriptions
from tests.simulation.oracle.oracle import Oracle
from tests.simulation.oracle.types import Phone, Purse, Terms, Wrong

__all__ = ["Oracle", "Phone", "Purse", "Terms", "Wrong", "disputes", "subscriptions"]
