"""The door for jobs with files, as a process of its own, with a real S3 server that can be killed."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.end_to_end.commands import kubectl
from tests.end_to_end.turns import turn
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import EXAMPLES, Workspace
from tests.lab import medea
from tests.lab.lab import Lab
from tests.lab.layout import CHECKOUT, LOGS, STORE_PORTS, TARGETS, WEST
from tests.lab.processes import http_ok
from tests.support.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server, s3_server

PORT, METRICS_PORT = 15000, 19100
URL = f"http://localhost:{PORT}"
RBAC = CHECKOUT / "manifests/chart/files/files-rbac.yaml"
LIMIT = 5


@dataclass
class FilesDoor:
    """The door, which may be killed and started again, and its store."""

    workspace: Workspace
    s3: S3Server
    environment: dict[str, str]
    argv: Sequence[str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        with (LOGS / "files-door.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.argv, "files"], env=self.environment, cwd=CHECKOUT, stdout=log, stderr=log
            )
        eventually(http_ok(f"http://127.0.0.1:{METRICS_PORT}/readyz"), "the door for files is ready")

    def kill(self) -> None:
        """kill -9 of the process that serves, and of the one that watches it."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in (self.process.pid, *map(int, children)):
            os.kill(pid, 9)
        self.process.wait(30)
        eventually(lambda: not http_ok(f"http://127.0.0.1:{METRICS_PORT}/healthz")(), "its port is free")

    def memory(self) -> int:
        """MiB that the process that serves has had at most."""
        assert self.process is not None
        [child, *_] = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        lines = Path(f"/proc/{child}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024

    def head(self, job: int) -> int:
        """The status of `HEAD /download/ID`."""
        return requests.head(f"{URL}/download/{job}", timeout=60).status_code

    def reason(self, job: int) -> str:
        """Why a job has no results."""
        return requests.head(f"{URL}/download/{job}", timeout=60).headers.get("Medea-Reason", "")

    def upload(self, script: str, *, user: str = "1") -> int:
        """An upload of a `run.sh`; its id. An answer that says to try again is one to try again."""

        def sent() -> requests.Response | None:
            answer = requests.post(
                f"{URL}/upload",
                files={"file": ("run.sh", script)},
                data={"user_id": user, "service": "example"},
                timeout=180,
            )
            return None if answer.status_code in (429, 503) else answer

        answer = eventually(sent, "an upload is answered", within=300)
        assert answer is not None
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])


@contextmanager
def files_door(workspace: Workspace, folder: Path) -> Iterator[FilesDoor]:
    """The door in a namespace whose targets have its store, while the block runs."""
    with (
        turn("files-door"),
        s3_server(folder, WEST.gateway, STORE_PORTS[-1]) as s3,
        rights(workspace),
    ):
        furnish(workspace, s3)
        declared = next(one for one in medea.processes(Lab()) if one.name == "webhook")
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            **declared.env,
            "KUBECONFIG": str(medea.identity(Lab(), "medea-files")),
            "MEDEA_API": "open",
            "MEDEA_FILES_NAMESPACE": workspace.name,
            "MEDEA_FILES_PORT": str(PORT),
            "MEDEA_FILES_METRICS_PORT": str(METRICS_PORT),
            "MEDEA_S3_ENDPOINT": s3.endpoint,
            "MEDEA_S3_BUCKET": BUCKET,
            "MEDEA_S3_ACCESS_KEY": ACCESS_KEY,
            "MEDEA_S3_SECRET_KEY": SECRET_KEY,
            "MALLOC_ARENA_MAX": "2",
            # As the Orchestrator's compose file has them.
            "SERVICE_EXAMPLE_UPLOAD_URL": "http://client:9000/submit",
            "SERVICE_EXAMPLE_DOWNLOAD_URL": "http://client:9000/retrieve",
            "SERVICE_EXAMPLE_RUNS_PER_USER": str(LIMIT),
            "MAX_AGE": "172800",
        }
        door = FilesDoor(workspace, s3, environment, declared.argv)
        door.start()
        try:
            yield door
        finally:
            assert door.process is not None
            door.process.terminate()
            assert door.process.wait(60) == 0


@contextmanager
def rights(workspace: Workspace) -> Iterator[None]:
    """The door's account with its rights, which the chart would bring; other tests look for what is left of a chart."""
    text = RBAC.read_text().replace("medea-file-jobs", workspace.name)
    kubectl("front", "apply", "-f", "-", stdin=text).ok()
    try:
        yield
    finally:
        kubectl("front", "delete", "--ignore-not-found", "-f", "-", stdin=text).ok()


def furnish(workspace: Workspace, s3: S3Server) -> None:
    """What docs/doors-files.md tells an administrator to do."""
    workspace.kubectl("apply", "-f", str(EXAMPLES / "files-service.yaml")).ok()
    for target in TARGETS:
        workspace.apply(*_on_a_target(s3), cluster=target.name)


def _on_a_target(s3: S3Server) -> list[dict[str, Any]]:
    secret = {name: {"name": "medea-files", "key": key} for name, key in _KEYS}
    repository = f"""
s3:
  endpoint: {s3.endpoint.removeprefix("http://")}
  insecure: true
  bucket: {BUCKET}
  region: us-east-1
  accessKeySecret: {secret["accessKeySecret"]}
  secretKeySecret: {secret["secretKeySecret"]}
"""
    default = {"workflows.argoproj.io/default-artifact-repository": "files"}
    executor = {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "executor"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "medea-files"},
            "stringData": {"accesskey": ACCESS_KEY, "secretkey": SECRET_KEY},
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "artifact-repositories", "annotations": default},
            "data": {"files": repository},
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": "executor"},
            "rules": [executor],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "executor"},
            "roleRef": role,
            "subjects": [{"kind": "ServiceAccount", "name": "default"}],
        },
    ]


_KEYS = (("accessKeySecret", "accesskey"), ("secretKeySecret", "secretkey"))
