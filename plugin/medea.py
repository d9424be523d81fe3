"""The client of Medea. Whatever happens, it returns a reply that Argo can act on.

If a call gets a 503 or no answer, Argo's agent repeats it four times within some 15 s, and then fails the node and with
it the Workflow. A restart of Medea can take longer, while the run on its target is fine. So the reply to any temporary
problem is a node that is still running, and when to ask again.
"""

import json
import logging
import random
import ssl
from pathlib import Path
from typing import Any

import urllib3

from plugin.settings import Settings

THREADS = 8
"""Calls at once. The agent has 16 workers, and a call takes at most two seconds."""

_TIMEOUT = urllib3.Timeout(connect=1.0, read=1.0)
"""Seconds. Medea answers from its ledger in milliseconds; waiting longer would only delay the agent's other tasks."""

_ASK_AGAIN = (5.0, 20.0)
"""A random number of seconds between these: shorter than a restart of Medea, but long and spread enough that all held
Workflows together don't overload it."""

_REFUSED = frozenset({400, 403, 404, 409, 413, 422})
"""Medea understood and refused: asking again would get the same answer."""

_log = logging.getLogger(__name__)


class Medea:
    """Client of Medea's plugin API, with the token of this pod's ServiceAccount."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.medea_url + "/api/v1/plugin"
        self._token = settings.own_token
        # Not requests, which would also trust all public CAs.
        context = ssl.create_default_context(cadata=settings.ca_pem)
        self._pool = urllib3.PoolManager(ssl_context=context, timeout=_TIMEOUT, retries=False, maxsize=THREADS)

    def ask(self, question: bytes) -> dict[str, Any]:
        """The reply for Argo. Never raises, whatever goes wrong with Medea, the network or the token."""
        try:
            token = read_token(self._token)
            response = self._pool.request(
                "POST",
                self._url,
                body=question,
                headers={
                    "Authorization": f"Bearer {token}",
                    "Content-Type": "application/json",
                    # Each plugin asks about once a minute: thousands of idle connections would crowd out all others.
                    "Connection": "close",
                },
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            _log.warning("%s cannot be asked: %s", self._url, error)
            return _still_running(_why(error))
        answer = _json(response.data)
        if response.status == 200 and isinstance(answer.get("node"), dict):
            return answer
        message = _message(answer)
        if response.status in _REFUSED and message:
            return {"node": {"phase": "Error", "message": message}}
        _log.warning("%s answered %s: %.200r", self._url, response.status, response.data)
        return _still_running(message or f"it answers {response.status}, and nothing that Medea would say")


def read_token(path: Path) -> str:
    """The token in this file. Read for each call, because tokens are replaced in place."""
    token = path.read_text().strip()
    if not token:
        raise ValueError(f"{path} is empty")
    return token


def _still_running(why: str) -> dict[str, Any]:
    message = f"Medea cannot be asked: {why}. Asking again soon"
    return {"node": {"phase": "Running", "message": message}, "requeue": f"{random.uniform(*_ASK_AGAIN):.1f}s"}


def _why(error: Exception) -> str:
    """A message for users of Argo; the library's own message goes to the log."""
    match error:
        case urllib3.exceptions.NameResolutionError():
            return "its name is not known here"
        case urllib3.exceptions.NewConnectionError():
            return "the connection is refused"
        case urllib3.exceptions.TimeoutError():
            return "it does not answer in time"
        case urllib3.exceptions.SSLError():
            return f"its certificate is not trusted here ({error})"
        case urllib3.exceptions.HTTPError():
            return "the connection broke"
        case _:
            return f"the plugin's own token cannot be read ({error})"


def _json(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _message(answer: dict[str, Any]) -> str:
    error = answer.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    return message if isinstance(message, str) else ""
