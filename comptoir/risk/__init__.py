"""Risk: whether a payment that everybody else would let through should be made, by rules that are data.

Glossary. *Charge*: money about to leave a wallet for a merchant, with what rules may look at. *Rule*: when
it applies, and what is done then: flag, ask for the PIN, refuse. *Rule set*: all rules of one version; the
highest version is in force. *Limit*: the part of a rule that counts what went before ("velocity"). *Scope*:
whose payments are counted. *Bucket*: counters are kept in minutes, hours or days, whichever suits the
limit's window. *Assessment*: what the rules say of one charge. *Entry*: an assessment, as kept.

Invariants:
- rules are read as data and never run; a rule set that is not valid is not stored;
- an assessment depends on rule set, charge, instant and counters alone: a dry run over past payments says
  what would have been said;
- a payment is counted once, in the transaction that makes it, and taken back in the one that undoes it;
- of two actions the stricter one holds; every refused, asked or flagged charge has its entry;
- a passed payment costs no statement unless a rule counts.

Called by: flows (the payment engine, the dry run), cli. Knows no other context: whose merchant, wallet or
issuer it is comes with the charge.
"""
