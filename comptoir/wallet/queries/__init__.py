"""Reads of the issuer."""
