"""The API's door with jobs and trees, over the world in which split Workflows run."""

import contextlib
from collections.abc import Iterator
from typing import Any, cast

from flask.testing import FlaskClient
from kubernetes.client import Configuration
from werkzeug.test import TestResponse

from tests.doors.door_world import bearing
from tests.faults.ledger import LedgerServer
from tests.splitting.world import SplitWorld
from webhook.api.gate import ClosedGate
from webhook.api.limits import ConcurrencyLimit
from webhook.api.rights import Rights
from webhook.api.routes import Deps
from webhook.api.tokens import Tokens
from webhook.doors.nodes import routes as nodes_routes
from webhook.doors.split import routes
from webhook.doors.split.jobs import Jobs
from webhook.doors.split.trees import Trees
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOW_TEMPLATES
from webhook.server.apps import create_api_app

Object = dict[str, Any]
SPACE, TEMPLATE = "bare", "power-job"


class JobsWorld(SplitWorld):
    """`tokens` are those of alice, who may do everything in `bare`, and of bob, who may do nothing."""

    def __init__(self, ledger: LedgerServer, seed: int = 0) -> None:
        super().__init__(ledger, seed)
        self.client: FlaskClient

    @contextlib.contextmanager
    def alive(self) -> Iterator["JobsWorld"]:
        """Everything set up."""
        with super().alive():
            self.front.tokens = {"alices": "alice", "bobs": "bob"}
            self.front.allowed = lambda spec: spec["user"] == "alice"
            limits = {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}
            takes = {"inputs": {"parameters": [{"name": "power"}]}}
            work = {"name": "work", **takes, "container": {"image": "x", **limits}}
            metadata = {"name": TEMPLATE, "namespace": SPACE}
            self.front.put(WORKFLOW_TEMPLATES, {"metadata": metadata, "spec": {"templates": [work]}})
            self.client = self._app()
            yield self

    def _app(self) -> FlaskClient:
        door = self.service
        holds = cast("Any", door.holds)
        gate = ClosedGate(Tokens(door.front), Rights(door.front), holds, self._acting_as)
        trees = Trees(
            door.front,
            door.pool,
            overview=door.placer.overview,
            namespace=lambda name: door.holds.namespaces.get("", name),
            space="medea-targets",
        )
        jobs = Jobs(gate, door.pool, 10)
        nothing = cast("Any", None)
        # With all that the door serves: its OpenAPI document is made once in a process.
        return create_api_app(
            Deps(gate, nothing, door.pool, nothing),
            nodes_routes.Deps(gate, nothing, ConcurrencyLimit(1)),
            routes.Deps(gate, jobs, trees, SPACE, TEMPLATE),
        ).test_client()

    def document(self) -> Object:
        """The OpenAPI document."""
        return dict(self.client.get("/apidoc/openapi.json").json or {})

    def _acting_as(self, header: str) -> Cluster:
        user = self.front.tokens[header.removeprefix("Bearer ")]
        return Cluster("front", Configuration(), http=self.front.as_user(user))

    def ask(self, path: str, *, token: str | None = "alices") -> TestResponse:
        """GET."""
        return self.client.get(path, headers=bearing(token))

    def post(self, body: Any, *, token: str | None = "alices") -> TestResponse:
        """`POST /jobs`: bytes as they are, anything else as JSON."""
        sent = {"data": body} if isinstance(body, bytes) else {"json": body}
        return self.client.post("/jobs", headers=bearing(token), **sent)

    def job(self, body: Object) -> Object:
        """A job that is accepted."""
        answer = self.post(body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json or {})

    def state(self, job: int) -> Object:
        """How far it is."""
        return dict((self.ask(f"/jobs/{job}").json or {})["state"])
