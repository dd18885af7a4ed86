"""Kernel: the values every other part speaks in. Pure Python, no I/O, no framework.

`money` amounts and rates · `ids` identifiers made by the caller · `clock` time as an
argument · `errors` what did not happen, by code · `pin` PINs and what wrong ones cost ·
`statements` database work described as data, so that the same flow runs in an async engine,
a sync worker or a simulation.
"""
