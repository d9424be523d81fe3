"""Medea makes and renews its own certificates while people submit; each lives for a minute here."""

import base64
import datetime
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
import requests
from cryptography import x509

from tests.end_to_end import lab
from tests.end_to_end.commands import kubectl
from tests.end_to_end.medea import BALANCER as API
from tests.end_to_end.medea import CA, PLUGIN, WEBHOOK
from tests.end_to_end.objects import connection, workflows
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace, new_workspace
from tests.lab import cluster_mode
from tests.lab.lab import Lab
from tests.lab.layout import MEDEA_PORT

LIFE = 60
SUBMITS = 300
ROTATIONS = 2
"""Of the authority; the serving certificate is renewed more often."""
EVERY = 0.35
CONFIGURATION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/medea"
_SECRETS = ("medea-tls", "medea-authority")
_IN_SYSTEM = ("-n", "medea-system")
_LIVES = ("MEDEA_TLS_LIFE", "MEDEA_TLS_AUTHORITY_LIFE")
SUSPENDED = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"generateName": "rotation-"},
    "spec": {"entrypoint": "main", "templates": [{"name": "main", "suspend": {"duration": "1"}}]},
}
"""Its run has no pod."""


@contextmanager
def living(seconds: int) -> Iterator[None]:
    """Medea's authority and certificate live for so long; afterwards they are new once more, and as ever."""
    try:
        _made_anew(*(f"{name}={seconds}" for name in _LIVES))
        yield
    finally:
        _made_anew(*(f"{name}-" for name in _LIVES))
        eventually(_is_trusted, "the doors show the new certificate")


def _made_anew(*settings: str) -> None:
    """The next leader makes authority and certificate, as the first one does; its settings are changed before."""
    with lab.away("controller"):
        kubectl("front", "set", "env", "deployment/medea-controller", *_IN_SYSTEM, *settings).ok()
        kubectl("front", "delete", "secret", *_SECRETS, *_IN_SYSTEM).ok()


def _is_trusted() -> bool:
    """Whether tests and people on this host trust the doors, by the authority that there is now."""
    if not kubectl("front", "get", "secret", "medea-tls", "--ignore-not-found", "-o", "name", *_IN_SYSTEM).ok().out:
        return False
    cluster_mode.take_authority(Lab())
    try:
        return all(requests.get(f"{door}/readyz", verify=CA, timeout=5) is not None for door in (WEBHOOK, API, PLUGIN))
    except requests.exceptions.RequestException:
        return False


@pytest.mark.usefixtures("_by_chart")
@pytest.mark.timeout(540)
def test_no_submit_is_lost_or_refused_while_authority_and_certificate_are_replaced() -> None:
    with lab.away("front-controller"), new_workspace(hold="none") as workspace, living(LIFE):
        eventually(lambda: submit(workspace) == 201, "Workflows are let in")
        with clients() as seen:
            with ThreadPoolExecutor(4) as people:
                calls: list[Future[int]] = []
                while len(calls) < SUBMITS or len({ca for _, ca in seen.copy()}) <= ROTATIONS:
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
