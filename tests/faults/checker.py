"""Judges an episode by its clusters' histories alone: nothing here knows how Medea works inside.

What it knows are the words that people and programs may rely on: the labels of runs, the finalizer, Argo's phases.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.fake_apiserver import MEDEA, Change, FakeApiserver

Object = dict[str, Any]
FINAL = ("Succeeded", "Failed", "Error")
ORIGIN_UID, FINALIZER, PLACEMENT = "medea.dev/origin-uid", "medea.dev/run", "medea.dev/placement"


@dataclass
class Life:
    """One Workflow's life on one cluster, from its first version to its last."""

    cluster: str
    first: Change
    changes: list[Change] = field(default_factory=list)

    @property
    def name(self) -> str:
        metadata = self.first.object["metadata"]
        return f"{metadata['namespace']}/{metadata['name']}"

    @property
    def last(self) -> Object:
        return self.changes[-1].object

    @property
    def gone(self) -> bool:
        return self.changes[-1].after is None

    @property
    def phase(self) -> Any:
        status = self.last.get("status")
        return status.get("phase") if isinstance(status, dict) else None

    @property
    def deleted(self) -> bool:
        return any("deletionTimestamp" in one.object["metadata"] for one in self.changes) or self.gone


def lives(fake: FakeApiserver) -> dict[str, Life]:
    """The Workflows of a cluster by their uids."""
    found: dict[str, Life] = {}
    for change in fake.history:
        if change.resource == "workflows":
            uid = change.object["metadata"]["uid"]
            found.setdefault(uid, Life(fake.name, change)).changes.append(change)
    return found


def one_run_each(
    front: FakeApiserver, targets: Iterable[FakeApiserver], did: Mapping[str, set[str]], namespaces: Sequence[str]
) -> list[str]:
    """Each accepted origin has exactly one run over all targets and all time, and each run its origin.

    None is right for what a person stopped or deleted. Both end in the same way.
    """
    wrong = []
    origins = {uid: life for uid, life in lives(front).items() if _accepted(life, namespaces)}
    runs: dict[str, list[Life]] = defaultdict(list)
    for target in targets:
        for life in lives(target).values():
            if life.first.user == MEDEA:
                runs[(life.first.object["metadata"].get("labels") or {}).get(ORIGIN_UID, "")].append(life)
    for uid, origin in origins.items():
        of = runs.pop(uid, [])
        where = ", ".join(f"{life.cluster}:{life.name}" for life in of)
        if len(of) > 1:
            wrong.append(f"origin {origin.name} had {len(of)} runs: {where}")
        if not of and not did.get(uid, set()) & {"stop", "terminate", "delete"}:
            wrong.append(f"origin {origin.name} never had a run; it shows {origin.phase}: {_words(origin)}")
        for life in of:
            ended = _end(life)
            if ended and not origin.deleted and origin.phase != ended:
                wrong.append(f"origin {origin.name} shows {origin.phase} and its run ended {ended}: {_words(origin)}")
            if ended is None and life.gone and not origin.deleted:
                wrong.append(f"the run of {origin.name} was deleted on {life.cluster} before its end")
    wrong += [f"{life.cluster}:{life.name} is a run without an origin" for more in runs.values() for life in more]
    return wrong


def nothing_foreign_touched(
    front: FakeApiserver, targets: Iterable[FakeApiserver], namespaces: Sequence[str]
) -> list[str]:
    """Medea changed only what it made, and origins."""
    wrong = []
    for fake in (front, *targets):
        makers: dict[str, Change] = {}
        for change in fake.history:
            made = makers.setdefault(change.object["metadata"]["uid"], change)
            ours = made.user == MEDEA
            origin = fake is front and change.resource == "workflows" and _in(change.object, namespaces)
            if change.user == MEDEA and not ours and not origin:
                metadata = change.object["metadata"]
                wrong.append(f"{change.resource} {metadata.get('namespace')}/{metadata['name']} on {fake.name} touched")
    return sorted(set(wrong))


def never_there(fake: FakeApiserver) -> list[str]:
    """Medea changed nothing on a cluster that is none of its targets."""
    return [f"{one.resource} touched on {fake.name}" for one in fake.history if one.user == MEDEA]


def nothing_stuck(front: FakeApiserver, targets: Iterable[FakeApiserver], namespaces: Sequence[str]) -> list[str]:
    """Once all is well: no origin without an end, nothing on its way out, no finalizer on a run that has ended."""
    wrong = []
    for life in lives(front).values():
        if life.gone or not _accepted(life, namespaces):
            continue
        if "deletionTimestamp" in life.last["metadata"]:
            wrong.append(f"origin {life.name} is still on its way out")
        elif life.phase not in FINAL:
            wrong.append(f"origin {life.name} still shows {life.phase}: {_words(life)}")
    for target in targets:
        for life in lives(target).values():
            if life.gone or life.first.user != MEDEA:
                continue
            if "deletionTimestamp" in life.last["metadata"]:
                wrong.append(f"run {life.name} on {life.cluster} is still on its way out")
            elif FINALIZER in (life.last["metadata"].get("finalizers") or []) and life.phase in FINAL:
                wrong.append(f"run {life.name} on {life.cluster} has ended and keeps its finalizer")
    return wrong


def let_go_in_order(front: FakeApiserver, targets: Iterable[FakeApiserver]) -> list[str]:
    """An origin is kept until its run is gone, so that whoever sees it vanish knows that nothing of it runs."""
    wrong, origins = [], lives(front)
    for target in targets:
        for life in lives(target).values():
            origin = origins.get((life.first.object["metadata"].get("labels") or {}).get(ORIGIN_UID, ""))
            if origin is None or not origin.gone or life.first.time >= _deleted_at(origin):
                continue
            if not life.gone or life.changes[-1].time > origin.changes[-1].time:
                wrong.append(f"origin {origin.name} was gone before its run on {target.name}")
    return wrong


def never_too_much(
    targets: Iterable[FakeApiserver], namespaces: Sequence[str], most: int, *, but: Collection[str]
) -> list[str]:
    """What Medea has begun on a target and not seen end needs no more than the most that its quota ever was.

    `but` are the uids of origins that a person has retried: those hold their room again, whether it is free or not.
    """
    wrong = []
    for target in targets:
        for namespace in namespaces:
            living: dict[str, int] = {}
            for change in target.history:
                if change.resource != "workflows" or change.object["metadata"]["namespace"] != namespace:
                    continue
                uid, created = change.object["metadata"]["uid"], change.before is None
                origin = (change.object["metadata"].get("labels") or {}).get(ORIGIN_UID)
                if created and change.user == MEDEA and origin not in but:
                    living[uid] = _cores(change.object)
                elif uid in living and _over(change):
                    del living[uid]
                if created and sum(living.values()) > most:
                    wrong.append(f"{sum(living.values())} cores were in use on {target.name}, in {namespace}")
    return sorted(set(wrong))


def one_target_per_lock(targets: Iterable[FakeApiserver]) -> list[str]:
    """What Medea has begun and not seen end is on one target if it names one mutex, whatever its namespace is."""
    changes = [
        (target.name, one)
        for target in targets
        for one in target.history
        if one.resource == "workflows" and _mutex(one.object)
    ]
    wrong, living = list[str](), defaultdict[str, dict[str, str]](dict)
    over = {change.object["metadata"]["uid"]: change.time for _, change in reversed(changes) if _over(change)}
    # What ends in the moment in which something else begins has ended before it.
    for cluster, change in sorted(changes, key=lambda one: (one[1].time, not _over(one[1]))):
        uid, mutex = change.object["metadata"]["uid"], _mutex(change.object)
        if _over(change):
            living[mutex].pop(uid, None)
        elif change.before is None and change.user == MEDEA:
            living[mutex][uid] = cluster
            if len(set(living[mutex].values())) > 1:
                wrong.append(f"mutex {mutex} was in use on two targets when {change.object['metadata']['name']} began")
            if over.get(uid) == change.time:
                del living[mutex][uid]
    return wrong


def _mutex(workflow: Object) -> str:
    """The mutex that one of people's Workflows, or its run, names; empty if it names none."""
    spec = workflow.get("spec")
    return str(spec["synchronization"]["mutex"]["name"]) if isinstance(spec, dict) and "synchronization" in spec else ""


def _over(change: Change) -> bool:
    status = change.object.get("status") or {}
    return change.after is None or "deletionTimestamp" in change.object["metadata"] or status.get("phase") in FINAL


def _cores(workflow: Object) -> int:
    return int(workflow["spec"]["templates"][0]["container"]["resources"]["limits"]["cpu"])


def _deleted_at(life: Life) -> float:
    return next(one.time for one in life.changes if "deletionTimestamp" in one.object["metadata"] or one.after is None)


def nothing_left(front: FakeApiserver, targets: Iterable[FakeApiserver], namespaces: Sequence[str]) -> list[str]:
    """Once everything was deleted: no origin and no run is left."""
    wrong = [
        f"origin {life.name} is left" for life in lives(front).values() if _accepted(life, namespaces) and not life.gone
    ]
    for target in targets:
        of = [life for life in lives(target).values() if life.first.user == MEDEA and not life.gone]
        wrong += [f"run {life.name} is left on {target.name}" for life in of]
    return wrong


def _accepted(life: Life, namespaces: Sequence[str]) -> bool:
    first = life.first.object
    return (
        _in(first, namespaces)
        and PLACEMENT in (first["metadata"].get("annotations") or {})
        and life.first.user != MEDEA
    )


def _in(thing: Object, namespaces: Sequence[str]) -> bool:
    return thing["metadata"].get("namespace") in namespaces


def _end(run: Life) -> Any:
    """How a run ended: its phase before it was deleted."""
    return run.phase if run.phase in FINAL else None


def _words(life: Life) -> str:
    status = life.last.get("status")
    message = status.get("message") if isinstance(status, dict) else None
    annotations = life.last["metadata"].get("annotations") or {}
    return f"{message or ''} {annotations.get('medea.dev/state', '')} {annotations.get('medea.dev/reason', '')}".strip()
