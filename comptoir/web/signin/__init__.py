"""Logging in: staff at `/login`, travellers at the wallet's own page, a second factor, and logging out.

django-allauth does the work; `adapters` say how it is done here (no e-mail, no sign-up, secrets sealed),
`forms` who may come in at which door, `views` and `urls` which of its pages exist, `signals` what a login
leaves behind: the session's clock, the person's language and theme in the browser, an entry in the record.
"""
