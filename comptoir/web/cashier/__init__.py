"""The cashier: what stands behind a shop's codes, a payment's `normalUrl` and an agreement's.

A traveller who opens the address in a browser sees shop, amount and the code to scan with the wallet;
the page follows the payment and hands the buyer back to the shop once it is final. `consent` does the
same for leave to be paid without asking each time. `entry` is behind the code on a shop's wall: it asks
for the amount, in a wallet's own browser, and opens the order. `guard` is what all pages promise the browser.
"""
