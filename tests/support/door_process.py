"""A door as a process of its own, over a front door in memory."""

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
    """`medea serve NAME` for a door with a namespace of its own; its ledger is as `settings` say."""

    def __init__(self, name: str, folder: Path, front: str, *, port: int, settings: Mapping[str, str]) -> None:
        self.url = f"http://localhost:{port}"
        own = {
            f"MEDEA_{name.upper()}_NAMESPACE": NAMESPACE,
            f"MEDEA_{name.upper()}_PORT": str(port),
            f"MEDEA_{name.upper()}_METRICS_PORT": str(port + 1),
            "MALLOC_ARENA_MAX": "2",
        }
        super().__init__(name, folder, front, metrics_port=port + 1, settings={**own, **settings})


def files_door(
    folder: Path, s3: S3Server, front: str, *, port: int, settings: Mapping[str, str] | None = None
) -> DoorProcess:
    """The door for files, over a real S3 server."""
    store = {
        "MEDEA_S3_ENDPOINT": s3.endpoint,
        "MEDEA_S3_BUCKET": BUCKET,
        "MEDEA_S3_ACCESS_KEY": ACCESS_KEY,
        "MEDEA_S3_SECRET_KEY": SECRET_KEY,
    }
    return DoorProcess("files", folder, front, port=port, settings={**store, **(settings or {})})
