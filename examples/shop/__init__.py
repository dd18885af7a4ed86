"""A small online shop that is paid through the hosted cashier page. See README.md.

`orders` what was ordered and how it stands · `payments` the official SDK · `pages` HTML · `app` WSGI.
"""
