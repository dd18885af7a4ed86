"""Writes of the acquirer."""
