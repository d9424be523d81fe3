"""Writes the chosen pools into specs: a `nodeSelector` on each template that was placed. Pure."""

import copy
from typing import Any, cast

from webhook.errors import Refused, Rejected
from webhook.model.objects import Object, mapping
from webhook.model.run import Original
from webhook.model.template_versions import only_by_expression, specs_of
from webhook.nodes.asks import Ask, asks, templates_in
from webhook.nodes.choose import Choice, choose, fits_any
from webhook.nodes.paths import Tree, tree_of
from webhook.nodes.pools import Pool, Pools
from webhook.totals.merged import over_template
from webhook.totals.shape import Name, Spec


def with_selectors(spec: Spec, choice: Choice) -> Object:
    """A spec whose placed templates have the selectors of their pools; what was not placed is as it was."""
    found: Object = _written(spec, tree_of(choice.pools.items()))
    return found


def on_pools(original: Original, pools: Pools, target: str) -> tuple[Original, str]:
    """What runs on a target, with the selectors of its pools, and where the steps go, for people.

    Templates of WorkflowTemplates get theirs too; one of these that fits no pool is left to the target's scheduler,
    since it may never run. So is everything where a target names no pools, and what only an expression names: the
    target must have that as it is. Raises Rejected if a step of the Workflow's own fits none.
    """
    if not pools:
        return original, f"{target} names no node pools"
    spec, specs = original["workflow"]["spec"], specs_of(original["templates"])
    around = _around(spec, specs)
    try:
        choice = choose(asks(spec, around), pools, target)
    except Refused as error:
        raise Rejected(error.message, **error.details) from error
    steps = {pool: list(names) for pool, names in choice.steps.items()}
    as_they_are = {id(specs[name]) for name in only_by_expression(spec, specs)} if specs else set()
    templates = []
    for one in original["templates"]:
        if id(one["spec"]) in as_they_are:
            templates.append(one)
            continue
        inner = choose((ask for ask in _asks(one["spec"], around) if fits_any(ask, pools)), pools, target)
        templates.append({**one, "spec": with_selectors(one["spec"], inner)})
        for pool, names in inner.steps.items():
            steps.setdefault(pool, []).extend(names)
    placed: Original = {
        **original,
        "workflow": {**original["workflow"], "spec": with_selectors(spec, choice)},
        "templates": templates,
    }
    return placed, Choice({}, {pool: tuple(names) for pool, names in steps.items()}).words


def without_selectors(spec: Spec, pools: Pools) -> Object:
    """The spec of a run as it may have been before: without the selectors of these pools on its templates."""
    found: Object = copy.deepcopy(dict(spec))
    for _, template in templates_in(found):
        if any(template.get("nodeSelector") == pool.labels for pool in pools):
            # It is one of the copies that were just made.
            cast("Object", template).pop("nodeSelector")
    return found


def _around(spec: Spec, specs: dict[Name, Object]) -> Spec:
    """The Workflow's own spec, with that of the WorkflowTemplate it is made from under it."""
    reference = mapping(spec.get("workflowTemplateRef"))
    below = specs.get(Name(str(reference.get("name")), reference.get("clusterScope") is True), {})
    return over_template(spec, below)


def _asks(spec: Spec, around: Spec) -> list[Ask]:
    """Nothing for a template with a size that can't be read: the target says so, if it ever runs."""
    try:
        return list(asks(spec, around))
    except Refused:
        return []


def _written(value: Any, tree: Tree[Pool]) -> Any:
    """A copy with selectors where the tree has pools; only what leads there is copied."""
    made: Any = list(value) if isinstance(value, list) else dict(value)
    for step, inner in tree.inside.items():
        made[step] = _written(made[step], inner)
    if tree.said is not None:
        made["nodeSelector"] = tree.said.labels
    return made
