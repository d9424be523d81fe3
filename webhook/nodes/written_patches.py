"""The patches of a Workflow's pods, each read once, however many templates it is for. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from webhook.model.limits.nodes import LONGEST_PATCHES
from webhook.model.objects import mappings
from webhook.totals.patches import read_patch
from webhook.totals.unknowns import Unknowns

_TAG = "{{"
_PLACING = ("nodeSelector", "affinity", "nodeName")
_CONTAINERS = ("containers", "initContainers")
_OF_A_CONTAINER = frozenset({"name", "resources", "restartPolicy"})


class WrittenPatches:
    """Cuts patches down to what says how large a pod is. They may be in YAML, which is slow to read.

    Of all of them together, so many characters are read as `LONGEST_PATCHES` says; of what is longer nothing is known.
    """

    def __init__(self) -> None:
        self._left = LONGEST_PATCHES
        self._known: dict[str, str | None] = {}

    def of(self, *patches: Any) -> list[str] | None:
        """Those that are there, cut down; None if they say too much, or where a pod runs, or what only a run knows."""
        found = [self._cut(one) for one in patches if isinstance(one, str) and one]
        known = [one for one in found if one is not None]
        return known if len(known) == len(found) else None

    def _cut(self, patch: str) -> str | None:
        if patch not in self._known:
            self._known[patch] = self._read(patch)
        return self._known[patch]

    def _read(self, patch: str) -> str | None:
        if _TAG in patch or any(word in patch for word in _PLACING) or len(patch) > self._left:
            return None
        self._left -= len(patch)
        found = read_patch(patch, "podSpecPatch", Unknowns())
        # A key may be written with escapes.
        return json.dumps(_sizes(found)) if found.keys().isdisjoint(_PLACING) else None


def _sizes(patch: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a patch says of sizes, and its directives."""
    found = _kept(patch, frozenset({"resources"}))
    for key in _CONTAINERS:
        if key in patch:
            inside = patch[key]
            found[key] = [_kept(one, _OF_A_CONTAINER) for one in mappings(inside)] if inside is not None else None
    return found


def _kept(value: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {key: one for key, one in value.items() if key in names or key.startswith("$")}
