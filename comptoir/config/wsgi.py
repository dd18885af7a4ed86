"""The people's door as WSGI: Django."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comptoir.config.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
