"""The commands: the three trees and jobs as the API tells them, and edges that are registered."""

import base64
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.end_to_end.waiting import eventually
from tests.support.door_process import front_door
from tests.support.fake_apiserver import FakeApiserver
from webhook.cli import app
from webhook.edges.commands import token_in
from webhook.errors import MedeaError
from webhook.kube.kubeconfig import configuration_of
from webhook.kube.resources import SECRETS
from webhook.model.contract import CLUSTER

Object = dict[str, Any]
Settings = tuple[list[str], dict[str, str]]
"""Options, and what is in the environment."""
ROOM = {"quota": 8.0, "usedByOthers": 0.0, "reserved": 1.0, "free": 7.0}
TREES: dict[str, Object] = {
    "inventory": {
        "namespace": "ns",
        "targets": [
            {"name": "west", "usable": True, "why": "", "cpu": ROOM, "memory": {**ROOM, "free": None}}
            | {"sampleAge": 1.0, "clusterProfile": "west"}
        ],
    },
    "config": {
        "namespace": "ns",
        "chunks": "move",
        "truncated": True,
        "jobs": [
            {"workflow": "power-job-7", "job": 7, "name": None, "powerNeeded": 100, "split": "auto", "items": 10}
            | {"submittedBy": "ann", "creationTime": 1}
        ],
    },
    "desired": {
        "namespace": "ns",
        "waiting": 3,
        "truncated": False,
        "targets": [
            {
                "name": "west",
                "runs": [{"workflow": "power-job-7-a-0", "chunkOf": "power-job-7", "state": "running"}
                         | {"cpu": 0.5, "memory": 1.0}],
            }
        ],
    },
}  # fmt: skip


class Api:
    """Answers as the API does, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.bodies: list[Object] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.asked.append(self.path)
                self._send(200, TREES[self.path.strip("/").partition("?")[0]])

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.bodies.append(body)
                self._send(200, {"id": len(api.bodies), "state": {"phase": "Pending"}})

            def _send(self, status: int, body: Object) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """An open API."""
    made = Api()
    monkeypatch.setenv("MEDEA_SCOUT_URL", f"http://127.0.0.1:{made.server.server_port}")
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ("inventory", ["west", "7", "any"]),
        ("config", ["power-job-7", "100", "auto", "chunks move", "there are more"]),
        ("desired", ["power-job-7-a-0", "running", "0.5", "3 wait for a target"]),
    ],
)
def test_a_tree_is_shown_as_the_api_tells_it(api: Api, tree: str, words: list[str]) -> None:
    done = CliRunner().invoke(app, [tree, "-n", "ns"])
    assert done.exit_code == 0, done.output
    assert all(word in done.output for word in words), done.output
    assert api.asked == [f"/{tree}?namespace=ns"]


def test_jobs_are_asked_for_at_a_rate(api: Api) -> None:
    done = CliRunner().invoke(
        app, ["jobs", "--rate", "100", "--power", "5-9", "--count", "3", "-n", "ns", "--seed", "4"]
    )
    assert done.exit_code == 0, done.output
    assert "3 jobs were asked for" in done.output
    assert [body["name"] for body in api.bodies] == ["busy-4-0", "busy-4-1", "busy-4-2"]
    assert all(5 <= body["power"] <= 9 for body in api.bodies)


@pytest.mark.parametrize("power", ["9-5", "0-5", "a-b", "5", "5-", "-5", "5-9-11", "1-" + "9" * 50])
def test_a_range_that_is_none_is_refused(power: str) -> None:
    done = CliRunner().invoke(app, ["jobs", "--count", "1", f"--power={power}"])
    assert isinstance(done.exception, MedeaError) and done.exception.message.startswith("--power is")


def test_a_token_that_was_being_written_at_a_kill_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.touch()
    made = token_in(file)
    assert len(made) >= 32 and token_in(file) == made and file.stat().st_mode & 0o077 == 0


BY_OPTIONS: Settings = ["--count", "2", "--name", "edge-g0"], {}
BY_ENVIRONMENT: Settings = [], {"EDGE_COUNT": "2", "EDGE_NAME": "edge-g0"}


def test_edges_register_themselves_and_are_the_same_after_a_restart_however_they_are_told(tmp_path: Path) -> None:
    fake = FakeApiserver("front")
    fake.namespace("medea-targets")
    with front_door(fake) as url:
        (tmp_path / "kubeconfig").write_text(
            "{apiVersion: v1, kind: Config, current-context: a, "
            f"clusters: [{{name: a, cluster: {{server: '{url}'}}}}], "
            "users: [{name: a, user: {token: a}}], contexts: [{name: a, context: {cluster: a, user: a}}]}"
        )
        before = None
        for settings in (BY_OPTIONS, BY_ENVIRONMENT):
            _run_edges(tmp_path, fake, settings)
            found = {one["metadata"]["name"]: one for one in fake.all(SECRETS, "medea-targets")}
            assert set(found) == {"edge-g0-0", "edge-g0-1"}
            assert all(one["metadata"]["labels"][CLUSTER] == name for name, one in found.items())
            assert configuration_of(found["edge-g0-1"]).host == "https://127.0.0.1:17991/edge-g0-1"
            data = {name: base64.b64decode(one["data"]["kubeconfig"]) for name, one in found.items()}
            assert before in (None, data)
            before = data


def _run_edges(folder: Path, fake: FakeApiserver, settings: Settings) -> None:
    """Start them, until they have said so, and end them."""
    words, environment = settings
    words = ["edges", *words, "-n", "ns", "--port", "17991", "--data", str(folder / "data")]
    kubeconfig = str(folder / "kubeconfig")
    calls = len(fake.calls)
    with subprocess.Popen(
        [sys.executable, "-m", "webhook", *words],
        env={"PATH": "/usr/bin:/bin", "KUBECONFIG": kubeconfig, "HOME": str(folder), **environment},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
    ) as process:

        def registered() -> bool:
            return len([one for one in fake.calls[calls:] if one.resource == "secrets"]) >= 2

        try:
            eventually(registered, "they are registered", within=120)
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
