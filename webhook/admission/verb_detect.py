"""Detects the verb in a person's change to an origin. Pure.

It only compares the two versions, so it does not matter whether Argo's CLI, argo-server or kubectl made the change.
"""

from collections.abc import Callable, Mapping
from typing import Any

from webhook.errors import Refused, wrong_field
from webhook.model.contract import FINAL_PHASES, SHUTDOWNS
from webhook.model.nodes import nodes_of
from webhook.model.objects import Object, mapping
from webhook.model.verbs import Edit, Retry, Verb
from webhook.totals.parameters import named


def verb_between(old: Object, new: Object, *, user: str, of_run: Callable[[str], bool]) -> Verb:
    """The verb that leads from `old` to `new`; empty if the change does not concern the run.

    `of_run` says whether the node with an id belongs to the run. Raises Refused for a change that can't be passed on.
    """
    before, after = old.get("spec") or {}, new.get("spec") or {}
    retry = _retry(old, new)
    edits, removed = _node_changes(old, new, of_run, again=retry is not None)
    if removed and not retry:
        raise Refused(f"node {removed[0]} can't be removed while the Workflow runs; argo retry does that after its end")
    return Verb(
        user=user,
        shutdown=_shutdown(before, after),
        suspend=None if bool(before.get("suspend")) == bool(after.get("suspend")) else bool(after.get("suspend")),
        edits=edits,
        removed=removed,
        outputs=() if retry else _set_outputs(old, new),
        retry=retry,
    )


def spec_after(old: Object, new: Object, verb: Verb, *, shows_shutdown: bool) -> tuple[Object, list[str]]:
    """The spec that the origin gets, and the changed fields that are not taken over.

    The run on the target has its own spec, so only what a verb changes is taken over; `shutdown` only if
    `shows_shutdown`, because with hold `plugin` Argo's own controller would act on it at the front door.
    """
    before, after = old.get("spec") or {}, new.get("spec") or {}
    taken = {"suspend", *(["arguments"] if verb.retry else []), *(["shutdown"] if shows_shutdown else [])}
    spec = {key: value for key, value in before.items() if key not in taken}
    spec |= {key: after[key] for key in taken if after.get(key)}
    lost = {key for key in before.keys() | after.keys() if _plain(spec.get(key)) != _plain(after.get(key))}
    # When it retries, Argo removes a deadline of zero.
    return spec, sorted(lost - {"shutdown", *(["activeDeadlineSeconds"] if verb.retry else [])})


def _plain(value: Any) -> Any:
    """A value normalized for comparison, as Argo writes whole objects back: no empty values, and numbers as text."""
    if isinstance(value, Mapping):
        plain = {key: _plain(inner) for key, inner in value.items()}
        return {key: inner for key, inner in plain.items() if inner is not None} or None
    if isinstance(value, list):
        return [_plain(inner) for inner in value] or None
    return None if value is None or value is False or value == "" else str(value)


def _shutdown(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    wanted = after.get("shutdown")
    if not wanted or wanted == before.get("shutdown"):
        return None
    if wanted not in SHUTDOWNS:
        raise wrong_field(Refused, "spec.shutdown", wanted, f"it must be one of {', '.join(SHUTDOWNS)}")
    return str(wanted)


def _retry(old: Object, new: Object) -> Retry | None:
    status = mapping(old.get("status"))
    if not _final(status) or _final(mapping(new.get("status"))):
        return None
    before, after = _parameters(old), _parameters(new)
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    return Retry(status.get("finishedAt"), changed)


def _final(status: Mapping[str, Any]) -> bool:
    return str(status.get("phase")) in FINAL_PHASES


def _parameters(workflow: Object) -> dict[str, Any]:
    listed = mapping(mapping(workflow.get("spec")).get("arguments")).get("parameters")
    return {one["name"]: one.get("value") for one in named(listed)}


def _node_changes(
    old: Object, new: Object, of_run: Callable[[str], bool], *, again: bool
) -> tuple[dict[str, Edit], tuple[str, ...]]:
    """The edited and the removed nodes. `again` means that an ended run is to go on, that is, a retry.

    Otherwise Argo's verbs only change suspended nodes, so other changes are ignored: they come from a controller at the
    front door that finds no pods for the nodes.
    """
    before, after = nodes_of(old), nodes_of(new)
    edits = {}
    for node_id, node in after.items():
        if not of_run(node_id):
            continue
        if node_id not in before:
            raise Refused(f"node {node_id} can't be added: its run on the target makes its own nodes")
        edit = _edit(before[node_id], node)
        if edit.fields and (again or before[node_id].get("type") == "Suspend"):
            edits[node_id] = edit
    return edits, tuple(sorted(node_id for node_id in before if of_run(node_id) and node_id not in after))


def _edit(before: Object, after: Object) -> Edit:
    keys = sorted(before.keys() | after.keys())
    # Absent, null and empty are the same to Argo, which writes whole objects back.
    return Edit(
        before.get("phase"),
        {key: after.get(key) for key in keys if (before.get(key) or None) != (after.get(key) or None)},
    )


def _set_outputs(old: Object, new: Object) -> tuple[Mapping[str, Any], ...]:
    before, after = (named(mapping(mapping(one.get("status")).get("outputs")).get("parameters")) for one in (old, new))
    return tuple(one for one in after if one not in before)
