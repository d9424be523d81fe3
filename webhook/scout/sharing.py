"""Workflows that name the same lock or cache go to one target, as if there were but one cluster. Pure.

A lock (mutex, semaphore) excludes only what runs on the same target. So while a live placement names it, whatever else
names it goes there, or waits: until there is room, or until the lock is free if it may not go there. A cache is only
where it was used last; where that can't be, its Workflow goes elsewhere, which costs a miss and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from webhook.model.shared_names import is_cache, said
from webhook.scout.model import WAITED_FOR, Decision, Request, Tie

_SHOWN = 3
"""Names in one sentence."""


@dataclass(frozen=True)
class Use:
    """Where a name is in use, and by whom. Nobody uses a cache whose `holder` is None, but it was last used there."""

    cluster: str
    namespace: str | None = None
    holder: str | None = None


Uses = Mapping[str, Use]
"""By name; names that are in use nowhere are missing."""


def ties_of(names: Sequence[str], uses: Uses, namespace: str) -> tuple[Tie, ...]:
    """What ties a Workflow in `namespace` that shares `names`. Of caches on several targets those on one count."""
    ties = [
        Tie(use.cluster, _words(name, use, namespace, f"on {use.cluster}"), is_cache(name))
        for name in names
        if (use := uses.get(name)) is not None
    ]
    home = next((tie.cluster for tie in ties if tie.lasting), None)
    return tuple(tie for tie in ties if not tie.lasting or tie.cluster == home)


def decide_together(request: Request, uses: Uses, decide: Callable[[Request], Decision]) -> Decision:
    """The decision with the request's ties, in words that explain them; `decide` decides about one request."""
    ties = ties_of(request.shared, uses, request.namespace)
    if not ties:
        return decide(request)
    decision = decide(replace(request, ties=ties))
    loose = () if decision.cluster is not None else tuple(tie for tie in ties if _is_loose(tie, decision))
    if loose:
        decision = decide(replace(request, ties=tuple(tie for tie in ties if tie not in loose)))
    return replace(decision, reason="; ".join([decision.reason, *_explained(request, uses, decision, loose)]))


def _is_loose(tie: Tie, decision: Decision) -> bool:
    """Whether a cache must be done without: anything but room is missing where it is."""
    there = next((verdict for verdict in decision.verdicts if verdict.cluster == tie.cluster), None)
    return tie.lasting and (there is None or there.obstacle not in WAITED_FOR)


def _explained(request: Request, uses: Uses, decision: Decision, loose: Sequence[Tie]) -> list[str]:
    held = {verdict.cluster for verdict in decision.verdicts}
    lines = [f"{tie.words}, where it can't go" for tie in loose[:_SHOWN]]
    if decision.cluster is not None:
        there = [(name, use) for name in request.shared if (use := uses.get(name)) and use.cluster == decision.cluster]
        return lines + [_words(name, use, request.namespace, "there") for name, use in there[:_SHOWN]]
    locks = {uses[name].cluster for name in request.shared if name in uses and not is_cache(name)}
    lines += [f"{cluster} is not registered here" for cluster in sorted(locks - held)]
    return [*lines, "it waits until one target has all of its locks"] if len(locks) > 1 else lines


def _words(name: str, use: Use, namespace: str, where: str) -> str:
    what = said(name, namespace)
    if use.holder is None:
        return f"{what} was last used {where}"
    by = use.holder if use.namespace == namespace else "a Workflow of another namespace"
    return f"{what} is in use {where} by {by}"
