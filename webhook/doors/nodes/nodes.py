"""Where a Workflow would go, by the front door's own decision; and its submission there."""

from collections.abc import Mapping
from dataclasses import dataclass

from webhook.doors.nodes.fitting import Fitting, fitting, named_by
from webhook.doors.nodes.manifest import Manifest
from webhook.errors import BadRequest, NoRoom, Refused, Unavailable, wrong_field
from webhook.kube.client import Cluster
from webhook.kube.registry import Registry
from webhook.kube.resources import WORKFLOWS, checked_name
from webhook.model.contract import CLUSTER, CLUSTERS, DECISION, PLACEMENT, REASON, STATE
from webhook.model.limits.api import SUBMIT_TIMEOUT
from webhook.model.limits.nodes import ASK_TIMEOUT
from webhook.model.objects import Object, annotations
from webhook.nodes.choose import Choice
from webhook.nodes.pools import Pools, noted_pools

_ASKED = "medea-nodes-"
_NOTHING = "no template asks for resources and has no selector of its own"


@dataclass(frozen=True)
class Answer:
    """A Workflow with the selectors of a target's node pools; without a target if it asks for nothing."""

    text: str
    media: str
    cluster: str | None
    words: str


@dataclass(frozen=True)
class Chosen(Choice):
    """The pools of one target; of none if there is nothing to place."""

    cluster: str | None = None


@dataclass(frozen=True)
class Submitted:
    """A Workflow at the front door, and where Medea has placed it; `cluster` is None while it waits."""

    name: str
    namespace: str
    cluster: str | None
    state: str
    reason: str


@dataclass(frozen=True)
class Nodes:
    """`namespace` is where Workflows go that name none; None if each must."""

    registry: Registry
    namespace: str | None

    def namespace_of(self, asked: str | None, manifest: Manifest) -> str:
        """Where it is, or is to be, submitted. Raises BadRequest if nothing says it, or two differ."""
        written = manifest.workflow["metadata"].get("namespace")
        if asked and written and asked != written:
            raise wrong_field(BadRequest, "namespace", asked, "the Workflow's own metadata.namespace is another one")
        found = asked or written or self.namespace
        if not found:
            raise wrong_field(
                BadRequest, "namespace", None, "name one: ?namespace=NAME, metadata.namespace, or ARGO_NAMESPACE"
            )
        return checked_name("namespace", found)

    def place(self, front: Cluster, namespace: str, manifest: Manifest) -> Answer:
        """The same Workflow, with selectors for the target that it would go to now. Nothing is reserved, or made.

        `front` acts as who asks. Raises Refused if it fits no target's node pools, NoRoom if none has room now,
        Unavailable if the targets are not known yet, and what the front door answers.
        """
        chosen = self.choice(front, namespace, manifest)
        words = f"{chosen.cluster}: {chosen.words}" if chosen.cluster else _NOTHING
        return Answer(manifest.placed(chosen), manifest.form, chosen.cluster, words)

    def choice(self, front: Cluster, namespace: str, manifest: Manifest) -> "Chosen":
        """The pools that its steps would go to now, as `place` has them."""
        fit = fitting(manifest.spec, self._pools())
        if not fit.wanted:
            return Chosen()
        cluster = self._target(front, namespace, manifest, fit)
        one = fit.choices[cluster]
        return Chosen(one.pools, one.steps, cluster)

    def submit(self, front: Cluster, namespace: str, manifest: Manifest) -> Submitted:
        """Submit it as who asks; only targets count that have the node pools which it names.

        Raises Refused if no target has all of them, and what the front door answers. After Unavailable it may be there.
        """
        named = named_by(manifest.spec, self._pools())
        made = front.create(
            WORKFLOWS, namespace, _narrowed(_body(manifest.workflow), named), read_timeout=SUBMIT_TIMEOUT
        )
        said = annotations(made)
        return Submitted(
            name=str(made["metadata"]["name"]),
            namespace=namespace,
            cluster=said.get(CLUSTER),
            state=said.get(STATE, "left at the front door"),
            reason=said.get(REASON) or said.get(DECISION, ""),
        )

    def _target(self, front: Cluster, namespace: str, manifest: Manifest, fit: Fitting) -> str:
        if not fit.choices:
            raise Refused("; ".join(fit.reasons.values()) or "no target is registered at this front door")
        body = _narrowed(_body(manifest.workflow), frozenset(fit.choices))
        # Whether its name is free says nothing about where it would go.
        body["metadata"] = {key: value for key, value in body["metadata"].items() if key != "name"}
        body["metadata"]["generateName"] = _ASKED
        asked = front.create(WORKFLOWS, namespace, body, dry_run=True, read_timeout=ASK_TIMEOUT)
        said = annotations(asked)
        if PLACEMENT not in said:
            raise Refused("the front door leaves this Workflow alone, and places it nowhere")
        cluster = said.get(CLUSTER)
        if cluster is None:
            raise NoRoom(f"no target has room now: {said.get(REASON, '')}")
        return cluster

    def _pools(self) -> Mapping[str, Pools]:
        """Raises Unavailable until the targets are known: it would seem that there are none."""
        if not self.registry.wait(0):
            raise Unavailable("the targets are not known yet; try again")
        found = {}
        for target in self.registry.registered():
            try:
                found[target] = noted_pools(self.registry.secret(target))
            except ValueError:
                # Nobody who submits can mend that; `medea target check` tells who can.
                found[target] = ()
        return found


def _body(workflow: Object) -> Object:
    """What of it is submitted: a status, or what an apiserver has added to it, is not."""
    metadata = workflow["metadata"]
    kept = {key: metadata[key] for key in ("name", "generateName", "labels", "annotations") if metadata.get(key)}
    return {"metadata": kept, "spec": workflow["spec"]}


def _narrowed(body: Object, targets: frozenset[str] | None) -> Object:
    """With its choice of targets narrowed to these; what its user has said stays in force."""
    if targets is None:
        return body
    said = annotations(body).get(CLUSTERS)
    own = None if said is None else frozenset(one.strip() for one in said.split(","))
    left = targets if own is None else targets & own
    if not left:
        raise Refused(f"no target has all the node pools that it needs: {CLUSTERS} is {said!r}")
    metadata = body["metadata"]
    marks = {**(metadata.get("annotations") or {}), CLUSTERS: ",".join(sorted(left))}
    return {**body, "metadata": {**metadata, "annotations": marks}}
