"""Checks of the house itself. Development only: nothing here is installed or shipped."""
