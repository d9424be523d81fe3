"""What a resource template creates, if its manifest can be read before it runs."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from webhook.model.limits.admission import YAML_DEEPEST, YAML_LONGEST, YAML_LONGEST_NUMBER, YAML_MOST_VALUES
from webhook.totals.tags import Bindings, filled

# PyYAML raises any of these when a tag does not match its text, as in `!!int x`.
_NOT_YAML = (yaml.YAMLError, RecursionError, ValueError, LookupError, AttributeError, TypeError, ArithmeticError)
_CREATING = frozenset({"create", "apply"})
_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc, valid-type]
    """Bounds nested merges (`<<`), which can expand without bound as well."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """PyYAML calls this for each mapping."""
        merged = [value for key, value in node.value if key.tag == "tag:yaml.org,2002:merge"]
        sources = [
            one for value in merged for one in (value.value if isinstance(value, yaml.SequenceNode) else [value])
        ]
        if sources:
            for one in sources:
                if isinstance(one, yaml.MappingNode):
                    self.flatten_mapping(one)
            if sum(len(one.value) for one in sources) > YAML_MOST_VALUES:
                raise yaml.YAMLError("too large")
        super().flatten_mapping(node)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> Any:
        """Called for each whole number."""
        if len(node.value) > YAML_LONGEST_NUMBER:
            raise yaml.YAMLError("too large a number")
        return super().construct_yaml_int(node)

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> Any:
        """Called for each moment: Kubernetes takes it for the text that it is written as."""
        super().construct_yaml_timestamp(node)
        return node.value


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_timestamp)


class Styled(str):
    """A string that knows how it was written: its YAML style, None for a plain one."""

    style: str | None = None


def _styled(_: Any, node: yaml.ScalarNode) -> Styled:
    made = Styled(node.value)
    made.style = node.style
    return made


# It takes no text for a number, a date or anything else.
_TextLoader: Any = type("_TextLoader", (getattr(yaml, "CBaseLoader", yaml.BaseLoader),), {"construct_scalar": _styled})


def created_objects(template: Mapping[str, Any], known: Bindings) -> list[dict[str, Any]] | None:
    """The objects a template creates; None if that can't be known before it runs."""
    resource = template.get("resource")
    if not isinstance(resource, Mapping) or resource.get("action") not in _CREATING:
        return []
    manifest = resource.get("manifest")
    return _objects(filled(manifest, known)) if isinstance(manifest, str) else None


def created_workflows(template: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The Workflows among the objects that a template creates."""
    for one in created_objects(template, {}) or []:
        if is_workflow(one):
            yield one


def is_workflow(thing: Mapping[str, Any]) -> bool:
    """Whether an object is one of Argo's Workflows."""
    return thing.get("kind") == "Workflow" and str(thing.get("apiVersion")).startswith("argoproj.io/")


def read_yaml(text: str, *, texts: bool = False, longest: int = YAML_LONGEST) -> list[Any]:
    """The documents of a YAML or JSON text; if `texts`, with `Styled` strings for every scalar and key.

    Raises ValueError if it is neither, has more than `longest` characters, or too much in it; and with `texts`, if it
    says a type, as in `!!str 1`.
    """
    if len(text) > longest:
        raise ValueError("too long")
    # The parser takes nothing but a plain string, not even a `Styled` one.
    text = str(text)
    try:
        _check_shape(text, typed=not texts)
        found = list(yaml.load_all(text, Loader=_TextLoader if texts else _Loader))
    except _NOT_YAML as error:
        raise ValueError("not YAML") from error
    if not _small(found):
        raise ValueError("too large")
    return found if texts else [_plain(one) for one in found]


def _check_shape(text: str, *, typed: bool) -> None:
    """Raises YAMLError for nesting that would overflow the C parser's stack, which would kill the process.

    Likewise for types that are written out, unless it may be `typed`.
    """
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > YAML_DEEPEST or number > 2 * YAML_MOST_VALUES:
            raise yaml.YAMLError("nested too deeply, or too large")
        if not typed and getattr(event, "tag", None) is not None:
            raise yaml.YAMLError("a type")


def _objects(manifest: str) -> list[dict[str, Any]] | None:
    try:
        found = read_yaml(manifest)
    except ValueError:
        return None
    return [one for one in found if isinstance(one, dict)] or None


def _plain(value: Any) -> Any:
    """The value as JSON would have it, since Kubernetes converts YAML to JSON: string keys, no dates, no bytes."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _small(value: Any) -> bool:
    waiting, seen = [value], 0
    while waiting:
        one = waiting.pop()
        seen += 1
        if seen > YAML_MOST_VALUES:
            return False
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return True
