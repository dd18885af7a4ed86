"""The issuer: travellers' wallets in their home currency, and the codes their devices show.

Glossary. *Wallet*: a consumer's account and limits. *Device*: a phone with a seed from which it makes
one-time payment codes offline. *Authorization*: what the traveller was asked to pay for one payment,
at which rate, and what became of it. *Agreement*: one merchant may debit the wallet without asking each
time, within limits; an authorization made so names it. *Credit*: money that came in.

Invariants:
- a payment code is spent at most once (primary key);
- money leaves a wallet only by an authorised authorization or a capture of a held one, and never below zero,
  nor below what is held (ledger floor);
- nothing is authorised under an agreement before it began, after it ended, or above its limit;
- what came back for an authorization never exceeds what it took;
- seeds and the argon2 hashes of PINs are sealed at rest; no seed, PIN or code is ever logged.

Called by: flows (the payment engine), and the wallet's own doors. The engine's part
(`operations.engine`, `queries.engine`) works on whole batches; the rest on one wallet at a time.
"""
