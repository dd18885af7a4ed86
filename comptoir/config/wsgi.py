"""The people's door as WSGI: Django, and whether it can serve."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comptoir.config.settings")

from django.core.wsgi import get_wsgi_application

from comptoir.web.components.health import WithHealth

application = WithHealth(get_wsgi_application())
