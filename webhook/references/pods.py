"""What the pod of one template names: in its environment, its volumes, its artifacts and its own fields. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from webhook.model.objects import mapping, mappings
from webhook.references.model import Kind, Reference
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
_CONTAINERS = ("initContainers", "sidecars")
# Every namespace has it.
_DEFAULT_ACCOUNT = "default"


Selector = tuple[Kind, Mapping[str, Any]]
"""A place where an object is named: its kind, and what holds the name, in which there may be tags."""


def pod_selectors(template: Spec, spec: Spec) -> Iterator[Selector]:
    """What the pod names that `template` makes in a Workflow with this `spec`."""
    containers = _containers(template)
    artifacts = [mapping(template.get(side)).get("artifacts") for side in ("inputs", "outputs")]
    where = [*containers, *artifacts, template.get("archiveLocation"), template.get("http"), template.get("data")]
    yield from selectors_in(where)
    yield from selectors_in([_source(volume) for volume in _mounted(template, spec, containers)])
    for kind, name in _own(template, spec):
        yield kind, {"name": name}


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


def _containers(template: Spec) -> list[Spec]:
    own = [mapping(template.get("container")), mapping(template.get("script"))]
    grouped = mappings(mapping(template.get("containerSet")).get("containers"))
    return [*own, *grouped, *(one for key in _CONTAINERS for one in mappings(template.get(key)))]


def _own(template: Spec, spec: Spec) -> Iterator[tuple[Kind, object]]:
    """What the fields of the pod itself name. A template's own fields come before its Workflow's."""
    yield Kind.ACCOUNT, template.get("serviceAccountName") or spec.get("serviceAccountName")
    for executor in (mapping(template.get("executor")), mapping(spec.get("executor"))):
        if executor.get("serviceAccountName"):
            yield Kind.ACCOUNT, executor["serviceAccountName"]
            break
    yield Kind.PRIORITY_CLASS, template.get("priorityClassName") or spec.get("podPriorityClassName")
    for secret in mappings(spec.get("imagePullSecrets")):
        yield Kind.SECRET, secret.get("name")


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
