"""Copies the ConfigMaps that go along with a run to its target. Never changes one that exists there."""

import structlog

from webhook.controller.made_copy import make_copy
from webhook.errors import NotAllowed, Rejected
from webhook.kube.client import Cluster
from webhook.kube.resources import CONFIG_MAPS
from webhook.model.objects import Object
from webhook.references.taken import same_content
from webhook.targets.acceptance import not_taken

log = structlog.get_logger(__name__)


def make_config_map(target: Cluster, namespace: str, copy: Object) -> bool:
    """Make sure that a copy is there; whether it had to be made.

    Raises Rejected if something else has its name, or if the target does not let Medea make it.
    """
    name = str(copy["metadata"]["name"])

    def check(found: Object) -> None:
        if not same_content(found, copy):
            raise Rejected(f"ConfigMap {name} is there with another content than its name says")

    try:
        made = make_copy(target, CONFIG_MAPS, namespace, copy, check, words="ConfigMap")
    except NotAllowed as error:
        raise Rejected(not_taken(namespace, target.name), cluster=target.name) from error
    if made:
        log.info("ConfigMap copied", cluster=target.name, namespace=namespace, config_map=name)
    return made
