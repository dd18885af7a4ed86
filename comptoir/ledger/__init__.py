"""The books: accounts, transfers, balances, verification."""
