"""What a `podSpecPatch` says before its tags are filled in. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from webhook.model.bounded_json import read_json
from webhook.model.limits.admission import WEIGH_PAGE
from webhook.model.limits.references import YAML_PER_WORK
from webhook.totals.patches import read_patch
from webhook.totals.shape import Spec, text
from webhook.totals.strategic import patched
from webhook.totals.tags import masked
from webhook.totals.unknowns import Unknowns


class Patches:
    """Reads patches, each once, however many templates it is for. `work` is what that has cost so far."""

    def __init__(self) -> None:
        self.work = 0
        self._read: dict[str, Spec] = {}

    def of(self, *holders: Spec) -> list[Spec]:
        """The patches of a Workflow and of a template; nothing of what can't be read before it runs."""
        return [self._of(patch) for one in holders if (patch := text(one.get("podSpecPatch")))]

    def _of(self, patch: str) -> Spec:
        if patch not in self._read:
            plain, tags = masked(patch)
            self.work += len(patch) // (WEIGH_PAGE if _is_json(plain) else YAML_PER_WORK)
            self._read[patch] = _with_tags(read_patch(plain, "podSpecPatch", Unknowns()), tags)
        return self._read[patch]


def changed(pod: Spec, patches: Iterable[Spec]) -> Spec:
    """The pod after these patches; those that Kubernetes refuses change nothing."""
    for patch in patches:
        try:
            pod = patched(pod, patch)
        except ValueError:
            continue
    return pod


def _is_json(text: str) -> bool:
    try:
        read_json(text.encode())
    except ValueError:
        return False
    return True


def _with_tags(found: Spec, tags: Mapping[str, str]) -> Spec:
    if not tags:
        return found
    words = re.compile(re.sub("[0-9]+x$", "[0-9]+x", next(iter(tags))))
    made: Any = json.loads(words.sub(lambda word: json.dumps(tags.get(word[0], word[0]))[1:-1], json.dumps(found)))
    return dict(made)
