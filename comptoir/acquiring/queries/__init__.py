"""Reads of the acquirer."""
