"""The acquirer: merchants, payments, refunds, cancellations, notifications."""
