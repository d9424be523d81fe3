"""Pods whose image can't be pulled: Medea's own, and Argo's agents, whose plugin has Medea's image. Pure.

Each namespace has pull secrets of its own, so that agents may lack what Medea's pods have.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from webhook.model.contract import AGENT_ACCOUNT
from webhook.model.objects import Object, mapping, mappings, spec_of, status_of
from webhook.targets.findings import Finding, Grade

_REASONS = {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "RegistryUnavailable"}
_MAKE = "create secret docker-registry NAME --docker-server=… --docker-username=… --docker-password=…"
_PAGE = "docs/installing.md, A private registry"


@dataclass(frozen=True)
class Waiting:
    """Pods of a namespace that wait for an image. `agent` is the account of agents, None for Medea's own pods.

    `words` is what the kubelet says of one of them.
    """

    namespace: str
    agent: str | None
    words: str


@dataclass(frozen=True)
class PullFacts:
    """What waits, or in `problem` why that can't be seen."""

    waiting: Sequence[Waiting] = ()
    problem: str | None = None


def look(own: Iterable[Object], agents: Iterable[Object]) -> PullFacts:
    """Of these pods those that wait, one for each account."""
    found: dict[tuple[str, str | None], str] = {}
    for pod in own:
        _note(found, pod, None)
    for pod in agents:
        _note(found, pod, str(spec_of(pod).get("serviceAccountName")))
    return PullFacts([Waiting(namespace, agent, words) for (namespace, agent), words in found.items()])


def findings(facts: PullFacts) -> Iterator[Finding]:
    """The check's lines about images."""
    if facts.problem:
        words = f"whether images can be pulled can't be seen: {facts.problem}"
        yield Finding(Grade.NOTE, words, "kubectl get pods -A | grep Image")
    elif not facts.waiting:
        yield Finding(Grade.FINE, "no pod of Medea's and no agent waits for an image that can't be pulled")
    for one in facts.waiting:
        yield Finding(Grade.MISSING, f"{_whose(one)} wait for an image that can't be pulled: {one.words}", _mend(one))


def _whose(one: Waiting) -> str:
    return "Medea's pods" if one.agent is None else f"namespace {one.namespace}: Argo's agents"


def _mend(one: Waiting) -> str:
    named = {None: "imagePullSecrets", AGENT_ACCOUNT: "agent.imagePullSecrets"}
    where = named.get(one.agent, f"the imagePullSecrets of ServiceAccount {one.agent}")
    return f"kubectl -n {one.namespace} {_MAKE}  # NAME goes into {where}: {_PAGE}"


def _note(found: dict[tuple[str, str | None], str], pod: Object, agent: str | None) -> None:
    words = _unpulled(pod)
    if words is not None:
        found[str(pod["metadata"]["namespace"]), agent] = words


def _unpulled(pod: Object) -> str | None:
    """What the kubelet says of a container whose image it can't pull; None if there is none."""
    status = status_of(pod)
    for container in (*mappings(status.get("initContainerStatuses")), *mappings(status.get("containerStatuses"))):
        waiting = mapping(mapping(container.get("state")).get("waiting"))
        if waiting.get("reason") in _REASONS:
            return str(waiting.get("message") or f"{waiting['reason']} {container.get('image')}")
    return None
