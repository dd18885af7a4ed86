"""The browsers inside wallets: what they call themselves in ``User-Agent``.

A code on a shop's wall opens a page; whether the page is in a wallet, which can pay, or in an ordinary
browser, only the user agent says. No wallet publishes a grammar. The words looked for are those that
integrators look for (read November 2026), and our own wallet's. They decide what is shown, never what is
allowed: anybody can claim to be anything.
"""

from __future__ import annotations

from enum import Enum


class WalletBrowser(Enum):
    """Whose browser it is; the value is the word that gives it away."""

    #: A browser in Alipay.
    ALIPAY = "AlipayClient"
    #: A browser in one of the wallets behind Alipay+.
    ALIPAY_PLUS = "AlipayConnect"
    #: A browser in a wallet of this house.
    COMPTOIR = "ComptoirWallet"


def parse(user_agent: str) -> WalletBrowser | None:
    """The wallet whose browser sends this ``User-Agent``, or None for an ordinary one."""
    return next((one for one in WalletBrowser if one.value in user_agent), None)
