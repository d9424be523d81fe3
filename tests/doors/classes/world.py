"""The door for job classes over an apiserver in memory and a real ledger, without threads of its own."""

import threading
from typing import Any, cast

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.doors.door_world import NAMESPACE, DoorWorld, Opted, bearing
from webhook.api.gate import ClosedGate, Gate, OpenGate
from webhook.api.rights import Rights
from webhook.api.tokens import Tokens
from webhook.doors.broker import Broker
from webhook.doors.classes import dispatch, routes
from webhook.doors.classes.config import read_rules
from webhook.doors.classes.dispatch import Dispatcher
from webhook.doors.classes.results import Results
from webhook.doors.classes.rules import Rules
from webhook.doors.classes.submitting import Submitting
from webhook.doors.classes.sweep import Sweep
from webhook.doors.templates import Templates
from webhook.ledger import class_jobs
from webhook.ledger.class_jobs import Job
from webhook.ledger.pool import Pool
from webhook.model.contract import JOB_CLASS
from webhook.model.objects import Object

KEEP = 48 * 3600.0
SPARK = {"rows": 50_000_000, "estimated_runtime_sec": 300, "priority": "high"}
ACTOR = {"latency_sensitive": True, "rows": 100, "estimated_runtime_sec": 1}


class World(DoorWorld):
    """One door. Ann may do everything, Bob only look."""

    dispatcher: Dispatcher

    def __init__(
        self,
        pool: Pool,
        *,
        config: str = "",
        broker: Broker | None = None,
        is_open: bool = False,
        results: Results | None = None,
    ) -> None:
        super().__init__({"anns": "ann", "bobs": "bob", "eves": "eve"})
        self.pool, self.broker, self.rules, self.is_open = pool, broker, read_rules(config), is_open
        self.results = results
        self.fake.allowed = self._allowed
        self.told: list[str] = []
        """`publish`, for each time that there was something to publish."""
        for name in Rules().classes:
            self.template(name, f"run-{name}")
        self.restart()

    def restart(self) -> None:
        """A new process, or another replica: nothing but the ledger and the front door is known to it."""
        self.opted = Opted()
        holds = cast("Any", self.opted)
        self.templates = Templates(self.front, NAMESPACE, label=JOB_CLASS, field="class", plural="job classes")
        self.dispatcher = Dispatcher(
            dispatch.Deps(self.front, self.pool, self.templates, self.rules, holds, NAMESPACE, self.results)
        )
        submitting = Submitting(
            pool=self.pool,
            rules=self.rules,
            templates=self.templates,
            dispatch=self.dispatcher.look_at,
            publish=lambda: self.told.append("publish"),
            namespace=NAMESPACE,
        )
        closed = ClosedGate(Tokens(self.front), Rights(self.front), holds, lambda _: self.front)
        gate: Gate = OpenGate(holds, self.front) if self.is_open else closed
        deps = routes.Deps(gate, submitting, self.pool, self.rules, NAMESPACE, self.results)
        self.client: FlaskClient = routes.create_classes_app(deps).test_client()
        self.sweep = Sweep(
            front=self.front,
            pool=self.pool,
            broker=self.broker,
            dispatcher=self.dispatcher,
            rules=self.rules,
            namespace=NAMESPACE,
            interval=30,
            keep=KEEP,
            stop=threading.Event(),
            results=self.results,
        )
        self.watch()

    def _allowed(self, spec: Object) -> bool:
        about = spec["resourceAttributes"]
        verbs = {"ann": ("create", "get", "list"), "bob": ("get", "list")}.get(spec["user"], ())
        return about["verb"] in verbs and about["namespace"] == NAMESPACE

    def template(self, name: str, template: str) -> None:
        """A WorkflowTemplate that runs a class."""
        self.put_template(JOB_CLASS, name, template)

    def send(self, body: Any, token: str | None = "anns") -> TestResponse:
        """`POST /submit-job`; bytes as they are, anything else as JSON."""
        sent = {"data": body} if isinstance(body, bytes) else {"json": body}
        return self.client.post("/submit-job", headers=bearing(token), **sent)

    def submit(self, body: Any) -> str:
        """A job that is accepted; its id."""
        answer = self.send(body)
        assert answer.status_code == 200, answer.text
        return str((answer.json or {})["job_id"])

    def ask(self, path: str, token: str | None = "anns") -> TestResponse:
        """A GET."""
        return self.client.get(path, headers=bearing(token))

    def row(self, job: str) -> Job:
        """The job's row."""
        found = class_jobs.get(self.pool, job)
        assert found is not None
        return found

    def running(self) -> list[str]:
        """The ids of jobs whose Workflow has not ended."""
        return self.living("medea.dev/class-job")

    def end(self, job: str, phase: str = "Succeeded") -> None:
        """Its run ends."""
        self.end_workflow(self.row(job).workflow, phase)

    def rows(self) -> int:
        """How many rows there are."""
        with self.pool.transaction() as connection:
            row = connection.execute("SELECT count(*) AS count FROM class_jobs").fetchone()
        return int((row or {})["count"])
