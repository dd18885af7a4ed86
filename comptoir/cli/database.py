"""For commands that work on the database of an installation and then end."""

from __future__ import annotations

from comptoir.config.environment import Environment, read_environment
from comptoir.kernel.errors import ComptoirError


class DatabaseAway(ComptoirError):
    """The database does not answer, or is not one of ours."""

    code = "cli.database_away"


def open_database() -> Environment:
    """Set Django up and make sure that the database answers and has our tables. Raises DatabaseAway."""
    environment = connect_database()
    from django.db import connection

    if "ledger_book" not in connection.introspection.table_names():
        raise DatabaseAway("the database has no tables yet: run `comptoir migrate`")
    return environment


def connect_database() -> Environment:
    """Set Django up and make sure that the database answers. Raises DatabaseAway."""
    environment = read_environment()
    environment.require_master_key()
    import django

    django.setup()
    from django.db import OperationalError, connection

    try:
        connection.ensure_connection()
    except OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        where = (
            f"of {environment.home}: is `comptoir up` running?" if environment.embedded else "of DATABASE_URL"
        )
        raise DatabaseAway(f"no answer from the database {where} ({reason})") from None
    return environment
