"""Medea's own HTTP, at all of its doors."""

import functools
from typing import Any

import requests

from tests.lab.layout import (
    MEDEA_API_TOKEN,
    MEDEA_BALANCER_URL,
    MEDEA_CERTS,
    MEDEA_METRICS,
    MEDEA_PLUGIN_PORT,
    MEDEA_SCOUT_URL,
    MEDEA_URL,
)

WEBHOOK = MEDEA_URL
PLUGIN = f"https://127.0.0.1:{MEDEA_PLUGIN_PORT}"
BALANCER = MEDEA_BALANCER_URL
SCOUT = MEDEA_SCOUT_URL
METRICS = {part: f"http://localhost:{port}" for part, port in MEDEA_METRICS.items()}
CA = str(MEDEA_CERTS / "ca.crt")

PATIENCE = 5.0
"""Seconds in which every request must have its answer, whatever is in it."""


def call(
    method: str,
    path: str,
    *,
    base: str = BALANCER,
    token: str | None = None,
    body: Any = None,
    data: bytes | None = None,
    headers: dict[str, str] | None = None,
    within: float = PATIENCE,
) -> requests.Response:
    """Ask Medea; `body` is sent as JSON, `data` as it is.

    Without a token it is an administrator who asks; with an empty one, nobody.
    """
    bearer = administrator() if token is None else token
    known = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    headers = {**known, **(headers or {})}
    return _session().request(method, base + path, json=body, data=data, headers=headers, timeout=within)


patient_call = functools.partial(call, within=60.0)
"""For tests that share the machine with others, and whose point is not how soon there is an answer."""


def administrator() -> str:
    """The token of somebody who may do everything."""
    return MEDEA_API_TOKEN.read_text().strip()


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
    answer = patient_call("GET", f"/api/v1/targets/{namespace}")
    assert answer.status_code == 200, answer.text
    return {verdict["cluster"]: verdict for verdict in answer.json()["targets"]}


@functools.cache
def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = CA
    return session
