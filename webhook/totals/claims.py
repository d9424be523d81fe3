"""The objects that a Workflow holds at its target from beginning to end: itself, and its volume claims. Pure."""

from webhook.errors import Refused
from webhook.model.objects import mapping, mappings
from webhook.totals.demands import COUNT_WORKFLOWS, Amounts, added
from webhook.totals.quantities import amount
from webhook.totals.shape import Spec, text


def held_objects(spec: Spec) -> dict[str, Amounts]:
    """By the VolumeAttributesClass of claims, empty for those without one and for what is no claim."""
    found: dict[str, Amounts] = {"": {COUNT_WORKFLOWS: 1}}
    for claim in mappings(spec.get("volumeClaimTemplates")):
        wanted = mapping(claim.get("spec"))
        name = text(wanted.get("volumeAttributesClassName")) or ""
        found[name] = added(found.get(name, {}), _of_claim(wanted))
    return found


def _of_claim(claim: Spec) -> dict[str, int]:
    counted = {"persistentvolumeclaims": 1}
    written = mapping(mapping(claim.get("resources")).get("requests")).get("storage")
    try:
        counted["requests.storage"] = amount("storage", "storage", written) if written is not None else 0
    except Refused:
        # A tag, or nonsense: the target says so itself.
        counted["requests.storage"] = 0
    storage_class = text(claim.get("storageClassName"))
    if storage_class is None:
        return counted
    prefix = f"{storage_class}.storageclass.storage.k8s.io"
    return {**counted, **{f"{prefix}/{name}": size for name, size in counted.items()}}
