"""Writes of rates and quotes."""
