"""The books: double entry, one currency an account, amounts in minor units.

Glossary. *Account*: one owner's money of one role in one currency. *Transfer*: money from one
account to another. *Hold*: a pending transfer, later posted (whole or in part) or voided. *Group*:
transfers that are posted all or none. *Batch*: what one call of the posting function recorded, a
link of the hash chain. *Floor*: what an account's available balance may never fall under.

Invariants, each proven by `comptoir verify`:
- sums change only through transfers; transfers are never edited or deleted;
- in every currency, debits equal credits;
- no account with a floor is under it;
- every batch's hash covers its transfers and the batch before it.

The books have one writer at a time (`lock`): the order of postings is one order, for everybody.
Called by: fx, wallet, acquiring, flows. Knows none of them.
"""
