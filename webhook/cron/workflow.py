"""The Workflow of one tick, as Argo's controller makes it. Pure."""

from webhook.cron.spec import CronSpec
from webhook.kube.resources import CRON_WORKFLOWS
from webhook.model.contract import (
    ARGO_CREATORS,
    ARGO_CRON,
    ARGO_CRON_TIME,
    ARGO_INSTANCE,
    CLUSTERS,
    FIT,
    POLICY,
    PREFIX,
    SPLIT,
)
from webhook.model.moments import stamp
from webhook.model.objects import Object, labels

_PASSED_ON = frozenset({*ARGO_CREATORS, ARGO_INSTANCE})
_ASKED_FOR = frozenset({CLUSTERS, FIT, POLICY, SPLIT})
"""The only words of Medea's that a CronWorkflow may say. Others are believed from who submits, which here is Medea."""


def workflow_of(cron: Object, spec: CronSpec, tick: int) -> Object:
    """The manifest. Its name follows from the tick, so whoever makes it a second time finds the name taken."""
    name = cron["metadata"]["name"]
    passed_on = {key: value for key, value in labels(cron).items() if key in _PASSED_ON}
    owner = {
        "apiVersion": CRON_WORKFLOWS.api_version,
        "kind": CRON_WORKFLOWS.kind,
        "name": name,
        "uid": cron["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata: Object = {
        "name": name_of(name, tick),
        "labels": {**passed_on, **_others(spec.labels), ARGO_CRON: name},
        "annotations": {**_others(spec.annotations), ARGO_CRON_TIME: stamp(tick)},
        "ownerReferences": [owner],
        **({"finalizers": spec.finalizers} if spec.finalizers else {}),
    }
    return {"metadata": metadata, "spec": spec.workflow}


def name_of(cron: str, tick: int) -> str:
    """The name of the Workflow of a tick."""
    return f"{cron}-{tick}"


def _others(marks: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in marks.items() if not key.startswith(PREFIX) or key in _ASKED_FOR}
