"""Matches origins at the front door with runs on targets, for placements that the ledger has lost. Pure.

A run is never created twice: an origin is queued again only if it can't have had one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial

from webhook.admission.stub import stub_placement
from webhook.errors import quoted
from webhook.model.contract import CLUSTER, FINAL_PHASES, ORIGIN_UID, PLACEMENT, SKIP, STATE, Hold, State
from webhook.model.finalizers import is_deletion_blocked
from webhook.model.objects import Metadata, Object, annotations, labels
from webhook.model.run import Likeness, likeness, origin_placement, run_names

_Runs = list[tuple[str, Object]]


class Found(StrEnum):
    """What became of a placement, in words that people read."""

    KNOWN = "in the ledger already"
    ADOPTED = "adopted: its run is there"
    ENDED = "ended: the origin shows how"
    QUEUED = "queued anew"
    LOST = "ended as Lost"
    FOREIGN = "left alone: not Medea's"
    UNCLEAR = "left alone: what may be its run can't be told from somebody else's"
    UNREADABLE = "left alone: not readable"
    UNDECIDED = "not decided: a run may be on a target that did not answer"


@dataclass(frozen=True)
class Match:
    """The result for one placement; `words` say why, if that is not obvious."""

    placement: str
    found: Found
    origin: Object
    run: Object | None = None
    cluster: str | None = None
    words: str | None = None

    @property
    def hold(self) -> Hold:
        """The hold that the origin was admitted with."""
        return hold_of(self.origin)


@dataclass(frozen=True)
class Targets:
    """What the targets show: what `may_be_run` on those that answered, and why others are `away`, both by name.

    `gone` are the names of those that are gone for good.
    """

    runs: Mapping[str, Sequence[Object]]
    away: Mapping[str, str] = field(default_factory=dict)
    gone: Collection[str] = ()


def hold_of(origin: Object) -> Hold:
    """The hold that an origin was admitted with: `plugin` if its spec is a stub."""
    return Hold.NONE if stub_placement(origin.get("spec") or {}) is None else Hold.PLUGIN


def match(
    workflows: Iterable[Object], namespaces: Collection[str], targets: Targets, known: Collection[str]
) -> list[Match]:
    """One match for every placement that a Workflow at the front door carries, in order of creation.

    `namespaces` are those that opted in: in others, anybody may have written Medea's annotations.
    """
    carriers: dict[str, list[Object]] = {}
    for workflow in sorted(workflows, key=_created):
        placement = origin_placement(workflow)
        if placement:
            carriers.setdefault(placement, []).append(workflow)
    runs = _Candidates(targets)
    return [
        Match(placement, Found.KNOWN, found[0])
        if placement in known
        else _match_or_leave(placement, found, runs, namespaces, targets)
        for placement, found in carriers.items()
    ]


def may_be_run(workflow: Object) -> bool:
    """Whether a Workflow on a target has anything of a run's marks: labels, or the finalizer that origins have too."""
    marks = labels(workflow)
    if PLACEMENT in marks or ORIGIN_UID in marks:
        return True
    return is_deletion_blocked(workflow) and origin_placement(workflow) is None


def unmatched(workflows: Iterable[Object], targets: Targets, known: Collection[str]) -> list[tuple[str, Object]]:
    """Runs whose origin is not at the front door, with their clusters."""
    uids = {workflow["metadata"]["uid"] for workflow in workflows}
    return [
        (cluster, run)
        for cluster, runs in targets.runs.items()
        for run in runs
        if {PLACEMENT, ORIGIN_UID} <= labels(run).keys()
        and labels(run)[PLACEMENT] not in known
        and labels(run)[ORIGIN_UID] not in uids
    ]


class _Candidates:
    """What may be runs, found by what they have in common with an origin."""

    def __init__(self, targets: Targets) -> None:
        self._by: dict[tuple[str, ...], _Runs] = {}
        for cluster, runs in targets.runs.items():
            for run in runs:
                metadata: Metadata = run["metadata"]
                marks, namespace = labels(run), metadata["namespace"]
                keys = {
                    ("name", metadata["name"]),
                    *((key, marks[key]) for key in (PLACEMENT, ORIGIN_UID) if key in marks),
                }
                for key in keys:
                    self._by.setdefault((namespace, *key), []).append((cluster, run))

    def of(self, placement: str, origin: Object) -> _Runs:
        """Those in the origin's namespace that have its placement, its uid or one of its names; each once."""
        metadata: Metadata = origin["metadata"]
        keys = [(PLACEMENT, placement), (ORIGIN_UID, metadata["uid"])]
        keys += [("name", name) for name in run_names(metadata["name"], placement)]
        found = [one for key in keys for one in self._by.get((metadata["namespace"], *key), [])]
        return list({(cluster, run["metadata"]["uid"]): (cluster, run) for cluster, run in found}.values())


def _match_or_leave(
    placement: str, carriers: list[Object], runs: _Candidates, namespaces: Collection[str], targets: Targets
) -> Match:
    try:
        ours = [carrier for carrier in carriers if _is_ours(carrier, namespaces)]
        adopted = _adopted(placement, carriers, runs)
        return adopted or (
            _without_run(placement, ours[0], runs.of(placement, ours[0]), targets)
            if ours
            else Match(placement, Found.FOREIGN, carriers[0])
        )
    except (KeyError, TypeError, AttributeError) as error:
        # Users can write malformed objects; go on with the others.
        return unreadable(Match(placement, Found.UNREADABLE, carriers[0]), error)


def _is_ours(workflow: Object, namespaces: Collection[str]) -> bool:
    held = is_deletion_blocked(workflow) and annotations(workflow).get(SKIP) != "true"
    return held and workflow["metadata"]["namespace"] in namespaces


def _adopted(placement: str, carriers: list[Object], runs: _Candidates) -> Match | None:
    """A match if a run is certainly that of one of the carriers. Other carriers are copies of that origin."""
    for origin in carriers:
        own = [one for one in runs.of(placement, origin) if _likeness(placement, origin, one[1]) is Likeness.CERTAIN]
        if own:
            # If there are several runs, a lost answer left the others behind: the controller removes them.
            shown = annotations(origin).get(CLUSTER)
            cluster, run = min(own, key=lambda one: _preference(origin, shown, *one))
            return Match(placement, Found.ADOPTED, origin, run, cluster)
    return None


def _preference(
    origin: Object, shown: str | None, cluster: str, run: Object
) -> tuple[bool, bool, bool, tuple[str, str]]:
    """The smallest is taken: with the origin's uid, still held by Medea, where the origin says, the oldest."""
    foreign = labels(run).get(ORIGIN_UID) != origin["metadata"]["uid"]
    return foreign, not is_deletion_blocked(run), cluster != shown, _created(run)


def _without_run(placement: str, origin: Object, near: _Runs, targets: Targets) -> Match:
    """`near` are Workflows on targets that have something of the placement, but are not certainly its run."""
    shown, state = annotations(origin).get(CLUSTER), annotations(origin).get(STATE, State.QUEUED)
    match_as = partial(Match, placement, origin=origin)
    if targets.away:
        words = "; ".join(f"{name}: {why}" for name, why in sorted(targets.away.items()))
        return match_as(Found.UNDECIDED, words=words)
    if shown and shown not in targets.runs and shown not in targets.gone:
        return match_as(Found.UNDECIDED, words=f"{shown} is not registered; register it, or say --gone {shown}")
    if (origin.get("status") or {}).get("phase") in FINAL_PHASES:
        return match_as(Found.ENDED)
    unclear = [one for one in near if _likeness(placement, origin, one[1]) is Likeness.UNCLEAR]
    why = _why_lost(origin, shown, state, targets)
    # A copy under another name is not the run, but shows that there was one: nothing may be run anew.
    doubtful = unclear or ([] if why else [one for one in near if labels(one[1]).get(PLACEMENT) == placement])
    if doubtful:
        return match_as(Found.UNCLEAR, words=_which(placement, origin, doubtful))
    return lost(match_as(Found.LOST), why) if why else match_as(Found.QUEUED)


def _which(placement: str, origin: Object, doubtful: _Runs) -> str:
    uid = origin["metadata"]["uid"]
    names = ", ".join(f"{run['metadata']['name']} on {cluster}" for cluster, run in doubtful)
    return (
        f"{names}: label it {PLACEMENT}={placement} and {ORIGIN_UID}={uid} if it is the run; "
        "if the Workflow never ran, take both labels off it, or delete it; then rebuild again"
    )


def _likeness(placement: str, origin: Object, run: Object) -> Likeness:
    metadata: Metadata = origin["metadata"]
    return likeness(run, placement, origin_name=metadata["name"], origin_uid=metadata["uid"])


def _why_lost(origin: Object, shown: str | None, state: str, targets: Targets) -> str | None:
    """Why an origin without a run will never have one; None if it still can."""
    if shown in targets.gone:
        return f"its target {shown} is gone for good, and with it what ran there"
    if state == State.SPLIT:
        return "it was split into chunks, and only the ledger knew which; those that there are go on"
    if state not in (State.QUEUED, "placed"):
        return f"its run is gone from {shown}, and nobody saw how it ended"
    if hold_of(origin) is Hold.PLUGIN:
        return "it waited for its run, and only the ledger knew what was to run"
    return None


def lost(one: Match, why: str) -> Match:
    """The same match, but lost: there will be no run."""
    return replace(one, found=Found.LOST, words=f"Lost: Medea's ledger was lost; {why}. Submit it again.")


def unreadable(one: Match, error: Exception) -> Match:
    """The same match, but unreadable."""
    return replace(one, found=Found.UNREADABLE, words=quoted(error))


def _created(workflow: Object) -> tuple[str, str]:
    metadata: Metadata = workflow["metadata"]
    return str(metadata.get("creationTimestamp")), str(metadata["uid"])
