"""A door's certificate: waited for before it listens, and taken up while it runs."""

import base64
import datetime
import http.client
import json
import ssl
import threading
from pathlib import Path

import pytest

from certs import authority
from tests.certificates.house import MINUTE, pair
from tests.server.conftest import Running, asked
from tests.support.scripted_apiserver import Script, apiserver, reply
from webhook.certificates import folder
from webhook.model.limits.certificates import CERTIFICATE_WAIT
from webhook.server.doors import DoorName, door_of
from webhook.server.server import before_listening
from webhook.server.tls import Tls
from webhook.settings import Settings


def made() -> dict[str, bytes]:
    """A pair for this machine, valid now."""
    _, tls = pair(authority.subjects(["localhost"], []), datetime.datetime.now(datetime.UTC), 60 * MINUTE)
    return tls


def connection(server: Running, ca: bytes) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cadata=ca.decode())
    return http.client.HTTPSConnection("localhost", server.port, timeout=20, context=context)


def test_a_new_certificate_is_shown_to_whoever_connects_and_interrupts_nobody(server: Running, tmp_path: Path) -> None:
    before = server.connection()
    assert asked(before, "/healthz")[0] == 200
    for _ in range(2):
        tls = made()
        folder.replace(tmp_path / "certs", tls)
        after = connection(server, tls["ca.crt"])
        assert asked(after, "/healthz")[0] == 200
        after.close()
    assert asked(before, "/healthz")[0] == 200
    before.close()


def test_a_folder_is_read_as_a_whole_even_while_it_is_first_replaced(tmp_path: Path) -> None:
    folder.replace(tmp_path, made())
    (tmp_path / "tls.key").unlink()
    (tmp_path / "tls.key").write_bytes(made()["tls.key"])
    assert Tls("MEDEA_CERTS", tmp_path).context().cert_store_stats()


def test_a_door_waits_for_its_certificate_and_leaves_no_thread_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = made()
    secret = {
        "metadata": {"name": "medea-tls"},
        "data": {key: base64.b64encode(value).decode() for key, value in tls.items()},
    }
    missing = reply(404, {"kind": "Status", "reason": "NotFound", "message": "none", "code": 404})
    monkeypatch.setattr("webhook.certificates.delivery.CERTIFICATE_WAIT", CERTIFICATE_WAIT / 100)
    script = Script(missing, missing, reply(200, secret))
    with apiserver(script) as front:
        settings = _settings(tmp_path, front.address)
        threads = threading.active_count()
        before_listening(settings, door_of(DoorName.WEBHOOK, settings))
        # The apiserver here has one for the connection.
        assert threading.active_count() <= threads + 1
    assert script.requests == ["GET /api/v1/namespaces/medea-system/secrets/medea-tls"] * 3
    assert folder.read(tmp_path / "tls") == tls


@pytest.mark.parametrize("name", [DoorName.LOGS, DoorName.API])
def test_a_door_that_does_not_show_that_certificate_does_not_wait_for_it(name: DoorName, tmp_path: Path) -> None:
    settings = _settings(tmp_path, "http://127.0.0.1:1")
    before_listening(settings, door_of(name, settings))
    assert not (tmp_path / "tls").exists()


def _settings(tmp_path: Path, address: str) -> Settings:
    config = {
        "clusters": [{"name": "front", "cluster": {"server": address}}],
        "users": [{"name": "medea", "user": {}}],
        "contexts": [{"name": "front", "context": {"cluster": "front", "user": "medea"}}],
        "current-context": "front",
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    return Settings.model_validate(
        {
            "kubeconfig": tmp_path / "kubeconfig",
            "medea_certs": tmp_path / "tls",
            "medea_logs_certs": tmp_path / "logs",
            "medea_tls_secret": "medea-tls",
            "medea_api": "open",
        }
    )
