"""Parameters whose values are in ConfigMaps. Pure."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from webhook.model.objects import mapping, mappings
from webhook.references.model import Kind, Reference, References, Seen
from webhook.totals.parameters import named, parameter_text
from webhook.totals.scope import value_of
from webhook.totals.shape import Spec, callers_in, hooks_of, inner_templates
from webhook.totals.tags import Bindings

Values = Mapping[tuple[str, str], str | None]
"""What is known of values in ConfigMaps, by the ConfigMap's name and the key: None if there certainly is none."""

NO_VALUES: Values = {}


@dataclass(frozen=True)
class Source:
    """Where a parameter's value is. With a `default` the ConfigMap, or the key in it, may be missing."""

    config_map: str
    key: str
    default: str | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Its key in Values."""
        return self.config_map, self.key

    def value(self, values: Values) -> str | None:
        """The parameter's value, if that is known."""
        found = values.get(self.place)
        return self.default if found is None and self.place in values else found


def source_of(parameter: Mapping[str, Any], known: Bindings) -> Source | None:
    """Where the value is; None if it is in no ConfigMap, or in which one is not known before it runs.

    Argo asks for the value whether the selector is `optional` or not.
    """
    place = mapping(parameter.get("valueFrom"))
    selector = mapping(place.get("configMapKeyRef"))
    name, key = value_of(selector.get("name"), known), value_of(selector.get("key"), known)
    if parameter.get("value") is not None or not name or not key:
        return None
    return Source(name, key, parameter_text(place.get("default")))


def parameters_of(holder: Spec) -> list[Mapping[str, Any]]:
    """The parameters in arguments or inputs."""
    return named(holder.get("parameters"))


def with_values(spec: Spec, values: Values) -> Spec:
    """The spec for those who weigh it: parameters have their values, and still say where these are from."""
    if not values:
        return spec
    made: dict[str, Any] = copy.deepcopy(dict(spec))
    for holder in _holders(made):
        for parameter in mappings(holder.get("parameters")):
            source = source_of(parameter, {})
            value = source.value(values) if source else None
            if value is not None:
                parameter["value"] = value
    return made


def _holders(spec: Spec) -> Iterator[Mapping[str, Any]]:
    """Everything in a spec that has parameters: its arguments, and the inputs and calls of its templates."""
    yield mapping(spec.get("arguments"))
    for _, hook in hooks_of(spec):
        yield mapping(hook.get("arguments"))
    for template in (*mappings(spec.get("templates")), mapping(spec.get("templateDefaults"))):
        for inner in inner_templates(template):
            yield mapping(inner.get("inputs"))
        for _, caller in callers_in(template, ""):
            yield mapping(caller.get("arguments"))


def reading(sources: Iterable[Source]) -> References:
    """The ConfigMaps that are to be read for these, each with its keys."""
    keys: dict[str, set[str]] = {}
    for source in sources:
        keys.setdefault(source.config_map, set()).add(source.key)
    return tuple(Reference(Kind.CONFIG_MAP, name, tuple(sorted(some))) for name, some in sorted(keys.items()))


def agreed(sources: Iterable[Source], seen: Iterable[Mapping[str, Seen | None]]) -> tuple[Values, list[str]]:
    """The values that are the same wherever the Workflow may run, and sentences about those that are not.

    `seen` has, for each place, what is known of each ConfigMap by its name.
    """
    places, values, differ = list(seen), dict[tuple[str, str], str | None](), list[str]()
    for source in dict.fromkeys(sources):
        answers = [place.get(source.config_map) for place in places]
        if not answers or any(one is None or one.there is None for one in answers):
            continue
        found = {one.values.get(source.key) for one in answers if one is not None}
        if len(found) == 1:
            values[source.place] = found.pop()
        else:
            differ.append(f"{source.key} in ConfigMap {source.config_map} differs among targets, and is not counted")
    return values, differ
