"""What the plugin is told, and the program as it really starts."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from plugin.settings import PORT, Settings, SettingsError
from tests.plugin.conftest import FakeMedea
from tests.support.ports import until_it_listens


@pytest.fixture
def env(settings: Settings) -> dict[str, str]:
    """An environment with all that is needed."""
    return {
        "MEDEA_URL": settings.medea_url,
        "MEDEA_CA_CERT": settings.ca_pem,
        "MEDEA_PLUGIN_AGENT_TOKEN": str(settings.agent_token),
        "MEDEA_PLUGIN_OWN_TOKEN": str(settings.own_token),
    }


def test_the_environment_becomes_settings(env: dict[str, str], settings: Settings) -> None:
    assert Settings.from_env(env) == settings


def test_argos_and_kubernetes_own_places_are_the_defaults(env: dict[str, str]) -> None:
    told = Settings.from_env({name: env[name] for name in ("MEDEA_URL", "MEDEA_CA_CERT")})
    assert told.agent_token == Path("/var/run/argo/token")
    assert told.own_token == Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
    assert told.port == PORT


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("MEDEA_URL", url) for url in ("", "medea", "http://medea", "https://", "https://m:x", "https://m:70000")),
        *(("MEDEA_URL", url) for url in ("https://m/api", "https://m?x", "https://u:p@m", "https://[::1")),
        *(("MEDEA_CA_CERT", pem) for pem in ("", " \n", "/certs/ca.crt", "-----BEGIN CERTIFICATE-----", "ä")),
        *(("MEDEA_PLUGIN_PORT", port) for port in ("0", "65536", "-1", "http", "1e3", "²", "9" * 99)),
    ],
)
def test_a_wrong_variable_is_named(env: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} .*expected "):
        Settings.from_env({**env, name: value})


@pytest.mark.parametrize("url", ["https://medea.medea-system.svc", "https://10.0.0.1:8443/", "https://[::1]:8443"])
def test_any_https_host_will_do(env: dict[str, str], url: str) -> None:
    assert Settings.from_env({**env, "MEDEA_URL": url}).medea_url == url.rstrip("/")


def test_a_wrong_environment_ends_the_program_with_one_line() -> None:
    done = subprocess.run([sys.executable, "-m", "plugin"], env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("medea plugin: MEDEA_URL is ''")
    assert done.stderr.count("\n") == 1


def test_the_program_serves_and_stops_when_told(env: dict[str, str], fake_medea: FakeMedea) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    body = {
        "workflow": {"metadata": {"name": "w", "namespace": "n", "uid": "u"}},
        "template": {"plugin": {"medea": {"get": {}}}},
    }
    with (
        subprocess.Popen(
            [sys.executable, "-m", "plugin"], env={**os.environ, **env, "MEDEA_PLUGIN_PORT": str(port)}
        ) as program,
        urllib3.PoolManager(retries=until_it_listens()) as agent,
    ):
        try:
            url = f"http://localhost:{port}"
            assert agent.request("GET", f"{url}/healthz").status == 200
            headers = {"Authorization": "Bearer agents-secret"}
            answer = agent.request("POST", f"{url}/api/v1/template.execute", json=body, headers=headers)
            assert answer.json()["node"]["message"] == "on blue"
        finally:
            program.send_signal(signal.SIGTERM)
        assert program.wait(20) == 0
    assert len(fake_medea.asked) == 1
