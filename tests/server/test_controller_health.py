"""Whoever runs the controller can see that it works, and restarts it when it no longer does."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from webhook.kube import threads
from webhook.kube.threads import dead_threads, start
from webhook.server.health import health_app, start_health_server


@contextmanager
def serving(unready: str | None = None) -> Iterator[str]:
    server = start_health_server("127.0.0.1", 0, unready=lambda: unready)
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def ask(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_process_that_works_is_healthy_and_ready_and_shows_its_metrics() -> None:
    with serving() as url:
        assert ask(f"{url}/readyz") == (200, "ok\n")
        status, text = ask(f"{url}/metrics")
        assert status == 200 and "python_info" in text


def test_any_other_page_is_none_of_its() -> None:
    with serving() as url:
        assert ask(f"{url}/nonsense")[0] == 404
        assert ask(f"{url}/healthz/")[0] == 404


def test_one_that_waits_says_for_what() -> None:
    with serving("the ledger is not known yet") as url:
        assert ask(f"{url}/readyz") == (503, "the ledger is not known yet\n")


def test_a_thread_that_died_makes_the_process_unhealthy_so_that_it_is_restarted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "_dead", {})

    def body() -> None:
        raise RuntimeError("nobody thought of this")

    start("worker-of-a-test", body).join(60)
    assert "worker-of-a-test" in dead_threads()
    with serving() as url:
        status, text = ask(f"{url}/healthz")
    assert status == 503 and "worker-of-a-test" in text


@pytest.mark.parametrize(("dead", "status"), [([], "200 OK"), (["queue"], "503 Service Unavailable")])
def test_without_a_dead_thread_it_is_healthy(dead: list[str], status: str) -> None:
    said: list[str] = []
    app = health_app(lambda: None, lambda: dead)
    list(app({"PATH_INFO": "/healthz"}, lambda status, _headers: said.append(status)))
    assert said == [status]
