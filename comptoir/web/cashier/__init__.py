"""The cashier: what stands behind an order code, a payment's `normalUrl` and an agreement's.

A traveller who opens the address in a browser sees shop, amount and the code to scan with the wallet;
the page follows the payment and hands the buyer back to the shop once it is final. `consent` does the
same for leave to be paid without asking each time. `guard` is what all pages promise the browser.
"""
