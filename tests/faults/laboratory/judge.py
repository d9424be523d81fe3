"""The oracle: from what the apiservers have shown alone. It knows nothing of Medea's inside. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from tests.faults.laboratory.history import Seen

_FINAL = ("Succeeded", "Failed", "Error")


def complaints(seen: Sequence[Seen], *, strangers: Iterable[str]) -> list[str]:
    """What is wrong, one sentence each; none for a history that keeps the promise.

    `strangers` are the uids of Workflows on targets that are nobody's runs: nobody may touch them.
    """
    last: dict[tuple[str, str], Seen] = {}
    for one in seen:
        last[one.cluster, one.workflow["metadata"]["uid"]] = one
    origins = {uid: one for (cluster, uid), one in last.items() if cluster == "front" and _annotation(one, "placement")}
    runs: dict[str, list[Seen]] = defaultdict(list)
    for (cluster, _), one in last.items():
        if cluster != "front":
            runs[_label(one, "origin-uid")].append(one)
    found = [words for uid, origin in origins.items() for words in _of_one(origin, runs.get(uid, []))]
    for uid, orphans in runs.items():
        if uid and uid not in origins:
            found += [f"{_name(run)} runs on {run.cluster} for an origin that nobody has seen" for run in orphans]
    untouched = {uid for (_, uid), one in last.items() if not one.gone}
    return found + [f"a stranger's Workflow {uid} is gone" for uid in strangers if uid not in untouched]


def _of_one(origin: Seen, runs: list[Seen]) -> list[str]:
    name, phase = _name(origin), _phase(origin)
    if len(runs) > 1:
        return [f"{name} has {len(runs)} runs: {', '.join(f'{_name(run)} on {run.cluster}' for run in runs)}"]
    found = []
    if origin.gone:
        return [f"{name} was deleted, and its run on {run.cluster} is still there" for run in runs if not run.gone]
    if "deletionTimestamp" in origin.workflow["metadata"]:
        found.append(f"{name} hangs in Terminating")
    elif phase not in _FINAL:
        found.append(f"{name} has not ended: it is {phase}{_likewise(runs, phase)}")
    elif not runs and not _stopped(origin):
        found.append(f"{name} is {phase} and never had a run: {origin.workflow['status'].get('message')}")
    found += [
        f"{name} is {phase}, but its run on {run.cluster} is {_phase(run)}"
        for run in runs
        if not run.gone and _phase(run) != phase
    ]
    return found


def _likewise(runs: Sequence[Seen], phase: str) -> str:
    """Where its run shows the same, so that it is not Medea that keeps it from ending."""
    same = [run.cluster for run in runs if not run.gone and _phase(run) == phase]
    return f", and so is its run on {', '.join(same)}" if same else ""


def _stopped(origin: Seen) -> bool:
    return str(origin.workflow["status"].get("message")).startswith("Stopped with strategy")


def _phase(one: Seen) -> str:
    return str((one.workflow.get("status") or {}).get("phase"))


def _name(one: Seen) -> str:
    return str(one.workflow["metadata"]["name"])


def _label(one: Seen, name: str) -> str:
    return str((one.workflow["metadata"].get("labels") or {}).get(f"medea.dev/{name}", ""))


def _annotation(one: Seen, name: str) -> str:
    return str((one.workflow["metadata"].get("annotations") or {}).get(f"medea.dev/{name}", ""))
