"""What the pod of one template names: in its environment, volumes, artifacts and fields, after its patches. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from webhook.model.objects import mapping, mappings
from webhook.references.model import Kind, Reference
from webhook.references.patches import changed
from webhook.totals.scope import value_of
from webhook.totals.shape import Spec
from webhook.totals.tags import Bindings

# By the field that holds an object with a name.
_NAMED = {
    "configMapKeyRef": Kind.CONFIG_MAP,
    "configMapRef": Kind.CONFIG_MAP,
    "krbConfigConfigMap": Kind.CONFIG_MAP,
    "secretKeyRef": Kind.SECRET,
    "secretRef": Kind.SECRET,
    "nodePublishSecretRef": Kind.SECRET,
}
# Of a strategy for artifacts.
_NEVER = "Never"
# Every namespace has it.
_DEFAULT_ACCOUNT = "default"


Selector = tuple[Kind, Mapping[str, Any]]
"""A place where an object is named: its kind, and what holds the name, in which there may be tags."""


def pod_selectors(template: Spec, spec: Spec, patches: Iterable[Spec] = ()) -> Iterator[Selector]:
    """What the pod names that `template` makes in a Workflow with this `spec`, after these patches."""
    pod = changed(_pod(template, spec), patches)
    containers = [pod.get("containers"), pod.get("initContainers")]
    artifacts = [mapping(template.get(side)).get("artifacts") for side in ("inputs", "outputs")]
    where = [*containers, *artifacts, template.get("archiveLocation"), template.get("http"), template.get("data")]
    yield from selectors_in(where)
    yield from selectors_in([_source(volume) for volume in mappings(pod.get("volumes"))])
    yield Kind.ACCOUNT, {"name": pod.get("serviceAccountName")}
    yield Kind.PRIORITY_CLASS, {"name": pod.get("priorityClassName")}
    for secret in mappings(pod.get("imagePullSecrets")):
        yield Kind.SECRET, {"name": secret.get("name")}
    for account in (_executor(template, spec), *_deleters(template, spec)):
        yield Kind.ACCOUNT, {"name": account}


def lock_selectors(holder: Spec) -> Iterator[Selector]:
    """The ConfigMaps with the sizes of semaphores; those of other namespaces are left out."""
    written = mapping(holder.get("synchronization"))
    for semaphore in (mapping(written.get("semaphore")), *mappings(written.get("semaphores"))):
        if not semaphore.get("namespace"):
            yield Kind.CONFIG_MAP, mapping(semaphore.get("configMapKeyRef"))


def selectors_in(value: object) -> Iterator[Selector]:
    """Everything named in a JSON value, at any depth."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, Mapping):
            for key, inner in one.items():
                kind = _kind(str(key), inner)
                if kind is None:
                    waiting.append(inner)
                else:
                    yield kind, inner


def has_tag(selector: Selector) -> bool:
    """Whether the name depends on something."""
    return "{{" in str(selector[1].get("name"))


def resolved(selectors: Iterable[Selector], known: Bindings) -> Iterator[Reference]:
    """What is needed of that. Names that are not known before it runs, and what is optional, are left out."""
    for kind, selector in selectors:
        name = value_of(selector.get("name"), known)
        if not name or selector.get("optional") is True or (kind is Kind.ACCOUNT and name == _DEFAULT_ACCOUNT):
            continue
        yield Reference(kind, name)


def _pod(template: Spec, spec: Spec) -> Spec:
    """The pod before any patch. A template's own fields come before its Workflow's."""
    main = [{**mapping(template.get(one)), "name": "main"} for one in ("container", "script") if template.get(one)]
    grouped = mappings(mapping(template.get("containerSet")).get("containers"))
    containers = [*main, *grouped, *mappings(template.get("sidecars"))]
    first = list(mappings(template.get("initContainers")))
    return {
        "containers": containers,
        "initContainers": first,
        "volumes": list(_mounted(template, spec, [*containers, *first])),
        "serviceAccountName": template.get("serviceAccountName") or spec.get("serviceAccountName"),
        "priorityClassName": template.get("priorityClassName") or spec.get("podPriorityClassName"),
        "imagePullSecrets": spec.get("imagePullSecrets"),
    }


def _executor(template: Spec, spec: Spec) -> object:
    """The account of Argo's own containers, if it is another one."""
    own, general = mapping(template.get("executor")), mapping(spec.get("executor"))
    return own.get("serviceAccountName") or general.get("serviceAccountName")


def _deleters(template: Spec, spec: Spec) -> Iterator[object]:
    """The accounts with which Argo deletes what a template puts out."""
    general = mapping(spec.get("artifactGC"))
    for artifact in mappings(mapping(template.get("outputs")).get("artifacts")):
        own = mapping(artifact.get("artifactGC"))
        if (own.get("strategy") or general.get("strategy") or _NEVER) != _NEVER:
            yield own.get("serviceAccountName") or general.get("serviceAccountName")


def _mounted(template: Spec, spec: Spec, containers: list[Spec]) -> Iterator[Spec]:
    """The volumes that the pod gets: those that a container mounts, and no others of the Workflow's."""
    names = {str(mount.get("name")) for one in containers for mount in mappings(one.get("volumeMounts"))}
    for volume in (*mappings(template.get("volumes")), *mappings(spec.get("volumes"))):
        if volume.get("name") in names:
            names.discard(str(volume["name"]))
            yield volume


def _source(volume: Spec) -> object:
    """A volume with what it names under the fields of an environment, so that both are read alike."""
    projected = [_source(one) for one in mappings(mapping(volume.get("projected")).get("sources"))]
    secret = mapping(volume.get("secret"))
    claim = mapping(volume.get("persistentVolumeClaim"))
    rest = {key: value for key, value in volume.items() if key not in ("projected", "secret", "configMap")}
    return [
        {"configMapRef": mapping(volume.get("configMap")), "secretRef": {"name": secret.get("secretName"), **secret}},
        {"claimRef": {"name": claim.get("claimName")}},
        projected,
        rest,
    ]


def _kind(key: str, value: Any) -> Kind | None:
    if not isinstance(value, Mapping):
        return None
    if key == "claimRef":
        return Kind.CLAIM
    if key.endswith("Secret") and "name" in value and "key" in value:
        # Of an artifact: accessKeySecret, sshPrivateKeySecret and many more.
        return Kind.SECRET
    return _NAMED.get(key)
