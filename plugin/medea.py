"""The one way to Medea: a question goes out, and what comes back is always something Argo can act on.

Argo's agent repeats a call that got a 503 or no answer four times, for some 15 s in all, and then fails the node and
with it the Workflow. A restart of Medea can take longer, and the run on its target knows nothing of it. So whatever may
pass by itself is answered with a node that is still running and a time at which to ask again; the agent always does.
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
"""Calls at a time: the agent has 16 workers, and each of our calls takes two seconds at the very worst."""

_TIMEOUT = urllib3.Timeout(connect=1.0, read=1.0)
"""Medea answers from its ledger in milliseconds. Waiting longer would only hold up the agent's other tasks."""

_ASK_AGAIN = (5.0, 20.0)
"""Seconds, any between these: short beside a restart of Medea, and long enough, and never at once, so that all held
Workflows together are no load on one that struggles."""

_REFUSED = frozenset({400, 403, 404, 409, 413, 422})
"""Medea understood and said no: the same question will get the same answer."""

_log = logging.getLogger(__name__)


class Medea:
    """Medea's plugin API, as this pod's ServiceAccount sees it."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.medea_url + "/api/v1/plugin"
        self._token = settings.own_token
        # urllib3 itself and not requests, which would add every public authority to those we trust.
        context = ssl.create_default_context(cadata=settings.ca_pem)
        self._pool = urllib3.PoolManager(ssl_context=context, timeout=_TIMEOUT, retries=False, maxsize=THREADS)

    def ask(self, question: bytes) -> dict[str, Any]:
        """Argo's reply to this question. Never raises for anything that Medea, the network or the pod may do."""
        try:
            token = read_token(self._token)
            response = self._pool.request(
                "POST",
                self._url,
                body=question,
                headers={
                    "Authorization": f"Bearer {token}",
                    "Content-Type": "application/json",
                    # It asks about once a minute: thousands of connections kept for that would crowd out all others.
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
    """The token in this file as it is now, because both kinds are replaced in place."""
    token = path.read_text().strip()
    if not token:
        raise ValueError(f"{path} is empty")
    return token


def _still_running(why: str) -> dict[str, Any]:
    message = f"Medea cannot be asked: {why}. Asking again soon"
    return {"node": {"phase": "Running", "message": message}, "requeue": f"{random.uniform(*_ASK_AGAIN):.1f}s"}


def _why(error: Exception) -> str:
    """A client library's words are for the log; a node's message is read by people who never heard of it."""
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
