"""Writes of the issuer."""
