"""Lets go of a target: the finalizers of its runs, and the templates that were copied there."""

from collections.abc import Callable, Collection, Sequence

from webhook.controller.remove import remove_finalizer, remove_run
from webhook.errors import Clash, NotAllowed, NotThere
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOW_TEMPLATES, WORKFLOWS
from webhook.model.contract import COPIED, PLACEMENT
from webhook.model.finalizers import is_deletion_blocked
from webhook.model.limits.admin import UNINSTALL_TRIES
from webhook.model.objects import Metadata, Object
from webhook.uninstall.plan import Owned, copies_in_use, is_live, uid_of
from webhook.uninstall.report import Report


def finalizers_by_hand(target: str) -> str:
    """The command that takes Medea's finalizer, with all others, off every run of a target."""
    kubectl = f"kubectl --context {target}"
    columns = "custom-columns=N:.metadata.namespace,W:.metadata.name"
    patch = '{"metadata":{"finalizers":null}}'
    return (
        f"{kubectl} get workflows -A -l {PLACEMENT} --no-headers -o {columns} | while read n w; do "
        f"{kubectl} -n $n patch workflow $w --type=merge -p '{patch}'; done"
    )


def let_go_of_target(
    target: Cluster,
    runs: Sequence[Object],
    owned: Owned,
    opted_in: Collection[str],
    report: Report,
    *,
    delete_runs: bool,
) -> bool:
    """Let go of this front door's runs among all `runs` of a target, and remove copied templates.

    False if something is left there. `opted_in` are the namespaces that may have copies although no run is in them.
    With `delete_runs`, runs that have not ended are deleted.
    """
    mine = [run for run in runs if owned.owns(run)]
    before = len(report.left)
    going = {uid_of(run) for run in mine if owned.is_doomed(run) or (delete_runs and is_live(run))}
    for run in mine:
        doomed = uid_of(run) in going
        if doomed or is_deletion_blocked(run):
            with report.step(f"{target.name}: run {_name(run)} not let go", finalizers_by_hand(target.name)):
                until_written(target, run, remove_run if doomed else remove_finalizer)
    stay = [run for run in mine if uid_of(run) not in going]
    report.done(
        f"{target.name}: {len(stay)} runs let go, {sum(map(is_live, stay))} of them go on; {len(going)} deleted"
    )
    others = [run for run in runs if not owned.owns(run) and is_deletion_blocked(run)]
    if others:
        report.say(
            f"{target.name}: {len(others)} runs have Medea's finalizer, but no origin here, as {_name(others[0])}. "
            f"They may be another front door's; if there is none: {finalizers_by_hand(target.name)}"
        )
    places = sorted({*opted_in, *(run["metadata"]["namespace"] for run in runs)})
    _remove_copies(target, places, [run for run in runs if uid_of(run) not in going], report)
    return len(report.left) == before


def _remove_copies(target: Cluster, namespaces: Collection[str], runs: list[Object], report: Report) -> None:
    by_hand = f"kubectl --context {target.name} delete workflowtemplates -A -l {COPIED}"
    with report.step(f"{target.name}: copied templates not removed", by_hand):
        copies = [one for namespace in namespaces for one in _copies(target, namespace)]
        used = copies_in_use(copies, runs)
        for one in copies:
            if one not in used:
                metadata: Metadata = one["metadata"]
                place = (WORKFLOW_TEMPLATES, metadata["namespace"], metadata["name"])
                target.delete(*place, uid=metadata["uid"], propagation="Background")
        report.done(f"{target.name}: {len(copies) - len(used)} copied templates removed")
        if used:
            report.say(f"{target.name}: {len(used)} of them stay: runs there may use them. Afterwards: {by_hand}")


def _copies(target: Cluster, namespace: str) -> list[Object]:
    """None where the namespace accepts no work: there are none, or its administrator has taken all rights back."""
    try:
        return target.list(WORKFLOW_TEMPLATES, namespace, selector=COPIED)[0]
    except NotAllowed:
        return []


def until_written(cluster: Cluster, workflow: Object, write: Callable[[Cluster, Object], None]) -> None:
    """Write to a Workflow, again and again while others change it. One that is gone needs nothing."""
    metadata: Metadata = workflow["metadata"]
    current: Object | None = workflow
    for left in reversed(range(UNINSTALL_TRIES)):
        try:
            if current is not None and current["metadata"]["uid"] == metadata["uid"]:
                write(cluster, current)
            return
        except NotThere:
            return
        except Clash:
            if not left:
                raise
        current = cluster.find(WORKFLOWS, metadata["namespace"], metadata["name"])


def _name(workflow: Object) -> str:
    metadata: Metadata = workflow["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}"
