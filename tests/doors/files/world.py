"""The door for files over an apiserver in memory, a real ledger and a real S3 server, without threads of its own."""

import io
import tarfile
import threading
from collections.abc import Mapping
from typing import Any, cast

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.doors.door_world import NAMESPACE, DoorWorld, Opted, bearing
from tests.doors.files.forms import CONTENT_TYPE, upload
from webhook.api.gate import ClosedGate, Gate, OpenGate
from webhook.api.rights import Rights
from webhook.api.tokens import Tokens
from webhook.doors.files import dispatch, routes
from webhook.doors.files.dispatch import Dispatcher
from webhook.doors.files.limits import RunsPerUser
from webhook.doors.files.sweep import Sweep
from webhook.doors.files.uploads import Slots, Uploads
from webhook.doors.files.workflow import results_key
from webhook.doors.speaking import Speaking
from webhook.doors.store import Store
from webhook.doors.templates import Templates
from webhook.ledger import file_jobs
from webhook.ledger.file_jobs import Job
from webhook.ledger.pool import Pool
from webhook.model.contract import SERVICE
from webhook.model.objects import Object

PORTAL = "system:serviceaccount:ns:portal"
KEEP, LONGEST = 48 * 3600.0, 3600.0
LARGEST = 50 * 1024 * 1024
MOST_QUEUED = 8


class World(DoorWorld):
    """One door. `rights` are what users may do: (user, verb, name)."""

    dispatcher: Dispatcher

    def __init__(self, pool: Pool, store: Store, *, limit: int = 2, is_open: bool = False) -> None:
        super().__init__({"portals": PORTAL, "anns": "ann", "bobs": "bob"})
        self.pool, self.store = pool, store
        self.rights = {(PORTAL, "speak-for"), *((user, verb) for user in (PORTAL, "ann") for verb in ("create", "get"))}
        self.fake.allowed = self._allowed
        self.limit = limit
        self.is_open = is_open
        self.service("example", "run-script")
        self.restart()

    def restart(self) -> None:
        """A new process, or another replica: nothing but the ledger, the store and the front door is known to it."""
        rights, self.opted = Rights(self.front), Opted()
        holds = cast("Any", self.opted)
        self.templates = Templates(self.front, NAMESPACE, label=SERVICE, field="service", plural="services")
        self.dispatcher = Dispatcher(
            dispatch.Deps(
                self.front,
                self.pool,
                self.store,
                self.templates,
                RunsPerUser({"EXAMPLE": self.limit}),
                holds,
                NAMESPACE,
            )
        )
        speaking = Speaking(rights)
        self.uploads = Uploads(
            pool=self.pool,
            store=self.store,
            services=self.templates,
            speaking=speaking,
            slots=Slots(2, wait=0.01),
            queued=self.dispatcher.look_at_line,
            namespace=NAMESPACE,
            prefix="files",
            largest=LARGEST,
            longest=LONGEST,
            most_queued=MOST_QUEUED,
            clock=self.clock,
        )
        closed = ClosedGate(Tokens(self.front), rights, holds, lambda _: self.front)
        gate: Gate = OpenGate(holds, self.front) if self.is_open else closed
        deps = routes.Deps(gate, speaking, self.uploads, self.pool, self.store, NAMESPACE)
        self.client: FlaskClient = routes.create_files_app(deps).test_client()
        self.sweep = Sweep(
            front=self.front,
            pool=self.pool,
            store=self.store,
            dispatcher=self.dispatcher,
            namespace=NAMESPACE,
            interval=30,
            keep=KEEP,
            longest_upload=LONGEST,
            stop=threading.Event(),
        )
        self.watch()

    def _allowed(self, spec: Object) -> bool:
        about = spec["resourceAttributes"]
        return (spec["user"], about["verb"]) in self.rights and about["namespace"] == NAMESPACE

    def service(self, name: str, template: str) -> None:
        """A WorkflowTemplate that is a service."""
        self.put_template(SERVICE, name, template)

    def send(self, body: bytes, token: str | None = "portals", **headers: str) -> TestResponse:
        """`POST /upload`."""
        return self.client.post("/upload", data=body, content_type=CONTENT_TYPE, headers={**headers, **bearing(token)})

    def upload(self, *files: tuple[str, bytes], user: str = "1", service: str = "example") -> int:
        """An upload that is accepted; its id."""
        answer = self.send(upload(*(files or (("run.sh", b"echo"),)), user=user, service=service))
        assert answer.status_code == 200, answer.text
        return int((answer.json or {})["id"])

    def ask(self, job: object, method: str = "HEAD", token: str | None = "portals") -> TestResponse:
        """`HEAD` or `GET /download/ID`."""
        return self.client.open(f"/download/{job}", method=method, headers=bearing(token))

    def row(self, job: int) -> Job:
        """The job's row."""
        found = file_jobs.get(self.pool, job)
        assert found is not None
        return found

    def running(self) -> list[int]:
        """The ids of jobs whose Workflow has not ended."""
        return sorted(map(int, self.living("medea.dev/file-job")))

    def end(self, job: int, phase: str = "Succeeded", results: Mapping[str, bytes] | None = None) -> None:
        """Its run ends, having left these files."""
        if results is not None:
            self.store.write(results_key(self.row(job).folder), iter([packed(results)]))
        self.end_workflow(self.row(job).workflow, phase)


def packed(files: Mapping[str, bytes], folder: str = "job") -> bytes:
    """What Argo leaves of a folder."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in files.items():
            about = tarfile.TarInfo(f"{folder}/{name}")
            about.size = len(data)
            tar.addfile(about, io.BytesIO(data))
    return out.getvalue()
