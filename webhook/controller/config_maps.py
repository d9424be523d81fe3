"""Copies the ConfigMaps that go along with a run to its target. Never changes one that exists there."""

import structlog

from webhook.errors import AlreadyExists, ClusterUnavailable, NotAllowed, Rejected
from webhook.kube.client import Cluster
from webhook.kube.resources import CONFIG_MAPS
from webhook.model.objects import Object
from webhook.references.taken import same_content
from webhook.targets.acceptance import not_taken

log = structlog.get_logger(__name__)

# Attempts: a copy may be made or removed by somebody else between the look and the create.
_MOST_LOOKS = 3


def make_config_map(target: Cluster, namespace: str, copy: Object) -> bool:
    """Make sure that a copy is there; whether it had to be made.

    Raises Rejected if something else has its name, or if the target does not let Medea make it.
    """
    name = str(copy["metadata"]["name"])
    try:
        for _ in range(_MOST_LOOKS):
            found = target.find(CONFIG_MAPS, namespace, name)
            if found is not None:
                if not same_content(found, copy):
                    raise Rejected(f"ConfigMap {name} is there with another content than its name says")
                return False
            try:
                target.create(CONFIG_MAPS, namespace, copy)
            except AlreadyExists:
                continue
            log.info("ConfigMap copied", cluster=target.name, namespace=namespace, config_map=name)
            return True
    except NotAllowed as error:
        raise Rejected(not_taken(namespace, target.name), cluster=target.name) from error
    raise ClusterUnavailable(f"ConfigMap {name} on {target.name} comes and goes; trying again")
