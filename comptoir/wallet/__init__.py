"""The issuer: consumers' wallets, payment codes, confirmations, limits."""
