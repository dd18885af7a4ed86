"""How passwords are kept."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class PasswordHasher(Argon2PasswordHasher):
    """Argon2id with the least that OWASP's Password Storage Cheat Sheet asks: 19 MiB, 2 passes, 1 lane.

    Django's own parameters take 100 MiB and 8 lanes: on a small machine that is a way to stop it by
    logging in. A password kept under other parameters is kept anew at its next login.
    """

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1
