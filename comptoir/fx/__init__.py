"""Exchange rates: what a currency is worth today, what we charge for it, and the promise of a price.

Glossary

- *reference rate*: units of a currency for one euro on a day, as the ECB published it;
- *mid*: the cross of two reference rates, through the euro, no margin;
- *margin*: what the merchant's contract adds to the mid, in basis points (100 = 1 percent);
- *price*: mid plus margin; what a payment is converted at;
- *quote*: an id, a direction, a mid, a price, and how long they are promised;
- *base* is what the merchant charges in, *quote* (the currency) what the wallet pays in:
  1 major unit of base is `price` major units of quote;
- *conversion*: a payment taken apart: total = mid part + margin part, in the wallet's currency.

Invariants

- A recorded rate is never changed: a second, different one for the same day is refused.
- No payment is converted at a rate that is missing, too old, dated ahead, or not believable.
- A margin part is never negative, and a total is never zero.
- A quote is never changed; the payment that uses it names it, so rate and margin stay visible.
- Arithmetic is on integers and decimals, rounded once, by a named rule (decision 0011).

Who calls it: `flows` for every payment in two currencies (the quote book and the statements of
`queries.engine`), the worker and the commands to record rates, doors to show them. Comptoir's
customs month rate and payout rate are other rates: they are not kept here.
"""
