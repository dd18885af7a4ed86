"""Exchange rates: reference rates, margins, quotes, conversions."""
