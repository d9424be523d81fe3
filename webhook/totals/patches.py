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
    unknown: set[str] = set()
    known = _known(found, unknown)
    for key in ("containers", "initContainers"):
        if isinstance(found.get(key), list):
            known[key] = [_known(one, unknown) if isinstance(one, Mapping) else one for one in found[key]]
        elif UNKNOWN in str(found.get(key)):
            unknown.add("limits")
            del known[key]
    for kind in sorted(unknown):
        unknowns.say(f"{kind} in {where} can't all be known before it runs")
    return known


def _known(written: Mapping[str, Any], unknown: set[str]) -> dict[str, Any]:
    """A copy without the sizes that are unknown, or without what is unknown around them; their kinds are noted."""
    resources = written.get("resources")
    if isinstance(resources, str) and UNKNOWN in resources:
        unknown.add("limits")
        return {key: value for key, value in written.items() if key != "resources"}
    found = dict(written)
    for kind in ("limits", "requests"):
        sizes = mapping(resources).get(kind)
        if UNKNOWN in str(sizes):
            unknown.add(kind)
            certain = {name: value for name, value in mapping(sizes).items() if UNKNOWN not in str(value)}
            found["resources"] = {**mapping(found["resources"]), kind: certain}
    return found


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
