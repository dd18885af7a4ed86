"""The wallet: what a traveller opens on the phone, at ``/wallet/``.

`holder` says whose wallet a page is about, and from which device · `doing` carries out the engine's commands
and says refusals in the traveller's words · `scanning` tells what a scanned text is · `cursors` are places in
a statement as they stand in an address · `pages` has one module a subject · `static/wallet` is the part that
works without a network: payment codes, their pictures, the service worker.

Every page that pays, agrees or changes something asks for the PIN, can be sent twice without doing anything
twice, and works without JavaScript. The pay code page holds nothing of anybody's: it is kept on the phone.
"""
