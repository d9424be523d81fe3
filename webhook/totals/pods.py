"""How much of a quota one pod of a template takes: its limits, added up as Kubernetes does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from webhook.model.objects import mapping, mappings
from webhook.totals.model import Defaults, Totals
from webhook.totals.patches import read_patch
from webhook.totals.quantities import cpu_milli, memory_bytes
from webhook.totals.shape import Spec, type_of
from webhook.totals.strategic import patched
from webhook.totals.tags import Bindings, filled
from webhook.totals.unknowns import RESOURCES, Unknowns

# Where a container's limits were written, for whoever has to correct them.
_FIELD = "field"


def pod_totals(
    template: Spec, patches: Iterable[str], known: Bindings, defaults: Defaults, unknowns: Unknowns
) -> Totals:
    """The totals of one pod. `patches` are its `podSpecPatch`es in the order in which they apply, tags not yet filled.

    Raises Refused for a limit that is not a quantity.
    """
    name = str(template.get("name") or "inline")
    pod = _written(template, f"templates[{name}]")
    for patch in patches:
        where = f"podSpecPatch of template {name}"
        changes = read_patch(filled(patch, known), where, unknowns)
        try:
            pod = patched(pod, {**changes, **_marked(changes, where)})
        except ValueError:
            unknowns.say(f"{where} has a directive that Kubernetes refuses")
    counted = _Counted(name, _own_containers(template), defaults, unknowns)
    return Totals(*(counted.amount(resource, pod) for resource in RESOURCES))


def _written(template: Spec, field: str) -> dict[str, Any]:
    """The pod before any patch. Of Argo's own containers only `main` is there."""
    kind = type_of(template)
    if kind == "containerSet":
        inner = mappings(mapping(template["containerSet"]).get("containers"))
        main = [_container(one, f"{field}.containerSet.containers") for one in inner]
    elif kind in ("container", "script"):
        main = [_container({**mapping(template[kind]), "name": "main"}, f"{field}.{kind}")]
    else:
        main = [{"name": "main", _FIELD: field}]
    main += [_container(one, f"{field}.sidecars") for one in mappings(template.get("sidecars"))]
    first = [_container(one, f"{field}.initContainers") for one in mappings(template.get("initContainers"))]
    return {"containers": main, "initContainers": first}


def _container(written: Spec, field: str) -> dict[str, Any]:
    """What counts of a container."""
    name = str(written.get("name"))
    here = field if name == "main" else f"{field}[{name}]"
    kept = {key: written[key] for key in ("resources", "restartPolicy", "$patch", "$retainKeys") if key in written}
    return {**kept, "name": name, _FIELD: f"{here}.resources.limits"}


def _marked(changes: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The lists of containers of a patch, with the patch as the place where their limits were written."""
    keys = [key for key in ("containers", "initContainers") if isinstance(changes.get(key), list)]
    return {key: [_container(one, where) for one in mappings(changes[key])] for key in keys}


def _own_containers(template: Spec) -> frozenset[str]:
    """The names of containers that Argo makes for itself."""
    return frozenset() if type_of(template) in ("container", "containerSet", "script") else frozenset({"main"})


@dataclass(frozen=True)
class _Counted:
    """Adds up the limits of one template's pod. `own` are the names of Argo's own containers."""

    template: str
    own: frozenset[str]
    defaults: Defaults
    unknowns: Unknowns

    def amount(self, resource: str, pod: Mapping[str, Any]) -> int:
        """As Kubernetes counts; limits of the whole pod take precedence."""
        whole = mapping(mapping(pod.get("resources")).get("limits"))
        if whole.get(resource) is not None:
            return _parsed(resource, f"podSpecPatch of template {self.template}.resources.limits", whole[resource])
        return most_at_once(
            [self._limit(resource, one) for one in mappings(pod.get("containers"))],
            [
                (self._limit(resource, one), one.get("restartPolicy") == "Always")
                for one in mappings(pod.get("initContainers"))
            ],
        )

    def _limit(self, resource: str, one: Mapping[str, Any]) -> int:
        value = mapping(mapping(one.get("resources")).get("limits")).get(resource)
        if value is not None:
            return _parsed(resource, str(one[_FIELD]), value)
        default = self.defaults.of(resource)
        if default is None and one["name"] not in self.own:
            self.unknowns.unlimited[resource].add((self.template, str(one["name"])))
        return default or 0


def most_at_once(main: Iterable[int], first: Iterable[tuple[int, bool]]) -> int:
    """What a pod takes of a quota, given the limits of its containers and, in their order, of its init containers.

    Those that restart always stay beside everything that follows. All main containers count together, or the largest
    moment of the init containers if that is more.
    """
    together = sum(main)
    most, staying = 0, 0
    for own, restarts in first:
        if restarts:
            together, staying = together + own, staying + own
            most = max(most, staying)
        else:
            most = max(most, staying + own)
    return max(together, most)


def _parsed(resource: str, field: str, value: object) -> int:
    read = cpu_milli if resource == "cpu" else memory_bytes
    return read(f"{field}.{resource}", value)
