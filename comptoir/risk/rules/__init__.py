"""What risk decides: `reading` rule sets as data, `assessing` charges by them, `counting` what was paid."""
