"""Finds out how the installation is. What can't be found out is a fact too, so nothing here ends the check."""

import datetime
import socket
import ssl
from collections.abc import Collection, Mapping

from certs import pem
from webhook.certificates.contents import data_of, decoded, read_bundle, read_serving
from webhook.errors import BadRequest, MedeaError, NotThere
from webhook.installation import pulls
from webhook.installation.findings import ArgoFacts, Facts, LedgerFacts
from webhook.kube.client import Cluster
from webhook.kube.leader import LEASE
from webhook.kube.resources import (
    DEPLOYMENTS,
    LEASES,
    MUTATING_WEBHOOKS,
    NAMESPACES,
    PODS,
    SECRETS,
    WORKFLOWS,
)
from webhook.ledger import identities
from webhook.ledger.about import about
from webhook.model.contract import ARGO_COMPONENT, MIRRORED, OPTED_IN, Hold
from webhook.model.limits.admin import DOOR_TIMEOUT
from webhook.model.moments import moment_of
from webhook.model.objects import Object, mapping, mappings
from webhook.namespaces.hold import hold_of
from webhook.targets import check
from webhook.targets.argo import image_tag
from webhook.targets.findings import Facts as TargetFacts
from webhook.targets.findings import Finding, Grade
from webhook.targets.registration import registered

_DOORS = {"medea": 443, "medea-plugin": 443, "medea-api": 8090, "medea-files": 5000, "medea-classes": 8000}
"""Services with Medea's own certificate, and a port of each. The one for logs has another, and speaks to apiservers."""

_OWN_PODS = "app.kubernetes.io/name=medea"


def gather(
    front: Cluster, dsn: str | None, *, namespace: str, space: str, secret: str, argo_account: str, default: Hold
) -> Facts:
    """The facts. `dsn` is the ledger's, None where none is set, and `space` the namespace of the targets' Secrets.

    `argo_account` is `namespace:name` of Argo's controller, `default` the hold of namespaces that say none.
    Raises the errors of the front door if it can't be asked at all.
    """
    tls = data_of(front.find(SECRETS, namespace, secret))
    bundle = tls.get("ca.crt", b"")
    serving, _ = read_serving(tls)
    certificate = serving.certificate if serving else None
    ledger, recorded = _ledger(dsn)
    opted_in, _ = front.list(NAMESPACES, selector=OPTED_IN)
    namespaces = {one["metadata"]["name"]: hold_of(one, default) for one in opted_in}
    return Facts(
        namespace=namespace,
        argo_account=argo_account,
        kubernetes=front.about().version,
        webhooks=_webhooks(front, bundle),
        expires=certificate.not_valid_after_utc if certificate else None,
        life=certificate.not_valid_after_utc - certificate.not_valid_before_utc
        if certificate
        else datetime.timedelta(),
        doors=_doors(namespace, bundle.decode(errors="replace")),
        renewed=_renewed(front, namespace),
        ledger=ledger,
        argo=_argo(front, argo_account.partition(":")[0]),
        workflows=_workflows(front),
        targets=[_target(front, space, name, recorded) for name in dict(registered(front, space))],
        namespaces=namespaces,
        images=_images(front, namespace, namespaces),
    )


def _webhooks(front: Cluster, bundle: bytes) -> dict[str, bool]:
    configuration = front.find(MUTATING_WEBHOOKS, None, "medea") or {}
    wanted = set(map(pem.certificate_pem, read_bundle(bundle)))
    found = {}
    for webhook in mappings(configuration.get("webhooks")):
        trusted = read_bundle(decoded(mapping(webhook.get("clientConfig")).get("caBundle")))
        found[str(webhook.get("name"))] = bool(wanted) and wanted <= set(map(pem.certificate_pem, trusted))
    return found


def _doors(namespace: str, authority: str) -> dict[str, str | None]:
    """By Service. One whose name nobody knows was not installed, but for the webhook's, which has to be."""
    found = {}
    for service, port in _DOORS.items():
        host = f"{service}.{namespace}.svc"
        if service == "medea" or _is_known(host):
            found[service] = _greet(host, port, authority)
    return found


def _is_known(host: str) -> bool:
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return False
    return True


def _greet(host: str, port: int, authority: str) -> str | None:
    """Why no connection with TLS could be made; None if it could."""
    try:
        context = ssl.create_default_context(cadata=authority)
        with socket.create_connection((host, port), timeout=DOOR_TIMEOUT) as plain:
            context.wrap_socket(plain, server_hostname=host).close()
    except (OSError, ValueError) as error:
        return str(error)
    return None


def _renewed(front: Cluster, namespace: str) -> datetime.datetime | None:
    lease = front.find(LEASES, namespace, LEASE)
    spec = mapping((lease or {}).get("spec"))
    return moment_of(spec.get("renewTime")) if spec.get("holderIdentity") else None


def _ledger(dsn: str | None) -> tuple[LedgerFacts, Mapping[str, str] | None]:
    """The ledger, and the uids by which it knows the targets' clusters."""
    if dsn is None:
        return LedgerFacts(problem="none is set; MEDEA_LEDGER_DSN or POSTGRESQL_URL says where it is"), None
    try:
        found, recorded = about(dsn), identities.recorded(dsn)
    except MedeaError as error:
        return LedgerFacts(problem=error.message), None
    return LedgerFacts(version=found.version, encrypted=found.encrypted), recorded


def _images(front: Cluster, namespace: str, opted_in: Collection[str]) -> pulls.PullFacts:
    """Agents in other namespaces are not Medea's business: they have plugins of others, or none."""
    try:
        own, _ = front.list(PODS, namespace, selector=_OWN_PODS)
        agents, _ = front.list(PODS, selector=f"{ARGO_COMPONENT}=agent,!{MIRRORED}")
    except MedeaError as error:
        return pulls.PullFacts(problem=error.message)
    return pulls.look(own, [pod for pod in agents if pod["metadata"]["namespace"] in opted_in])


def _workflows(front: Cluster) -> str | None:
    try:
        next(front.pages(WORKFLOWS), None)
    except NotThere:
        return "Argo's CustomResourceDefinitions are not installed"
    except MedeaError as error:
        return error.message
    return None


def _argo(front: Cluster, namespace: str) -> ArgoFacts:
    try:
        found = [one for one in front.list(DEPLOYMENTS, namespace)[0] if _is_controller(one)]
    except MedeaError as error:
        return ArgoFacts(problem=error.message)
    if not found:
        return ArgoFacts(problem=f"namespace {namespace} has no Deployment of it")
    pod = _pod(found[0])
    return ArgoFacts(
        name=found[0]["metadata"]["name"],
        account=str(pod.get("serviceAccountName") or "default"),
        version=image_tag(pod),
        environment=_environment(pod),
    )


def _is_controller(deployment: Object) -> bool:
    containers = mappings(_pod(deployment).get("containers"))
    return any("workflow-controller" in str(one.get("image")) for one in containers)


def _pod(deployment: Object) -> Mapping[str, object]:
    return mapping(mapping(mapping(deployment.get("spec")).get("template")).get("spec"))


def _environment(pod: Mapping[str, object]) -> dict[str, str]:
    return {
        str(one.get("name")): str(one.get("value"))
        for container in mappings(pod.get("containers"))
        for one in mappings(container.get("env"))
    }


def _target(front: Cluster, space: str, name: str, recorded: Mapping[str, str] | None) -> TargetFacts:
    try:
        return check.gather(front, space, name, (), probe=False, recorded=recorded)
    except BadRequest as error:
        return TargetFacts(name, broken=Finding(Grade.MISSING, error.message))
