"""The commands `medea target`. The docstrings of commands are their help texts."""

import time
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from webhook.admin import surroundings
from webhook.admin.forget import check_unregistered
from webhook.admin.forget import forget as forget_target
from webhook.admin.surroundings import console
from webhook.admin.target_output import finding_lines, line, overview, shares_table, targets_table
from webhook.errors import Missing, Refused
from webhook.kube.client import Cluster
from webhook.kube.registry import connect_target
from webhook.ledger import identities
from webhook.ledger.by_cluster import Share, shares
from webhook.ledger.pool import Pool
from webhook.model.contract import State
from webhook.model.deadline import utc_now
from webhook.model.limits.admin import DRAIN_HEARD
from webhook.settings import Settings
from webhook.targets.check import gather
from webhook.targets.findings import Grade, findings
from webhook.targets.impersonation import impersonation
from webhook.targets.join import add as add_target
from webhook.targets.leave import revoke, set_drain, unregister
from webhook.targets.move import copy as copy_targets
from webhook.targets.move import finish as finish_move
from webhook.targets.registration import registered, secrets_of

target_app = typer.Typer(no_args_is_help=True, help="The clusters that run work.")

Name = Annotated[str, typer.Argument(help="the target's name at the front door")]
FrontContext = Annotated[
    str | None, typer.Option("--front-context", help="The front door's context in your kubeconfig; else the current.")
]
Namespaces = Annotated[str, typer.Option("--namespaces", help="Namespaces on the target, separated by commas.")]
_LIVE = frozenset({State.RESERVED, State.RUNNING, State.DELETING})


@target_app.command()
def add(
    name: Name,
    namespaces: Namespaces,
    context: Annotated[str | None, typer.Option("--context", help="The target's context; else its name.")] = None,
    front_context: FrontContext = None,
    server: Annotated[
        str | None, typer.Option("--server", help="Its apiserver's URL as Medea reaches it; else the context's.")
    ] = None,
    impersonate: Annotated[
        list[str] | None,
        typer.Option(
            help="A user as whom Medea creates what they submit, so that their own rights there count; "
            "system:serviceaccount:NAMESPACE:NAME for an account, or all with NAME *. May be repeated."
        ),
    ] = None,
    impersonate_group: Annotated[
        list[str] | None, typer.Option(help="A group of theirs that counts there. May be repeated.")
    ] = None,
    into_pods: Annotated[
        bool,
        typer.Option(
            "--exec",
            help="Let people into the pods of their runs in these namespaces: kubectl exec, attach, port-forward, cp.",
        ),
    ] = False,
    see_secrets: Annotated[
        bool,
        typer.Option(
            "--see-secrets",
            help="Let Medea tell whether a Secret exists in these namespaces, with a right that reads them too.",
        ),
    ] = False,
    take_configmaps: Annotated[
        bool, typer.Option("--take-configmaps", help="Let copies of ConfigMaps go along with runs to these namespaces.")
    ] = False,
    node_pools: Annotated[
        str | None,
        typer.Option(
            "--node-pools",
            help="A label of its nodes: those with the same value are a pool, for steps that go to the smallest nodes "
            "that fit them. It is noted as the nodes are now.",
        ),
    ] = None,
) -> None:
    """Have a cluster take work from these namespaces, and check it. Run it again to add namespaces, or to mend it."""
    settings, out = Settings(), console()
    front, wanted = surroundings.front(settings, front_context), _listed(namespaces)
    if not wanted:
        raise Refused("--namespaces is empty: name those that accept work, as in --namespaces a,b")
    acting = impersonation(impersonate or (), impersonate_group or ())
    target = surroundings.target(settings, name, context or name)
    reach, space = target.reach(server), settings.medea_targets_namespace
    made = add_target(
        front,
        target,
        reach,
        space=space,
        namespaces=wanted,
        now=utc_now(),
        acting=acting,
        into_pods=into_pods,
        see_secrets=see_secrets,
        take_config_maps=take_configmaps,
        pool_label=node_pools,
    )
    for done in made:
        out.print(line(done), soft_wrap=True)
    _check(front, settings, [name], wanted, out)


@target_app.command()
def check(
    name: Annotated[str | None, typer.Argument(help="one target; else all")] = None,
    namespaces: Namespaces = "",
    front_context: FrontContext = None,
) -> None:
    """Say what is fine about a target, what is missing, and the command that mends it. Ends with 1 if anything is."""
    settings = Settings()
    front = surroundings.front(settings, front_context)
    names = [name] if name else [found for found, _ in registered(front, settings.medea_targets_namespace)]
    if not names:
        raise Missing("no target is registered at this front door: medea target add NAME --namespaces A,B")
    _check(front, settings, names, _listed(namespaces), console())


@target_app.command("list")
def list_targets(front_context: FrontContext = None) -> None:
    """Show every target, and whether it can be used."""
    settings = Settings()
    front = surroundings.front(settings, front_context)
    console().print(targets_table(overview(registered(front, settings.medea_targets_namespace), connect_target)))


@target_app.command()
def drain(name: Name, front_context: FrontContext = None) -> None:
    """Place nothing new on a target. What is there goes on."""
    settings = Settings()
    set_drain(surroundings.front(settings, front_context), settings.medea_targets_namespace, name, drain=True)
    console().print(f"nothing new is placed on {name}; `medea target undrain {name}` ends that", markup=False)


@target_app.command()
def undrain(name: Name, front_context: FrontContext = None) -> None:
    """Use a drained target again."""
    settings = Settings()
    set_drain(surroundings.front(settings, front_context), settings.medea_targets_namespace, name, drain=False)
    console().print(f"{name} is used again", markup=False)


@target_app.command()
def remove(
    name: Name,
    context: Annotated[
        str | None, typer.Option("--context", help="The target's context: also take back there what `add` gave.")
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Even if placements live there, which are lost.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    front_context: FrontContext = None,
) -> None:
    """Take a target away from the front door. Refused while placements live there."""
    settings, out = Settings(), console()
    front, space = surroundings.front(settings, front_context), settings.medea_targets_namespace
    target = surroundings.target(settings, name, context) if context else None
    if secrets_of(front, space, name):
        with surroundings.ledger(settings) as pool:
            set_drain(front, space, name, drain=True)
            time.sleep(DRAIN_HEARD)
            _check_lost(pool, name, forget=forget, yes=yes, out=out)
            for secret in unregister(front, space, name):
                out.print(f"removed  Secret {secret} in {space} at the front door", markup=False)
            _forget(pool, name, out)
    else:
        out.print(f"{name} is not registered at this front door", markup=False)
    for gone in revoke(target) if target else ():
        out.print(f"removed  {gone} on {name}", markup=False)


@target_app.command()
def forget(
    name: Annotated[str, typer.Argument(help="a target that is gone for good")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Have nothing wait any more for a target that is gone for good. What ran there is lost."""
    settings, out = Settings(), console()
    check_unregistered(surroundings.front(settings), settings.medea_targets_namespace, name)
    with surroundings.ledger(settings) as pool:
        there = shares(pool, name)
        if not there and identities.forget(pool, name):
            out.print(f"nothing was on {name}; any cluster may be registered by that name now", markup=False)
            return
        if not there:
            out.print(f"the ledger knows of nothing on {name}", markup=False)
            return
        _confirm(name, there, yes=yes, out=out)
        _forget(pool, name, out)


@target_app.command()
def move(
    source: Annotated[str | None, typer.Option("--from", help="Where they are; else Medea's own namespace.")] = None,
    finish: Annotated[bool, typer.Option("--finish", help="Delete the old ones, which have been copied.")] = False,
    front_context: FrontContext = None,
) -> None:
    """Copy the targets' Secrets of an older Medea to their own namespace. Do it before the upgrade."""
    settings, out = Settings(), console()
    front, space = surroundings.front(settings, front_context), settings.medea_targets_namespace
    old = source or settings.medea_namespace
    if finish:
        for gone in finish_move(front, old, space):
            out.print(f"removed  {gone} at the front door", markup=False)
        return
    for done in copy_targets(front, old, space):
        out.print(line(done), soft_wrap=True)
    out.print("upgrade now; when there is no way back any more: medea target move --finish", markup=False)


def _check(front: Cluster, settings: Settings, names: Sequence[str], namespaces: Sequence[str], out: Console) -> None:
    missing, recorded = False, surroundings.recorded_clusters(settings)
    for name in names:
        facts = gather(front, settings.medea_targets_namespace, name, namespaces, recorded=recorded)
        found = findings(facts, utc_now())
        for text in finding_lines(found, f"{name}: "):
            out.print(text, soft_wrap=True)
        missing = missing or any(one.grade is Grade.MISSING for one in found)
    if missing:
        raise typer.Exit(1)


def _check_lost(pool: Pool, name: str, *, forget: bool, yes: bool, out: Console) -> None:
    live = [share for share in shares(pool, name) if share.state in _LIVE]
    if not live:
        return
    if not forget:
        out.print(shares_table(f"on {name}", live))
        raise Refused(
            f"placements live on {name}. Nothing new is placed there any more: wait until they have ended, or give "
            f"them up with --forget; `medea target undrain {name}` takes this back"
        )
    _confirm(name, live, yes=yes, out=out)


def _confirm(name: str, there: list[Share], *, yes: bool, out: Console) -> None:
    out.print(shares_table(f"on {name}, and lost with it unless it has ended or not begun", there))
    if not yes:
        typer.confirm(f"Is {name} gone for good?", abort=True)


def _forget(pool: Pool, name: str, out: Console) -> None:
    for became, count in forget_target(pool, name).items():
        out.print(f"{count} {became}", markup=False)


def _listed(names: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in names.split(",") if part.strip()))
