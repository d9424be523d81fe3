"""Medea makes and renews its own certificates while people submit; each lives for a minute here."""

import base64
import datetime
import os
import shutil
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from cryptography import x509

from tests.end_to_end import lab
from tests.end_to_end.objects import connection, workflows
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace, new_workspace
from tests.lab import medea
from tests.lab.lab import Lab
from tests.lab.layout import FRONT, MEDEA_CERTS, MEDEA_PORT

LIFE = 60
SUBMITS = 300
ROTATIONS = 2
"""Of the authority; the serving certificate is renewed more often."""
EVERY = 0.35
CONFIGURATION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/medea"
SECRETS = "/api/v1/namespaces/medea-system/secrets"
SUSPENDED = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"generateName": "rotation-"},
    "spec": {"entrypoint": "main", "templates": [{"name": "main", "suspend": {"duration": "1"}}]},
}
"""Its run has no pod."""


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[None]:
    """Medea keeps its certificates itself; afterwards they are the laboratory's again."""
    by_hand = shutil.copytree(MEDEA_CERTS, tmp_path / "by-hand")
    settings = {
        "MEDEA_TLS_SECRET": "medea-tls",
        "MEDEA_TLS_NAMES": f"localhost,127.0.0.1,{FRONT.gateway}",
        "MEDEA_TLS_LIFE": str(LIFE),
        "MEDEA_TLS_AUTHORITY_LIFE": str(LIFE),
    }
    try:
        with lab.away("controller", "webhook"):
            os.environ.update(settings)
            # As in a cluster: there is no certificate but what the leader makes.
            shutil.rmtree(MEDEA_CERTS)
        yield
    finally:
        with lab.away("controller", "webhook"):
            for name in settings:
                os.environ.pop(name, None)
            shutil.rmtree(MEDEA_CERTS, ignore_errors=True)
            shutil.copytree(by_hand, MEDEA_CERTS)
            session, server = connection("front")
            for secret in ("medea-tls", "medea-authority"):
                session.delete(f"{server}{SECRETS}/{secret}", timeout=20)
            medea.apply(Lab(), medea.webhook_configuration())


@pytest.mark.timeout(540)
def test_no_submit_is_lost_or_refused_while_authority_and_certificate_are_replaced(kept: None) -> None:
    assert kept is None
    with lab.away("front-controller"), new_workspace(hold="none") as workspace:
        eventually(lambda: submit(workspace) == 201, "Workflows are let in")
        with clients() as seen:
            with ThreadPoolExecutor(4) as people:
                calls: list[Future[int]] = []
                while len(calls) < SUBMITS or len({ca for _, ca in seen}) <= ROTATIONS:
                    calls.append(people.submit(submit, workspace))
                    time.sleep(EVERY)
            answers = [call.result() for call in calls]
        assert [code for code in answers if code != 201] == []
        assert len({serial for serial, _ in seen}) > ROTATIONS + 1
        origins = {one["metadata"]["uid"] for one in workflows("front", workspace.name) if placed(one)}
        assert len(origins) == len(calls) + 1
        eventually(lambda: set(runs(workspace)) == origins, "each has its run", within=120)
        assert len(runs(workspace)) == len(origins)


def placed(thing: dict[str, dict[str, dict[str, str]]]) -> bool:
    return "medea.dev/placement" in (thing["metadata"].get("annotations") or {})


def runs(workspace: Workspace) -> list[str]:
    """The uid of the origin of every run."""
    found = [run for cluster in ("west", "east") for run in workflows(cluster, workspace.name)]
    return [run["metadata"]["labels"]["medea.dev/origin-uid"] for run in found]


def submit(workspace: Workspace) -> int:
    """The status that the apiserver answers."""
    session, server = connection("front")
    url = f"{server}/apis/argoproj.io/v1alpha1/namespaces/{workspace.name}/workflows"
    return session.post(url, json=SUSPENDED, timeout=30).status_code


@contextmanager
def clients() -> Iterator[set[tuple[int, bytes]]]:
    """Connects anew again and again, as an apiserver that has just started would; gives what it was shown."""
    seen: set[tuple[int, bytes]] = set()
    stop = Event()

    def connect() -> None:
        while not stop.wait(0.2):
            seen.add(handshake())

    with ThreadPoolExecutor(1) as pool:
        client = pool.submit(connect)
        try:
            yield seen
        finally:
            stop.set()
        client.result()


def handshake() -> tuple[int, bytes]:
    """The serial number of what the webhook shows, and who signed it. Fails when the apiserver would not trust it."""
    session, server = connection("front")
    configuration = session.get(server + CONFIGURATION, timeout=20).json()
    bundles = {webhook["clientConfig"]["caBundle"] for webhook in configuration["webhooks"]}
    assert len(bundles) == 1
    context = ssl.create_default_context(cadata=base64.b64decode(bundles.pop()).decode())
    with (
        socket.create_connection(("127.0.0.1", MEDEA_PORT), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="medea.medea-system.svc") as connected,
    ):
        shown = x509.load_der_x509_certificate(connected.getpeercert(binary_form=True) or b"")
    assert shown.not_valid_after_utc > datetime.datetime.now(datetime.UTC)
    signer = shown.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    return shown.serial_number, signer or b""
