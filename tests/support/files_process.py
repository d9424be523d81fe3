"""The door for files as a process of its own, over a real S3 server and a front door in memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.fake_apiserver import FakeApiserver
from tests.support.medea_process import MedeaProcess, served
from tests.support.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server
from webhook.kube.resources import WORKFLOW_TEMPLATES
from webhook.model.contract import ENABLED, SERVICE

NAMESPACE = "ns"


@contextmanager
def front_door(fake: FakeApiserver) -> Iterator[str]:
    """The URL of a front door in memory, with one namespace and one service."""
    fake.namespace(NAMESPACE, {ENABLED: "true"})
    metadata = {"namespace": NAMESPACE, "name": "run-script", "labels": {SERVICE: "example"}}
    fake.put(WORKFLOW_TEMPLATES, {"metadata": metadata, "spec": {}})
    with served(fake) as url:
        yield url


class DoorProcess(MedeaProcess):
    """`medea serve files`, open. It can be killed and started again; its ledger is Medea's embedded Postgres."""

    def __init__(
        self, folder: Path, s3: S3Server, front: str, *, port: int, settings: Mapping[str, str] | None = None
    ) -> None:
        self.url = f"http://localhost:{port}"
        own = {
            "MEDEA_FILES_NAMESPACE": NAMESPACE,
            "MEDEA_FILES_PORT": str(port),
            "MEDEA_FILES_METRICS_PORT": str(port + 1),
            "MEDEA_S3_ENDPOINT": s3.endpoint,
            "MEDEA_S3_BUCKET": BUCKET,
            "MEDEA_S3_ACCESS_KEY": ACCESS_KEY,
            "MEDEA_S3_SECRET_KEY": SECRET_KEY,
            "MALLOC_ARENA_MAX": "2",
        }
        super().__init__("files", folder, front, metrics_port=port + 1, settings={**own, **(settings or {})})
