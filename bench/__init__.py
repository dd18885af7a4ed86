"""The bench: signed in-store payments per second, over HTTP, beside what this machine can do at all.

`house` a whole Comptoir in a temporary folder · `world` who pays whom · `tills` requests signed beforehand ·
`load` the load generator · `machine` what is measured besides · `rounds` what is run, and in which order ·
`report` the table and the one JSON line. Run by `make bench`; what the figures mean is in
docs/operating/performance.md.
"""
