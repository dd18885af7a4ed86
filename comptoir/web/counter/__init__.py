"""The counter: a shop assistant takes payments with a tablet, a phone, or a till with a hand scanner.

An amount, then the customer's code (scanned by hand scanner or camera, or typed) or a code of ours that the
customer scans; then what became of it, in green or red, with what to do. Beside that the day: its payments,
its totals, refunds under a manager's PIN, receipts, the poster with the code for the wall.

*Sale*: one amount to be paid by one customer; its id is made before anything is asked for, stands in the
page's address and names the payment for ever. So a page that is sent twice, loaded again, opened twice or
cut off finds the one payment. *Till*: the store and terminal that a device stands at, kept in a cookie.
*Seen*: what the assistant is told of a payment.

`place` where the device stands, and the frame of every page · `sale` the pages of one sale · `day` the day
and its payments, in `lists` · `giving_back` closing and refunds · `printing` receipts and posters, which
`papers` draws · `outcomes` what is seen of a payment, pure · `words` in which words · `sections` the
navigation · `offline` the counter as an app, and its page for when there is no network · `static/counter`
sends a sale until it is answered (decision 0039).
"""
