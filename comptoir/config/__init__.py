"""Wiring: settings, URLs and the ASGI application. The only room that knows all the others.

`environment` reads the process environment once · `settings` is Django's · `machines` starts what is
behind the machines' door · `observers` who watches (`metrics`, `tracing`) · `asgi` sends a request
to the machines' door or to the people's door · `urls` is the people's door.
"""
