"""How much of a quota one pod of a template takes: its limits and requests, added up as Kubernetes does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from webhook.model.bounded_json import read_json
from webhook.model.objects import mapping, mappings
from webhook.totals.charges import Sized, charged, is_best_effort
from webhook.totals.demands import LIMITS_CPU, LIMITS_MEMORY, Amounts, Traits
from webhook.totals.manifests import read_yaml
from webhook.totals.model import Defaults, Totals
from webhook.totals.quantities import amount
from webhook.totals.shape import Name, Spec, text, type_of
from webhook.totals.tags import UNKNOWN, Bindings, filled
from webhook.totals.traits import traits_of

RESOURCES = ("cpu", "memory")
_KINDS = ("limits", "requests")
_TRAITS = ("priorityClassName", "activeDeadlineSeconds", "affinity")
"""The fields of a pod that decide which quotas with scopes count it."""


@dataclass
class Unknowns:
    """What could not be known: containers without a limit, by resource, and sentences for people.

    `missing` are WorkflowTemplates that nobody has read yet, because their names come from parameters.
    """

    unlimited: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: {one: set() for one in RESOURCES})
    sentences: dict[str, None] = field(default_factory=dict)
    missing: dict[Name, None] = field(default_factory=dict)

    def say(self, sentence: str) -> None:
        """Add a sentence, unless it is there already."""
        self.sentences[sentence] = None

    def lack(self, to: Name, written: str) -> None:
        """Note that a WorkflowTemplate is not at hand; `written` is its name before parameters are filled in."""
        if UNKNOWN in to.name:
            self.say(f"WorkflowTemplate {written} is known only when it runs, and is not counted")
        else:
            self.say(f"WorkflowTemplate {to.name} does not exist, and is not counted")
            self.missing[to] = None

    def notes(self) -> tuple[str, ...]:
        """Everything unknown, as short sentences."""
        lacking: dict[frozenset[tuple[str, str]], list[str]] = {}
        for resource in RESOURCES:
            if self.unlimited[resource]:
                lacking.setdefault(frozenset(self.unlimited[resource]), []).append(f"limits.{resource}")
        return (*(_lacking(sorted(where), words) for where, words in lacking.items()), *self.sentences)


def _lacking(where: Sequence[tuple[str, str]], words: Sequence[str]) -> str:
    number = f"{len(where)} container{'s' if len(where) > 1 else ''}"
    which = "e.g. template" if len(where) > 1 else "template"
    return f"{number} without {' and '.join(words)}, {which} {where[0][0]}"


@dataclass
class _Container:
    name: str
    sizes: dict[str, dict[str, Any]]
    """Its limits and its requests, as they are written."""
    field: str
    argo: bool = False
    restarts: bool = False


@dataclass(frozen=True)
class PodNeed:
    """The totals of one pod, what it takes of each resource that quotas limit, and what their scopes see of it."""

    totals: Totals
    amounts: Amounts
    traits: Traits


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
    main, first = _written(template, f"templates[{name}]")
    whole: dict[str, dict[str, Any]] = {kind: {} for kind in _KINDS}
    patched: dict[str, Any] = {}
    for patch in patches:
        changes = _read_patch(filled(patch, known))
        if changes is None:
            unknowns.say(f"podSpecPatch of template {name} can't be read before it runs")
            continue
        where = f"podSpecPatch of template {name}"
        _apply(main, changes.get("containers"), where, unknowns)
        _apply(first, changes.get("initContainers"), where, unknowns)
        for kind in _KINDS:
            whole[kind] |= _without_unknown(mapping(mapping(changes.get("resources")).get(kind)))
        patched |= {key: changes[key] for key in _TRAITS if key in changes}
        unread = [changes.get(one) for one in ("containers", "initContainers")] + [mapping(changes.get("resources"))]
        if any(UNKNOWN in str(one) for one in unread if not isinstance(one, list)):
            unknowns.say(f"limits in {where} can't all be known before it runs")
    sizes = {
        kind: {
            resource: amount(f"podSpecPatch of template {name}.resources.{kind}.{resource}", resource, value)
            for resource, value in whole[kind].items()
            if value is not None
        }
        for kind in _KINDS
    }
    # Kubernetes has the whole pod request its limit where it requests nothing.
    sizes["requests"] = {**sizes["limits"], **sizes["requests"]}
    boxes = [[_sized(one, name, defaults, unknowns, sizes["limits"]) for one in group] for group in (main, first)]
    amounts = charged(boxes[0], boxes[1], sizes)
    best_effort = is_best_effort([*boxes[0], *boxes[1]], sizes)
    traits = traits_of(template, spec, patched, known, best_effort=best_effort, exiting=exiting)
    return PodNeed(Totals(amounts.get(LIMITS_CPU, 0), amounts.get(LIMITS_MEMORY, 0)), amounts, traits)


def _written(template: Spec, field: str) -> tuple[list[_Container], list[_Container]]:
    """The main containers and sidecars, and the init containers. Of Argo's own containers only `main` counts."""
    kind = type_of(template)
    if kind == "containerSet":
        inner = mappings(mapping(template["containerSet"]).get("containers"))
        main = [_container(one, f"{field}.containerSet.containers") for one in inner]
    elif kind in ("container", "script"):
        main = [_container({**mapping(template[kind]), "name": "main"}, f"{field}.{kind}")]
    else:
        main = [_Container("main", {kind: {} for kind in _KINDS}, field, argo=True)]
    main += [_container(one, f"{field}.sidecars") for one in mappings(template.get("sidecars"))]
    return main, [_container(one, f"{field}.initContainers") for one in mappings(template.get("initContainers"))]


def _container(written: Spec, field: str) -> _Container:
    name = str(written.get("name"))
    here = field if name == "main" else f"{field}[{name}]"
    sizes = {kind: dict(mapping(mapping(written.get("resources")).get(kind))) for kind in _KINDS}
    return _Container(name, sizes, f"{here}.resources", restarts=written.get("restartPolicy") == "Always")


def _apply(containers: list[_Container], changes: object, where: str, unknowns: Unknowns) -> None:
    """Merge as Kubernetes does: by the container's name; containers with a new name are added."""
    for change in mappings(changes):
        resources = change.get("resources")
        if UNKNOWN in str(resources if isinstance(resources, str) else mapping(resources).get("limits", "")):
            unknowns.say(f"limits in {where} can't all be known before it runs")
        if UNKNOWN in str(mapping(resources).get("requests", "")):
            unknowns.say(f"requests in {where} can't all be known before it runs")
        patched = _container(change, where)
        sizes = {kind: _without_unknown(patched.sizes[kind]) for kind in _KINDS}
        there = next((one for one in containers if one.name == patched.name), None)
        if there is None:
            patched.sizes = sizes
            containers.append(patched)
        else:
            for kind in _KINDS:
                there.sizes[kind] |= sizes[kind]
            there.field = patched.field


def _without_unknown(limits: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in limits.items() if UNKNOWN not in str(value)}


def _read_patch(patch: str) -> Mapping[str, Any] | None:
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


def _sized(one: _Container, template: str, defaults: Defaults, unknowns: Unknowns, whole: Mapping[str, int]) -> Sized:
    """Requests and limits of a container: what is written, or what Kubernetes gives to a container without them."""
    written = {
        kind: {
            resource: amount(f"{one.field}.{kind}.{resource}", resource, value)
            for resource, value in one.sizes[kind].items()
            if value is not None and not _superseded(kind, resource, whole)
        }
        for kind in _KINDS
    }
    limits = dict(written["limits"])
    # A limit that is written is also the request, where none is; one that a LimitRange gives may go with a lower one.
    requests = {**limits, **written["requests"]}
    for resource in RESOURCES:
        if resource in limits or _superseded("limits", resource, whole):
            continue
        default = defaults.of(resource)
        if default is None and not one.argo:
            unknowns.unlimited[resource].add((template, one.name))
        limits[resource] = default or 0
        requests.setdefault(resource, defaults.requested(resource) or 0)
    return requests, limits, one.restarts


def _superseded(kind: str, resource: str, whole: Mapping[str, int]) -> bool:
    """Whether a limit does not count, since one of the whole pod takes precedence."""
    return kind == "limits" and resource in whole and resource in RESOURCES
