"""The door for jobs with files, as a process of its own, with a real S3 server that can be killed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.end_to_end.host_door import HostDoor, rights
from tests.end_to_end.manifests import executor_rights
from tests.end_to_end.turns import turn
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import EXAMPLES, Workspace
from tests.lab import medea
from tests.lab.lab import Lab
from tests.lab.layout import CHECKOUT, STORE_PORTS, TARGETS, WEST
from tests.support.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server, s3_server

PORT, METRICS_PORT = 15000, 19100
URL = f"http://localhost:{PORT}"
RBAC = CHECKOUT / "manifests/chart/files/files-rbac.yaml"
LIMIT = 5


@dataclass
class FilesDoor(HostDoor):
    """The door, which may be killed and started again, and its store."""

    workspace: Workspace
    s3: S3Server

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
        rights(RBAC, "medea-file-jobs", workspace),
    ):
        furnish(workspace, s3)
        settings = {
            "KUBECONFIG": str(medea.identity(Lab(), "medea-files")),
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
        door = FilesDoor("files-door", "files", METRICS_PORT, settings, workspace, s3)
        with door.running():
            yield door


def furnish(workspace: Workspace, s3: S3Server) -> None:
    """What docs/doors-files.md tells an administrator to do."""
    workspace.kubectl("apply", "-f", str(EXAMPLES / "files-service.yaml")).ok()
    for target in TARGETS:
        workspace.apply(*store_on_a_target(s3), cluster=target.name)


def store_on_a_target(s3: S3Server) -> list[dict[str, Any]]:
    """Where runs in a namespace keep their artifacts, and the right to say so."""
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
        *executor_rights("default"),
    ]


_KEYS = (("accessKeySecret", "accesskey"), ("secretKeySecret", "secretkey"))
