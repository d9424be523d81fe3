"""How much of a quota one pod of a template takes: its limits and requests, added up as Kubernetes does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from webhook.model.objects import mapping, mappings
from webhook.totals.argo_config import ArgoConfig
from webhook.totals.charges import Sized, charged, is_best_effort
from webhook.totals.demands import LIMITS_CPU, LIMITS_MEMORY, Amounts, Traits, larger
from webhook.totals.model import Defaults, Totals
from webhook.totals.patches import read_patch
from webhook.totals.quantities import amount
from webhook.totals.shape import Spec, type_of
from webhook.totals.strategic import patched
from webhook.totals.tags import Bindings, filled
from webhook.totals.traits import traits_of
from webhook.totals.unknowns import RESOURCES, Unknowns

# Where a container's sizes were written, for whoever has to correct them.
_FIELD = "field"
_KINDS = ("limits", "requests")
_KEPT = ("resources", "restartPolicy", "$patch", "$retainKeys")
_TRAITS = ("priorityClassName", "activeDeadlineSeconds", "affinity")
"""The fields of a pod that decide which quotas with scopes count it."""


@dataclass(frozen=True)
class PodNeed:
    """What one pod takes of each resource that quotas limit, and what their scopes see of it."""

    amounts: Amounts
    traits: Traits

    @property
    def totals(self) -> Totals:
        """Its limits of CPU and memory."""
        return Totals(self.amounts.get(LIMITS_CPU, 0), self.amounts.get(LIMITS_MEMORY, 0))

    def larger(self, other: "PodNeed") -> "PodNeed":
        """The larger of the two, for each resource separately; traits in which they differ are unknown."""
        return PodNeed(larger(self.amounts, other.amounts), self.traits.common(other.traits))


def pod_need(
    template: Spec,
    patches: Iterable[str],
    known: Bindings,
    defaults: Defaults,
    unknowns: Unknowns,
    *,
    spec: Spec,
    exiting: bool = False,
) -> PodNeed:
    """What one pod needs. `patches` are its `podSpecPatch`es in the order in which they apply, tags not yet filled.

    `spec` is that of its Workflow; `exiting` is whether an exit handler runs it. Raises Refused for no quantity.
    """
    name = str(template.get("name") or "inline")
    pod, told = _written(template, f"templates[{name}]", spec, defaults.argo), dict[str, Any]()
    for patch in patches:
        where = f"podSpecPatch of template {name}"
        changes = read_patch(filled(patch, known), where, unknowns)
        try:
            pod = patched(pod, {**changes, **_marked(changes, where)})
        except ValueError:
            unknowns.say(f"{where} has a directive that Kubernetes refuses")
            continue
        told |= {key: changes[key] for key in _TRAITS if key in changes}
    counted = _Counted(name, _own_containers(template), defaults, unknowns, _whole(pod, name))
    main, first = ([counted.sized(one) for one in mappings(pod.get(key))] for key in ("containers", "initContainers"))
    best_effort = is_best_effort([*main, *first], counted.whole)
    traits = traits_of(template, spec, told, known, best_effort=best_effort, exiting=exiting)
    return PodNeed(charged(main, first, counted.whole), traits)


def _whole(pod: Mapping[str, Any], template: str) -> dict[str, dict[str, int]]:
    """The limits and requests of the whole pod."""
    level = mapping(pod.get("resources"))
    sizes = {kind: _parsed(f"podSpecPatch of template {template}.resources", kind, level) for kind in _KINDS}
    # Kubernetes has the whole pod request its limit where it requests nothing.
    sizes["requests"] = {**sizes["limits"], **sizes["requests"]}
    return sizes


def _written(template: Spec, field: str, spec: Spec, argo: ArgoConfig) -> dict[str, Any]:
    """The pod before any patch."""
    kind = type_of(template)
    if kind == "containerSet":
        inner = mappings(mapping(template["containerSet"]).get("containers"))
        main = [_container(_over_main(one, argo), f"{field}.containerSet.containers") for one in inner]
    elif kind in ("container", "script"):
        main = [_container({**_over_main(mapping(template[kind]), argo), "name": "main"}, f"{field}.{kind}")]
    else:
        main = [{"name": "main", _FIELD: field, **_over_main({"resources": argo.executor or {}}, argo)}]
    main += [_container(one, f"{field}.sidecars") for one in mappings(template.get("sidecars"))]
    first = [_container(one, f"{field}.initContainers") for one in mappings(template.get("initContainers"))]
    if argo.executor is not None:
        own = {"resources": argo.executor, _FIELD: "executor.resources"}
        main += [{**own, "name": "wait"}] if _has_wait(template, spec, argo) else []
        first = [{**own, "name": "init"}, *first]
    return {"containers": main, "initContainers": first}


def _over_main(container: Spec, argo: ArgoConfig) -> Spec:
    """A main container, with the sizes that Argo's controller gives to those that don't say them."""
    written = mapping(container.get("resources"))
    return {**container, "resources": {**written, **_sizes(written, argo)}} if argo.main else container


def _sizes(written: Mapping[str, Any], argo: ArgoConfig) -> dict[str, Any]:
    return {kind: {**mapping(argo.main.get(kind)), **mapping(written.get(kind))} for kind in _KINDS}


def _has_wait(template: Spec, spec: Spec, argo: ArgoConfig) -> bool:
    """Whether Argo's container `wait` is beside the main one; where that does the work itself, only for its logs."""
    if type_of(template) != "resource":
        return type_of(template) != "data"
    location = mapping(template.get("archiveLocation"))
    return argo.archives_logs or True in (spec.get("archiveLogs"), location.get("archiveLogs"))


def _container(written: Spec, field: str) -> dict[str, Any]:
    """What counts of a container."""
    name = str(written.get("name"))
    here = field if name == "main" else f"{field}[{name}]"
    kept = {key: written[key] for key in _KEPT if key in written}
    return {**kept, "name": name, _FIELD: f"{here}.resources"}


def _marked(changes: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The lists of containers of a patch, with the patch as the place where their sizes were written."""
    keys = [key for key in ("containers", "initContainers") if isinstance(changes.get(key), list)]
    return {key: [_container(one, where) for one in mappings(changes[key])] for key in keys}


def _own_containers(template: Spec) -> frozenset[str]:
    """The names of containers that Argo makes for itself."""
    own = frozenset({"init", "wait"})
    return own if type_of(template) in ("container", "containerSet", "script") else own | {"main"}


@dataclass(frozen=True)
class _Counted:
    """Reads the sizes of a template's containers. `own` are the names of Argo's own, `whole` the whole pod's sizes."""

    template: str
    own: frozenset[str]
    defaults: Defaults
    unknowns: Unknowns
    whole: Mapping[str, Mapping[str, int]]

    def sized(self, one: Mapping[str, Any]) -> Sized:
        """Requests and limits of a container: what is written, or what Kubernetes gives to one without them."""
        level = mapping(one.get("resources"))
        written = {kind: _parsed(str(one[_FIELD]), kind, level, self._superseded(kind)) for kind in _KINDS}
        limits = dict(written["limits"])
        # A limit that is written is also the request, where none is; one of a LimitRange may go with a lower one.
        requests = {**limits, **written["requests"]}
        for resource in RESOURCES:
            if resource in limits or resource in self._superseded("limits"):
                continue
            default = self.defaults.of(resource)
            if default is None and one["name"] not in self.own:
                self.unknowns.unlimited[resource].add((self.template, str(one["name"])))
            limits[resource] = default or 0
            requests.setdefault(resource, self.defaults.requested(resource) or 0)
        return requests, limits, one.get("restartPolicy") == "Always"

    def _superseded(self, kind: str) -> frozenset[str]:
        """The limits that do not count, since those of the whole pod take precedence."""
        return frozenset(RESOURCES) & self.whole["limits"].keys() if kind == "limits" else frozenset()


def _parsed(field: str, kind: str, sizes: Mapping[str, Any], leaving: Iterable[str] = ()) -> dict[str, int]:
    return {
        resource: amount(f"{field}.{kind}.{resource}", resource, value)
        for resource, value in mapping(sizes.get(kind)).items()
        if value is not None and resource not in leaving
    }
