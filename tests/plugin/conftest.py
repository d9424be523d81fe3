"""A Medea to talk to: a real HTTPS server with a certificate from `certs/`, that answers what a test tells it to."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import urllib3
from flask.testing import FlaskClient

from certs.files import Files, ensure
from plugin.app import create_app
from plugin.medea import Medea
from plugin.settings import Settings

Call = Callable[..., Any]


class FakeMedea(ThreadingHTTPServer):
    """Stands in for Medea; remembers what it was asked."""

    daemon_threads = True

    def __init__(self, files: Files) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.status = 200
        self.body = b'{"node": {"phase": "Running", "message": "on blue"}, "requeue": "2s"}'
        self.connections = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"https://localhost:{self.server_port}"

    def answers(self, status: int, body: object) -> None:
        """From now on, this is what it says."""
        self.status, self.body = status, body if isinstance(body, bytes) else json.dumps(body).encode()

    def process_request(self, *accepted: Any) -> None:
        """Counts connections, which a test can't see otherwise."""
        self.connections += 1
        super().process_request(*accepted)

    def handle_error(self, *_: object) -> None:
        """A client that gives up or does not trust us is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: FakeMedea
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), json.loads(body)))
        self.server.may_answer.wait(30)
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """An authority, and a certificate for localhost."""
    return ensure(tmp_path_factory.mktemp("certs"))


@contextmanager
def serving(files: Files) -> Iterator[FakeMedea]:
    """A stand-in that runs with these certificates."""
    with FakeMedea(files) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.may_answer.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def fake_medea(files: Files) -> Iterator[FakeMedea]:
    """A running stand-in."""
    with serving(files) as server:
        yield server


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine an answer may take longer than the plugin waits, which is what one test is about."""
    monkeypatch.setattr("plugin.medea._TIMEOUT", urllib3.Timeout(connect=60.0, read=60.0))


@pytest.fixture
def settings(fake_medea: FakeMedea, files: Files, tmp_path: Path) -> Settings:
    """A pod whose tokens are files in a temporary folder."""
    agent_token, own_token = tmp_path / "agent", tmp_path / "own"
    agent_token.write_text("agents-secret\n")
    own_token.write_text("pods-secret\n")
    return Settings(medea_url=fake_medea.url, ca_pem=files.ca.read_text(), agent_token=agent_token, own_token=own_token)


@pytest.fixture
def client(settings: Settings) -> FlaskClient:
    """The plugin, without gunicorn."""
    return create_app(settings, Medea(settings)).test_client()


@pytest.fixture
def call(client: FlaskClient) -> Call:
    """What Argo's agent does: POST a body with its token."""

    def execute(body: object, token: str = "agents-secret") -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return client.post("/api/v1/template.execute", data=data, headers=headers)

    return execute


@pytest.fixture
def body() -> dict[str, Any]:
    """What Argo 3.7.4 sends for the template of a held Workflow."""
    return {
        "workflow": {"metadata": {"name": "pi-x7k2p", "namespace": "team-a", "uid": "0b0e"}},
        "template": {
            "name": "placement",
            "inputs": {},
            "outputs": {},
            "metadata": {},
            "plugin": {"medea": {"track": {"placement": "p-1"}}},
        },
    }
