"""How much of a quota one pod of a template takes: its limits, added up as Kubernetes does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from webhook.model.bounded_json import read_json
from webhook.model.objects import mapping, mappings
from webhook.totals.manifests import read_yaml
from webhook.totals.model import Defaults, Totals
from webhook.totals.quantities import cpu_milli, memory_bytes
from webhook.totals.shape import Name, Spec, text, type_of
from webhook.totals.tags import UNKNOWN, Bindings, filled

RESOURCES = ("cpu", "memory")


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
    limits: dict[str, Any]
    field: str
    argo: bool = False
    restarts: bool = False


def pod_totals(
    template: Spec, patches: Iterable[str], known: Bindings, defaults: Defaults, unknowns: Unknowns
) -> Totals:
    """The totals of one pod. `patches` are its `podSpecPatch`es in the order in which they apply, tags not yet filled.

    Raises Refused for a limit that is not a quantity.
    """
    name = str(template.get("name") or "inline")
    main, first = _written(template, f"templates[{name}]")
    whole: dict[str, Any] = {}
    for patch in patches:
        changes = _read_patch(filled(patch, known))
        if changes is None:
            unknowns.say(f"podSpecPatch of template {name} can't be read before it runs")
            continue
        where = f"podSpecPatch of template {name}"
        _apply(main, changes.get("containers"), where, unknowns)
        _apply(first, changes.get("initContainers"), where, unknowns)
        whole |= _without_unknown(mapping(mapping(changes.get("resources")).get("limits")))
        unread = [changes.get(one) for one in ("containers", "initContainers")] + [mapping(changes.get("resources"))]
        if any(UNKNOWN in str(one) for one in unread if not isinstance(one, list)):
            unknowns.say(f"limits in {where} can't all be known before it runs")
    amounts = [_amount(resource, name, main, first, whole, defaults, unknowns) for resource in RESOURCES]
    return Totals(*amounts)


def _written(template: Spec, field: str) -> tuple[list[_Container], list[_Container]]:
    """The main containers and sidecars, and the init containers. Of Argo's own containers only `main` counts."""
    kind = type_of(template)
    if kind == "containerSet":
        inner = mappings(mapping(template["containerSet"]).get("containers"))
        main = [_container(one, f"{field}.containerSet.containers") for one in inner]
    elif kind in ("container", "script"):
        main = [_container({**mapping(template[kind]), "name": "main"}, f"{field}.{kind}")]
    else:
        main = [_Container("main", {}, field, argo=True)]
    main += [_container(one, f"{field}.sidecars") for one in mappings(template.get("sidecars"))]
    return main, [_container(one, f"{field}.initContainers") for one in mappings(template.get("initContainers"))]


def _container(written: Spec, field: str) -> _Container:
    name = str(written.get("name"))
    here = field if name == "main" else f"{field}[{name}]"
    limits = dict(mapping(mapping(written.get("resources")).get("limits")))
    return _Container(name, limits, f"{here}.resources.limits", restarts=written.get("restartPolicy") == "Always")


def _apply(containers: list[_Container], changes: object, where: str, unknowns: Unknowns) -> None:
    """Merge as Kubernetes does: by the container's name; containers with a new name are added."""
    for change in mappings(changes):
        resources = change.get("resources")
        if UNKNOWN in str(resources if isinstance(resources, str) else mapping(resources).get("limits", "")):
            unknowns.say(f"limits in {where} can't all be known before it runs")
        patched = _container(change, where)
        limits = _without_unknown(patched.limits)
        there = next((one for one in containers if one.name == patched.name), None)
        if there is None:
            patched.limits = limits
            containers.append(patched)
        else:
            there.limits |= limits
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


def _amount(
    resource: str,
    template: str,
    main: list[_Container],
    first: list[_Container],
    whole: Mapping[str, Any],
    defaults: Defaults,
    unknowns: Unknowns,
) -> int:
    """As Kubernetes counts; limits of the whole pod take precedence."""
    if whole.get(resource) is not None:
        return _parsed(resource, f"podSpecPatch of template {template}.resources.limits", whole[resource])
    return most_at_once(
        (_limit(resource, one, template, defaults, unknowns) for one in main),
        ((_limit(resource, one, template, defaults, unknowns), one.restarts) for one in first),
    )


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


def _limit(resource: str, one: _Container, template: str, defaults: Defaults, unknowns: Unknowns) -> int:
    value = one.limits.get(resource)
    if value is not None:
        return _parsed(resource, one.field, value)
    default = defaults.of(resource)
    if default is None and not one.argo:
        unknowns.unlimited[resource].add((template, one.name))
    return default or 0


def _parsed(resource: str, field: str, value: object) -> int:
    read = cpu_milli if resource == "cpu" else memory_bytes
    return read(f"{field}.{resource}", value)
