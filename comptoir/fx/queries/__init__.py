"""Reads of rates and quotes."""
