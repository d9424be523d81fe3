"""Copies what a run needs to its target: WorkflowTemplates and ConfigMaps. Never changes what exists there."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable

import structlog

from webhook.controller.config_maps import make_config_map
from webhook.controller.made_copy import make_copy
from webhook.controller.template_names import copy_of, with_note
from webhook.errors import ClusterUnavailable, Rejected
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOW_TEMPLATES, Resource
from webhook.kube.templates import check_own_names, content_of
from webhook.model.contract import COPIED, COPY_OF
from webhook.model.limits.controller import COPY_HEARD, COPY_UNUSED
from webhook.model.objects import Metadata, Object
from webhook.model.run import Original
from webhook.model.template_versions import Copy, copies, specs_of
from webhook.references.taken import with_copies

log = structlog.get_logger(__name__)

_COMPARED = "medea-compared-"


class Copies:
    """Makes copies, and remembers when each was made and last used. Safe to share between threads.

    Argo knows templates and ConfigMaps by watches of its own. A run that it hears of before its template ends in Error
    at once, so a run waits a moment for a copy that was made just now. `clock` is in seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._used: dict[tuple[str, str, str], float] = {}
        self._made: dict[tuple[str, str, str], float] = {}
        """Copies that Argo there may not have heard of yet."""
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def with_copies(self, target: Cluster, namespace: str, original: Original) -> Object:
        """Copy what the run needs, in the version it was submitted with; returns the Workflow to run.

        Raises Rejected if that is not possible on this target, and ClusterUnavailable for a moment after a copy was
        made.
        """
        changed, config_maps = with_copies(original)
        for one in config_maps:
            name = str(one["metadata"]["name"])
            self._note_use(target, namespace, [name])
            if make_config_map(target, namespace, one):
                self._made[target.name, namespace, name] = self._clock()
        workflow = self._with_templates(target, namespace, changed)
        for one in config_maps:
            self._check_heard(target, namespace, str(one["metadata"]["name"]))
        return workflow

    def _with_templates(self, target: Cluster, namespace: str, original: Original) -> Object:
        workflow, templates = original["workflow"], original["templates"]
        if not templates:
            return workflow
        specs = specs_of(templates)
        check_own_names(target, namespace, workflow["spec"], specs)
        spec, needed = copies(workflow["spec"], specs)
        self._note_use(target, namespace, [one.name for one in needed])
        for one in needed:
            if _make(target, namespace, one):
                self._made[target.name, namespace, one.name] = self._clock()
        for one in needed:
            self._check_heard(target, namespace, one.name)
        return with_note({**workflow, "spec": spec}, needed)

    def remove(self, target: Cluster, kind: Resource, namespace: str, copied: Object) -> bool:
        """Delete a copy, in the version that was read, unless it has been used lately. Whether it was deleted."""
        metadata: Metadata = copied["metadata"]
        name, version = metadata["name"], metadata["resourceVersion"]
        # Whoever is about to use it says so first, and waits here: so it is either kept, or made anew.
        with self._locks[target.name]:
            used = self._used.get((target.name, namespace, name))
            if used is not None and self._clock() - used < COPY_UNUSED:
                return False
            target.delete(kind, namespace, name, uid=metadata["uid"], version=version, propagation="Background")
            self._used.pop((target.name, namespace, name), None)
            return True

    def _check_heard(self, target: Cluster, namespace: str, name: str) -> None:
        made = self._made.get((target.name, namespace, name))
        if made is None:
            return
        if self._clock() - made < COPY_HEARD:
            raise ClusterUnavailable(f"{name} was copied to {target.name} just now; Argo there hears of it first")
        self._made.pop((target.name, namespace, name), None)

    def _note_use(self, target: Cluster, namespace: str, names: Iterable[str]) -> None:
        with self._locks[target.name]:
            for name in names:
                self._used[target.name, namespace, name] = self._clock()


def _make(target: Cluster, namespace: str, wanted: Copy) -> bool:
    """Make sure that a copy is there; whether it had to be made. Raises Rejected if something else has its name."""
    body = _body(wanted)

    def check(found: Object) -> None:
        _check_content(target, namespace, found, body)

    made = make_copy(target, WORKFLOW_TEMPLATES, namespace, body, check, words="template")
    if made:
        log.info("template copied", cluster=target.name, namespace=namespace, template=wanted.name)
    return made


def _check_content(target: Cluster, namespace: str, found: Object, body: Object) -> None:
    """Raises Rejected unless the content is what would be there if the copy was made now.

    A target may drop fields that its version of Argo does not know, or add defaults: it is asked what it would make.
    """
    if content_of(found) == body["spec"]:
        return
    anew = {**body, "metadata": {"generateName": _COMPARED}}
    if content_of(found) != content_of(target.create(WORKFLOW_TEMPLATES, namespace, anew, dry_run=True)):
        name = found["metadata"]["name"]
        raise Rejected(f"WorkflowTemplate {name} is there with another content than its name says", cluster=target.name)


def _body(wanted: Copy) -> Object:
    """Nothing of the template's own labels or annotations: others' tools might act on them."""
    marks = {COPY_OF: copy_of(wanted.of)}
    return {
        "metadata": {"name": wanted.name, "labels": {COPIED: "true"}, "annotations": marks},
        "spec": wanted.spec,
    }
