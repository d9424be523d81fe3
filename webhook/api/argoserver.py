"""Client of the front door's argo-server, which knows best what a verb does to a Workflow, such as a retry.

argo-server changes the Workflow through the front door's apiserver, and there Medea's own webhook sees the change and
passes it on to the run.
"""

import json
import re
import ssl
import time

import urllib3
from prometheus_client import Histogram

from webhook.api.limits import ConcurrencyLimit
from webhook.errors import (
    ArgoServerUnavailable,
    BadRequest,
    Clash,
    Forbidden,
    MedeaError,
    Missing,
    Refused,
    Unauthenticated,
    quoted,
)
from webhook.kube.resources import checked_name
from webhook.model.limits.api import ARGO_SERVER_CONNECT, ARGO_SERVER_READ
from webhook.model.objects import Object

_SECONDS = Histogram(
    "medea_argo_server_request_seconds",
    "Time of one request to the front door's argo-server",
    ["verb", "outcome"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

_TIMEOUT = urllib3.Timeout(connect=ARGO_SERVER_CONNECT, read=ARGO_SERVER_READ)
# Retry only failed connections: then nothing can have happened.
_RETRIES = urllib3.Retry(connect=2, read=False, redirect=0, status=0, other=0, backoff_factor=0.1)

NO_NODE = "no suspend nodes matching"
"""Argo's message when a selector matches no suspended node."""
# Argo has no error codes for these; only the message tells them from an internal failure.
_WRONG_STATE = re.compile(
    "cannot shutdown a completed|cannot suspend completed|Cannot retry a workflow in phase|must be Failed/Error"
)
_WRONG_REQUEST = re.compile(
    "only targets? suspend nodes|" + NO_NODE + "|cannot set output parameter|not expecting|"
    "has not been set and does not have a default|invalid selector|invalid field selector|To retry a succeeded|"
    "expected value of the form|is an invalid phase|unable to parse|denied the request"
)


class ArgoServer:
    """A client of argo-server, safe to share between threads.

    `url` is None if it is not configured. `ca` is a file with the CAs to trust; None for the system's. It is sent
    whatever Authorization header a call brings, and never one of its own.
    """

    def __init__(self, url: str | None, ca: str | None, slots: ConcurrencyLimit) -> None:
        self._url, self._slots = url.rstrip("/") if url else None, slots
        context = ssl.create_default_context(cafile=ca)
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=_RETRIES, ssl_context=context, maxsize=16)

    def steer(self, namespace: str, name: str, verb: str, body: Object, authorization: str | None) -> Object:
        """Apply `verb` to a Workflow with the header `authorization` (None: none); returns argo-server's Workflow.

        Raises Missing, BadRequest, Refused, Clash (wrong state for this verb), Forbidden, or ArgoServerUnavailable,
        after which the verb may or may not have been applied.
        """
        if self._url is None:
            raise ArgoServerUnavailable(f"{verb} needs the front door's argo-server: set MEDEA_ARGO_SERVER to its URL")
        path = f"/api/v1/workflows/{checked_name('namespace', namespace)}/{checked_name('name', name)}/{verb}"
        with self._slots.one():
            status, data = self._put(
                verb, self._url + path, {**body, "namespace": namespace, "name": name}, authorization
            )
        if status == 200:
            return _workflow(data)
        raise error_of(status, _words(data), with_token=authorization is not None)

    def _put(self, verb: str, url: str, body: Object, authorization: str | None) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json", "User-Agent": "medea"}
        if authorization:
            headers["Authorization"] = authorization
        started, outcome = time.perf_counter(), "unavailable"
        try:
            response = self._pool.request("PUT", url, body=json.dumps(body).encode(), headers=headers)
            outcome = str(response.status)
            return response.status, response.data
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise ArgoServerUnavailable(f"argo-server did not answer: {quoted(str(error))}") from error
        finally:
            _SECONDS.labels(verb, outcome).observe(time.perf_counter() - started)


def error_of(status: int, words: str, *, with_token: bool) -> MedeaError:
    """Argo's error as one of Medea's. Pure."""
    if status == 404:
        return Missing(words)
    if status == 409 or (status in (400, 500) and _WRONG_STATE.search(words)):
        return Clash(words)
    if status in (400, 403, 500) and _WRONG_REQUEST.search(words):
        return Refused(words)
    if status == 403 or (status == 401 and with_token):
        return Forbidden(f"argo-server does not allow it: {words}")
    if status == 401:
        return Unauthenticated(f"argo-server wants to know who asks; send your own header Authorization: {words}")
    if 400 <= status < 500 and status not in (408, 429, 499):
        return BadRequest(words)
    return ArgoServerUnavailable(f"argo-server answered {status}: {quoted(words)}")


def _words(data: bytes) -> str:
    try:
        return str(json.loads(data)["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return quoted(data[:200].decode(errors="replace"))


def _workflow(data: bytes) -> Object:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or "metadata" not in found:
        raise ArgoServerUnavailable(f"something that is no argo-server answers: {quoted(data[:80])}")
    return found
