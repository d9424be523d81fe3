"""An installation changes from Medea's own certificates to cert-manager's and back, while people submit.

The tests of this file follow each other.
"""

import base64
import datetime
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager

import pytest
from cryptography import x509

from certs import pem
from tests.certificates.house import trusted
from tests.end_to_end.alone.life.people import BREATH, asking, check_each_has_run_once
from tests.end_to_end.commands import kubectl
from tests.end_to_end.handshakes import Seen, clients
from tests.end_to_end.manifests import SMALL, inline
from tests.end_to_end.objects import AGENT, Object, agents_are_given, pods_with
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace, new_workspace
from tests.lab import certmanager, cluster_mode, inside
from tests.lab.lab import Lab
from tests.lab.medea import SYSTEM
from webhook.model.deadline import utc_now
from webhook.model.moments import written

OWN_AUTHORITY, OWN = "medea-authority", "medea-tls"
AUTHORITY, ISSUED = "medea-cert-manager-authority", "medea-cert-manager-tls"
KINDS = "certificates,certificaterequests,issuers"

pytestmark = [pytest.mark.usefixtures("_cert_manager"), pytest.mark.timeout(1000, func_only=True)]


@pytest.fixture(scope="module")
def _cert_manager(_by_chart: None, laboratory: Lab) -> Iterator[None]:
    certmanager.build()
    certmanager.bring_up(laboratory)
    try:
        yield
        issue_by("medea", laboratory)
        # Tests on this host trust it.
        cluster_mode.take_authority(laboratory)
    finally:
        certmanager.take_down(laboratory)
        delete_secrets(AUTHORITY, ISSUED)


@pytest.fixture(scope="module")
def team(_cert_manager: None) -> Iterator[Workspace]:
    with new_workspace() as workspace:
        yield workspace


def test_a_change_to_cert_manager_loses_no_submit(laboratory: Lab, team: Workspace) -> None:
    seen = change_while_people_submit("cert-manager", laboratory, team, AUTHORITY)
    assert seen.authorities() == 2
    injected = kubectl("front", *CONFIGURATION, "--show-managed-fields").ok().out
    assert "cert-manager-cainjector" in injected
    delete_secrets(OWN_AUTHORITY, OWN)


def test_nobody_notices_a_renewal(team: Workspace) -> None:
    with people(team) as seen:
        until_shown(seen)
        renew("medea", ISSUED)
        until_shown(seen)
    assert (len({serial for serial, _ in seen}), seen.authorities()) == (2, 1)


def test_nobody_notices_that_the_authority_is_renewed_not_even_who_has_read_the_one_before(team: Workspace) -> None:
    before = secret(AUTHORITY)["ca.crt"]
    with people(team) as seen:
        renew("medea-authority", AUTHORITY)
        renew("medea", ISSUED)
        until_shown(seen)
    assert secret(AUTHORITY)["ca.crt"] != before and seen.authorities() == 1
    [leaf] = pem.read_certificates(secret(ISSUED)["tls.crt"])
    assert trusted(leaf, before.decode(), datetime.datetime.now(datetime.UTC))


def test_nobody_who_submits_notices_an_authority_with_a_new_key(team: Workspace) -> None:
    [before] = keys(secret(AUTHORITY)["ca.crt"])
    with people(team) as seen:
        until_shown(seen)
        delete_secrets(AUTHORITY)
        made = eventually(lambda: set(keys(secret(AUTHORITY).get("ca.crt", b""))) - {before}, "there is another")
        eventually(lambda: made <= set(keys(bundle())), "the apiserver trusts it")
        renew("medea", ISSUED)
        until_shown(seen)
    assert {signer for _, signer in seen} == {before, *made}
    # As docs/certificates.md says, whereupon only the new one is trusted.
    emptied = [{"op": "remove", "path": f"/webhooks/{number}/clientConfig/caBundle"} for number in (0, 1)]
    kubectl("front", "patch", *CONFIGURATION[1:3], "--type=json", f"--patch={json.dumps(emptied)}").ok()
    eventually(lambda: set(keys(bundle())) == made, "only the new one is trusted")


def test_a_change_back_loses_no_submit_and_leaves_nothing_of_cert_managers(laboratory: Lab, team: Workspace) -> None:
    seen = change_while_people_submit("medea", laboratory, team, OWN_AUTHORITY)
    assert seen.authorities() == 2
    delete_secrets(AUTHORITY, ISSUED)
    own = secret(OWN_AUTHORITY)["ca.crt"]
    eventually(lambda: (bundle(), secret(OWN)["ca.crt"]) == (own, own), "only Medea's own authority is trusted")
    left = ("get", KINDS, "-n", SYSTEM, "-o", "name")
    eventually(lambda: not kubectl("front", *left).ok().out, "nothing of cert-manager's kinds is left")


def change_while_people_submit(issuer: str, lab: Lab, team: Workspace, authority: str) -> Seen:
    """Change the issuer; what was shown until only what the authority in that Secret has signed is.

    Each Workflow that is submitted before or meanwhile has run once in the end. Agents keep the authority that they
    were started with, so they are started anew, as docs/certificates.md says.
    """
    ends = {team.create(inline("sleep 20", SMALL)): "Succeeded"}
    eventually(lambda: agents_run(team), "an agent runs")
    with people(team) as seen, ThreadPoolExecutor(1) as administrator:
        changing = administrator.submit(issue_by, issuer, lab)
        while not wait([changing], timeout=BREATH).done:
            ends[team.create(inline("exit 0", SMALL))] = "Succeeded"
        changing.result()
        ca = secret(authority)["ca.crt"]
        eventually(lambda: signers_now() == set(keys(ca)), f"all show what {issuer} has issued")
    eventually(lambda: agents_would_trust(team, ca), "new agents trust it")
    delete = ("delete", "pods", "-A", "-l", AGENT, "--field-selector=spec.serviceAccountName=medea-agent")
    kubectl("front", *delete, "--wait=false").ok()
    check_each_has_run_once(team, ends)
    return seen


def issue_by(issuer: str, lab: Lab) -> None:
    """`helm upgrade`, and wait until all pods are new."""
    known = cluster_mode.values()
    inside.install(lab, {**known, "certificates": {**known["certificates"], "issuer": issuer}})


@contextmanager
def people(team: Workspace) -> Iterator[Seen]:
    """Somebody asks and others connect meanwhile, and all is well with both; what the latter are shown."""
    with clients() as seen, asking(team):
        yield seen


def renew(certificate: str, name: str) -> None:
    """As `cmctl renew` does it, until there is another in the Secret."""
    before = secret(name)["tls.crt"]
    condition = {"type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "message": "by hand"}
    patch = json.dumps({"status": {"conditions": [{**condition, "lastTransitionTime": written(utc_now())}]}})
    words = ("certificate", certificate, "-n", SYSTEM, "--subresource=status", "--type=merge", f"--patch={patch}")
    kubectl("front", "patch", *words).ok()
    eventually(lambda: secret(name)["tls.crt"] != before, f"{certificate} is renewed")


def until_shown(seen: Seen) -> None:
    """Wait until what cert-manager has issued last is shown."""
    [issued] = pem.read_certificates(secret(ISSUED)["tls.crt"])
    eventually(lambda: issued.serial_number in {serial for serial, _ in seen.copy()}, "it is shown")


def signers_now() -> set[bytes]:
    """The keys that have signed what is shown from now on."""
    with clients() as seen:
        eventually(lambda: seen, "something is shown")
    return {signer for _, signer in seen}


def agents_run(team: Workspace) -> bool:
    """Whether some agent does."""
    return any(pod["status"].get("phase") == "Running" for pod in pods_with("front", team.name, AGENT))


def agents_would_trust(team: Workspace, ca: bytes) -> bool:
    """Whether agents are started with this authority: the last line of it that is full, as none else has it."""
    line = ca.decode().splitlines()[-3]
    return agents_are_given(team.name, line)


def secret(name: str) -> dict[str, bytes]:
    """What is in a Secret, decoded; nothing if there is none."""
    words = ("get", "secret", name, "-n", SYSTEM, "--ignore-not-found", "-o", "json")
    found: Object = json.loads(kubectl("front", *words).ok().out or "{}")
    return {key: base64.b64decode(text) for key, text in found.get("data", {}).items()}


def delete_secrets(*names: str) -> None:
    kubectl("front", "delete", "secret", *names, "-n", SYSTEM, "--ignore-not-found").ok()


CONFIGURATION = ("get", "mutatingwebhookconfiguration", "medea", "-o", "json")


def bundle() -> bytes:
    """What the apiserver trusts."""
    found: Object = json.loads(kubectl("front", *CONFIGURATION).ok().out)
    [text] = {webhook["clientConfig"].get("caBundle", "") for webhook in found["webhooks"]}
    return base64.b64decode(text)


def keys(certificates: bytes) -> list[bytes]:
    """How those who are signed name their signers' keys."""
    found = x509.load_pem_x509_certificates(certificates) if certificates else []
    return [one.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest for one in found]
