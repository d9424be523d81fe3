"""The ledger's address as people write it, read strictly: one that is misread connects to nowhere, or to somebody else.

No message repeats an address, since it may hold a password. Pure.
"""

import re

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from webhook.errors import BadRequest
from webhook.ledger.connection import CONNECT

_HOST_PORT_DATABASE = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9_.-]+)(:(?P<port>[0-9]{1,5}))?(/(?P<database>[A-Za-z0-9_$.-]+))?"
)
_SCHEMES = ("postgresql://", "postgres://")
_TLS = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_OWN = ("options", *CONNECT)
"""Parameters that Medea sets itself."""
_LARGEST_PORT = 65535


def conninfo_of_url(url: str, user: str, password: str) -> str:
    """libpq's connection string for `POSTGRESQL_URL`: host, host:port or host:port/database. Raises BadRequest."""
    found = _HOST_PORT_DATABASE.fullmatch(url)
    if not found or int(found["port"] or 1) not in range(1, _LARGEST_PORT + 1):
        raise BadRequest(
            "POSTGRESQL_URL has to be host:port/database, with an IPv6 address in brackets: [2001:db8::1]:5432/medea. "
            "For anything else, sslmode too, set MEDEA_LEDGER_DSN to postgresql://user:password@host:5432/database"
        )
    return make_conninfo(
        host=found["host"].strip("[]"),
        port=found["port"] or "5432",
        dbname=found["database"] or "medea",
        user=user,
        password=password,
    )


def checked_dsn(dsn: str) -> str:
    """`MEDEA_LEDGER_DSN` as it is, once everything in it is understood. Raises BadRequest."""
    problem = _problem(dsn)
    if problem:
        raise BadRequest(
            f"MEDEA_LEDGER_DSN {problem}. It looks like postgresql://user:password@host:5432/database?sslmode=verify-full"
        )
    return dsn


def _problem(dsn: str) -> str | None:
    if not dsn.startswith(_SCHEMES):
        return f"doesn't begin with {_SCHEMES[0]}"
    if re.search(r"\s", dsn):
        return "has a space or a line break in it"
    # A character like these in a password moves the border between the parts, and libpq would not notice.
    authority, _, rest = dsn.partition("://")[2].partition("/")
    path = rest.partition("?")[0]
    if "#" in dsn or authority.count("@") > 1 or "@" in rest.partition("?")[0] or "/" in path:
        return "has one of @ / # in a name or password: write them as %40 %2F %23"
    try:
        parts = conninfo_to_dict(dsn)
    except ProgrammingError:
        return "can't be read: a parameter is unknown, or a % is not followed by two digits"
    return _missing(parts) or _wrong_parameter(parts)


def _missing(parts: dict[str, str | int | None]) -> str | None:
    for key, name in (("host", "host"), ("user", "user"), ("dbname", "database")):
        # libpq would take the name of whoever runs the process.
        if not parts.get(key) and not (key == "host" and parts.get("hostaddr")):
            return f"names no {name}"
    return None


def _wrong_parameter(parts: dict[str, str | int | None]) -> str | None:
    for port in str(parts.get("port") or "5432").split(","):
        if not port.isdigit() or int(port) not in range(1, _LARGEST_PORT + 1):
            return f"has a port that is no number from 1 to {_LARGEST_PORT}"
    if parts.get("sslmode", "prefer") not in _TLS:
        return f"has an sslmode that is none of {', '.join(_TLS)}"
    own = sorted(set(parts) & set(_OWN))
    return f"sets {own[0]}, which Medea sets itself" if own else None
