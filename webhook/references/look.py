"""Asks a target whether it has one object. Of Secrets, claims and accounts nothing but the metadata is sent."""

from webhook.errors import MedeaError, NotAllowed
from webhook.kube.client import Cluster
from webhook.kube.resources import (
    CLAIMS,
    CONFIG_MAPS,
    PRIORITY_CLASSES,
    SECRETS,
    SERVICE_ACCOUNTS,
    Resource,
    is_name,
)
from webhook.model.contract import ARGO_CONFIG_MAP_TYPE, ARGO_PARAMETERS
from webhook.model.limits.references import LONGEST_VALUE
from webhook.model.objects import Object, labels, mapping
from webhook.references.model import Kind, Reference, Seen

RESOURCES: dict[Kind, Resource] = {
    Kind.CONFIG_MAP: CONFIG_MAPS,
    Kind.SECRET: SECRETS,
    Kind.CLAIM: CLAIMS,
    Kind.ACCOUNT: SERVICE_ACCOUNTS,
    Kind.PRIORITY_CLASS: PRIORITY_CLASSES,
}


def look(cluster: Cluster, namespace: str, reference: Reference, *, timeout: float) -> Seen:
    """What the cluster answers, within `timeout` seconds. Never raises for what the cluster says."""
    kind = RESOURCES[reference.kind]
    if not is_name(reference.name):
        return Seen(None, "that is no name in Kubernetes")
    find = cluster.find if reference.keys else cluster.find_metadata
    try:
        found = find(kind, namespace if kind.namespaced else None, reference.name, read_timeout=timeout)
    except NotAllowed:
        return Seen(None, f"Medea may not look at its {kind.kind}s")
    except MedeaError as error:
        return Seen(None, error.message)
    if found is None:
        return Seen(False, f"lacks {reference.words}")
    return seen_parameters(found, reference) if reference.keys else Seen(True)


def seen_parameters(config_map: Object, reference: Reference) -> Seen:
    """What a ConfigMap is to parameters: Argo takes their values only from one with its label, and needs every key."""
    if labels(config_map).get(ARGO_CONFIG_MAP_TYPE) != ARGO_PARAMETERS:
        return Seen(False, f"its {reference.words} lacks the label {ARGO_CONFIG_MAP_TYPE}={ARGO_PARAMETERS}")
    data = mapping(config_map.get("data"))
    missing = [key for key in reference.keys if not isinstance(data.get(key), str)]
    values = {key: data[key] for key in reference.keys if key not in missing and len(data[key]) <= LONGEST_VALUE}
    if missing:
        return Seen(False, f"its {reference.words} lacks {', '.join(missing)}", values)
    return Seen(True, values=values)
