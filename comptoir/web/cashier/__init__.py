"""The cashier: what stands behind an order code and behind a payment's `normalUrl`.

A traveller who opens the address in a browser sees shop, amount and the code to scan with the wallet;
the page follows the payment and hands the buyer back to the shop once it is final.
"""
