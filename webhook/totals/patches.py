"""Reads the text of a `podSpecPatch`, and leaves out what only the run knows."""

from collections.abc import Mapping
from typing import Any

from webhook.model.bounded_json import read_json
from webhook.model.objects import mapping
from webhook.totals.manifests import read_yaml
from webhook.totals.shape import text
from webhook.totals.tags import UNKNOWN
from webhook.totals.unknowns import Unknowns


def read_patch(patch: str, where: str, unknowns: Unknowns) -> dict[str, Any]:
    """The changes of a patch, tags filled in; nothing of it, with a note, if it can't be read."""
    found = _read(patch)
    if found is None:
        unknowns.say(f"{where} can't be read before it runs")
        return {}
    known = _known(found)
    for key in ("containers", "initContainers"):
        if isinstance(found.get(key), list):
            known[key] = [_known(one) if isinstance(one, Mapping) else one for one in found[key]]
        elif UNKNOWN in str(found.get(key)):
            del known[key]
    if known != found:
        unknowns.say(f"limits in {where} can't all be known before it runs")
    return known


def _known(written: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without the limits that are unknown, or without what is unknown around them."""
    resources = written.get("resources")
    if isinstance(resources, str) and UNKNOWN in resources:
        return {key: value for key, value in written.items() if key != "resources"}
    limits = mapping(resources).get("limits")
    if UNKNOWN not in str(limits):
        return dict(written)
    certain = {name: value for name, value in mapping(limits).items() if UNKNOWN not in str(value)}
    return {**written, "resources": {**mapping(resources), "limits": certain}}


def _read(patch: str) -> Mapping[str, Any] | None:
    if text(patch.strip()) is None:
        return {}
    try:
        found = read_json(patch.encode())
    except ValueError:
        try:
            found = next(iter(read_yaml(patch)), {})
        except ValueError:
            return None
    return found if isinstance(found, Mapping) else None
