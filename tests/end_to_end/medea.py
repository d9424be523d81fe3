"""Medea's own HTTP, on all of its ports."""

import functools
from typing import Any

import requests

from tests.lab.layout import MEDEA_CERTS, MEDEA_URL

TLS = MEDEA_URL
BALANCER = "http://localhost:8090"
SCOUT = "http://localhost:8091"
METRICS = "http://localhost:9095"
CA = str(MEDEA_CERTS / "ca.crt")

PATIENCE = 5.0
"""Seconds in which every request must have its answer, whatever is in it."""


def call(
    method: str,
    path: str,
    *,
    base: str = TLS,
    body: Any = None,
    data: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> requests.Response:
    """Ask Medea; `body` is sent as JSON, `data` as it is."""
    return _session().request(method, base + path, json=body, data=data, headers=headers, timeout=PATIENCE)


def error_of(answer: requests.Response, status: int | range = range(400, 500)) -> dict[str, Any]:
    """The error in an answer, which must be in the one shape and of that status."""
    allowed = (status,) if isinstance(status, int) else status
    assert answer.status_code in allowed, f"{answer.status_code}: {answer.text[:300]}"
    error = answer.json()["error"]
    assert error["code"] and isinstance(error["code"], str)
    assert error["message"] and isinstance(error["message"], str)
    assert list(answer.json()) == ["error"]
    return dict(error)


def targets(namespace: str) -> dict[str, dict[str, Any]]:
    """What Medea knows of each target's room for a namespace."""
    answer = call("GET", f"/api/v1/targets/{namespace}")
    answer.raise_for_status()
    return {verdict["cluster"]: verdict for verdict in answer.json()["targets"]}


@functools.cache
def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = CA
    return session
