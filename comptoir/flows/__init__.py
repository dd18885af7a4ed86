"""Everything that spans contexts: the payment engine and what it drives."""
