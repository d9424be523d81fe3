"""A process of which a thread has died says so to whoever would restart it."""

import threading
from typing import Any

import pytest
from flask.testing import FlaskClient

from webhook.kube import threads
from webhook.server.apps import create_webhook_app
from webhook.server.clients import Clients
from webhook.wiring.doors import Background


@pytest.fixture
def client() -> FlaskClient:
    """A service that is well."""
    admission: Any = None
    return create_webhook_app(admission, Background(), Clients(None)).test_client()


def test_it_is_well_while_all_threads_live(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_dead", {})
    over = threading.Event()

    def lives() -> None:
        over.wait(20)

    living = threads.start("living", lives)
    assert client.get("/healthz").status_code == 200
    over.set()
    living.join(20)


def test_a_thread_that_died_fails_it_with_its_name(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_dead", {})

    def dies() -> None:
        raise RuntimeError("a bug")

    threads.start("sampler", dies).join(20)
    answer: Any = client.get("/healthz")
    assert answer.status_code == 503
    assert "sampler" in answer.json["error"]["message"]
