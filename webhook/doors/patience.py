"""How long a client may take with a request. Strangers get little: each slow one holds a thread of its door."""

from collections.abc import Mapping
from typing import Any


def give_time(environ: Mapping[str, Any], *, silence: float, whole: float) -> None:
    """Bear with a caller who is known: for `whole` seconds in all, `silence` of which nothing may happen at a time.

    An open door has no deadlines, and nothing to be told; see `webhook.server.tls` for the others.
    """
    give = getattr(environ.get("gunicorn.socket"), "give_time", None)
    if give is not None:
        give(silence=silence, whole=whole)
