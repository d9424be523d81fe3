"""The order of an uninstallation, and the command that asks for it."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from typing import Annotated, Protocol

import typer

from webhook.admin import surroundings
from webhook.admin.surroundings import console
from webhook.errors import LedgerUnavailable, MedeaError, Refused
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import parting, rebuilding
from webhook.ledger.pool import Pool
from webhook.model.contract import PLACEMENT
from webhook.model.deadline import Now, utc_now
from webhook.model.finalizers import is_deletion_blocked
from webhook.model.objects import Object
from webhook.model.run import run_placement
from webhook.settings import Settings
from webhook.uninstall import front_door
from webhook.uninstall.plan import Owned, is_live, last_patch, not_runs, uid_of
from webhook.uninstall.report import Report
from webhook.uninstall.targets import finalizers_by_hand, let_go_of_target


class Registered(Protocol):
    """The targets."""

    def names(self) -> dict[str, str | None]:
        """Every registered target, with the reason why it can't be used now; None if it can."""

    def get(self, name: str) -> Cluster:
        """The client of a target."""


def uninstall(
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    delete_runs: Annotated[bool, typer.Option(help="Delete runs that have not ended.")] = False,
) -> None:
    """Let go of everything that Medea holds, and remove what it has made. May be repeated."""
    settings, out = Settings(), console()
    report = Report(lambda line: out.print(line, markup=False, soft_wrap=True))
    front = surroundings.front(settings)
    with ExitStack() as stack:
        registry = stack.enter_context(surroundings.registry(front, settings))
        if not yes:
            report.say(summary(front, registry, delete_runs=delete_runs))
            typer.confirm("Uninstall Medea?", abort=True)
        pool = _ledger(settings, stack, report)
        spaces = (settings.medea_namespace, settings.medea_targets_namespace)
        take_away(front, registry, pool, spaces, report, delete_runs=delete_runs)
    if report.left:
        report.say(f"{len(report.left)} things are left, see above. Uninstall again when they can be done.")
        raise typer.Exit(1)
    report.say("nothing of Medea is left but what was applied by hand or by Helm, and the ledger's database")


def _ledger(settings: Settings, stack: ExitStack, report: Report) -> Pool | None:
    with suppress(LedgerUnavailable, Refused):
        return stack.enter_context(surroundings.ledger(settings))
    report.say("there is no ledger (Postgres), or it does not answer: only runs whose origins are here are known")
    return None


def summary(front: Cluster, registry: Registered, *, delete_runs: bool) -> str:
    """What is about to happen, for a person to agree to."""
    origins = list(filter(is_deletion_blocked, not_runs(front.list(WORKFLOWS)[0])))
    live = sum(map(is_live, origins))
    away = [name for name, why in registry.names().items() if why is not None]
    runs = "are deleted" if delete_runs else "go on on their targets, and nobody shows them here any more"
    return (
        f"{len(origins)} Workflows here are Medea's; {live} have not ended: they end as Error, and their runs {runs}. "
        f"{len(registry.names())} targets are let go" + (f"; not answering: {', '.join(sorted(away))}" if away else "")
    )


def take_away(
    front: Cluster,
    registry: Registered,
    pool: Pool | None,
    spaces: tuple[str, str],
    report: Report,
    *,
    delete_runs: bool = False,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    now: Now = utc_now,
) -> None:
    """All of it, in an order in which each part may fail: webhooks, processes, runs, origins, and then the rest.

    `spaces` are Medea's own namespace and that of the targets' Secrets.
    """
    namespace, targets = spaces
    front_door.remove_webhooks(front, report)
    if not front_door.stop_processes(front, namespace, report, clock=clock, sleep=sleep):
        return
    workflows = not_runs(front.list(WORKFLOWS)[0])
    runs, away = _runs(registry)
    owned = Owned({uid_of(one): one for one in workflows}, _known(pool, runs))
    released, opted_in = set(), front_door.opted_in(front)
    for name, there in runs.items():
        with report.step(f"{name} not let go", finalizers_by_hand(name)):
            if let_go_of_target(registry.get(name), there, owned, opted_in, report, delete_runs=delete_runs):
                released.add(name)
    for name, why in away.items():
        report.leave(f"target {name} {why}: its runs keep Medea's finalizer", finalizers_by_hand(name))
    where = _by_placement(runs)
    end = partial(last_patch, runs=where, delete_runs=delete_runs, now=now())
    front_door.let_go_of_origins(front, list(filter(is_deletion_blocked, workflows)), end, report)
    for remove in (
        front_door.remove_agents,
        front_door.remove_mirrored,
        front_door.remove_probes,
        front_door.remove_preparations,
    ):
        with report.step(f"{remove.__name__.replace('_', ' ')}"):
            remove(front, report)
    with report.step("remove profiles"):
        front_door.remove_profiles(front, targets, report)
    if pool is not None:
        with report.step("the ledger was not told"):
            report.done(f"{parting.part(pool, 'Medea was uninstalled')} placements ended in the ledger")
    with report.step("the targets' Secrets"):
        front_door.remove_targets(front, targets, released, report)
    with report.step("Medea's own Secrets and lease"):
        front_door.remove_own(front, namespace, report)
    for name in sorted(released):
        report.say(f"{name}: the account and the rights that Medea was given there stay, see docs/uninstalling.md")


def _runs(registry: Registered) -> tuple[dict[str, list[Object]], dict[str, str]]:
    """The runs on each target that answers, and why the others don't."""
    runs: dict[str, list[Object]] = {}
    away: dict[str, str] = {}
    for name, why in registry.names().items():
        try:
            if why is None:
                runs[name], _ = registry.get(name).list(WORKFLOWS, selector=PLACEMENT)
            else:
                away[name] = why
        except MedeaError as error:
            away[name] = f"did not answer ({error.message})"
    return runs, away


def _known(pool: Pool | None, runs: Mapping[str, list[Object]]) -> set[str]:
    there = {placement for found in runs.values() for run in found if (placement := run_placement(run))}
    return set(rebuilding.known(pool, there)) if pool is not None else set()


def _by_placement(runs: Mapping[str, list[Object]]) -> dict[str, tuple[str, Object]]:
    return {
        placement: (cluster, run)
        for cluster, found in runs.items()
        for run in found
        if (placement := run_placement(run))
    }
