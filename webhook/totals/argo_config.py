"""What Argo's controller adds to every Workflow by its configuration, the ConfigMap `workflow-controller-configmap`.

As Argo 3.7.4 does it: `executor.resources` are those of its own containers, `init` and `wait`; a main container takes
from `mainContainer.resources` what it does not say itself; and a Workflow takes so from `workflowDefaults`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from webhook.errors import Refused
from webhook.model.objects import mapping
from webhook.totals.manifests import read_yaml
from webhook.totals.quantities import amount
from webhook.totals.shape import Name, Spec, spec_references

_READ = ("executor", "mainContainer", "workflowDefaults", "artifactRepository")
_KINDS = ("limits", "requests")


@dataclass(frozen=True, eq=False)
class ArgoConfig:
    """`executor` and `main` are the `resources` of containers, `defaults` the spec of `workflowDefaults`.

    `executor` is None where the configuration is not known: then Argo's own containers don't count. `archives_logs`
    has Argo's `wait` in the pods of resource templates too.
    """

    executor: Spec | None = None
    main: Spec = field(default_factory=dict)
    defaults: Spec = field(default_factory=dict)
    archives_logs: bool = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArgoConfig) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    @cached_property
    def text(self) -> str:
        """The same for the same configuration."""
        return json.dumps([self.executor, self.main, self.defaults, self.archives_logs], sort_keys=True)

    @cached_property
    def refers_to(self) -> frozenset[Name]:
        """The WorkflowTemplates that `defaults` name. They are the target's own; the front door's may be others."""
        return frozenset(one.to for one in spec_references(self.defaults))


UNKNOWN_CONFIG = ArgoConfig()


def config_of(data: Mapping[str, Any]) -> ArgoConfig:
    """The configuration in a ConfigMap's data: one key `config` with all of it, or a key for each part.

    Raises ValueError, in words that name the part, for what Argo could not use either.
    """
    parts = _part("config", data["config"]) if "config" in data else {key: _part(key, data.get(key)) for key in _READ}
    read = {key: mapping(parts.get(key)) for key in _READ}
    return ArgoConfig(
        executor=_resources("executor", read["executor"]),
        main=_resources("mainContainer", read["mainContainer"]),
        defaults=mapping(read["workflowDefaults"].get("spec")),
        archives_logs=read["artifactRepository"].get("archiveLogs") is True,
    )


def _part(key: str, text: object) -> Spec:
    if text is None:
        return {}
    try:
        found = next(iter(read_yaml(str(text))), None) or {}
    except ValueError as error:
        raise ValueError(f"{key} is {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{key} is no mapping")
    return found


def _resources(key: str, container: Spec) -> Spec:
    """The sizes of a container, each of them a quantity."""
    written = mapping(container.get("resources"))
    sizes = [
        (kind, name, one) for kind in _KINDS for name, one in mapping(written.get(kind)).items() if one is not None
    ]
    found: dict[str, dict[str, Any]] = {}
    try:
        for kind, name, one in sizes:
            amount(f"{key}.resources.{kind}.{name}", name, one)
            found.setdefault(kind, {})[name] = one
    except Refused as error:
        raise ValueError(error.message) from None
    return found
