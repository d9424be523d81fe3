"""The command `medea`. The docstrings of commands are their help texts."""

import signal
import sys
import threading
from typing import Annotated, Any

import structlog
import typer
from pydantic import ValidationError
from rich.table import Table

from webhook.admin.asking import TokenFile, ask
from webhook.admin.commands import ledger_app
from webhook.admin.surroundings import console
from webhook.admin.target_commands import target_app
from webhook.admin.tree_commands import config, desired, inventory
from webhook.edges.commands import edges, jobs
from webhook.errors import MedeaError
from webhook.installation.command import check
from webhook.kube.leader import Leader, Lease
from webhook.ledger.migrate import migrate as migrate_ledger
from webhook.scout.model import Source, room_words
from webhook.server.doors import DoorName, door_of, wanted_doors
from webhook.server.health import start_health_server
from webhook.server.server import Server
from webhook.server.supervisor import supervise
from webhook.settings import Settings, setting_problems
from webhook.telemetry import configure_logging
from webhook.uninstall.command import uninstall
from webhook.wiring.certificates import make_delivery
from webhook.wiring.controller import make_controller
from webhook.wiring.parts import ledger_dsn

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Many Kubernetes clusters, one Argo Workflows.")
app.add_typer(target_app, name="target")
app.add_typer(ledger_app, name="ledger")
app.command()(uninstall)
app.command()(check)
for _command in (inventory, config, desired, edges, jobs):
    app.command()(_command)


def main() -> None:
    """Entry point. A wrong setting or an unavailable dependency is reported on one line, without a traceback."""
    try:
        app()
    except ValidationError as error:
        for line in setting_problems(error):
            print(f"medea: {line}", file=sys.stderr)
        sys.exit(2)
    except MedeaError as error:
        print(f"medea: {error.message}", file=sys.stderr)
        sys.exit(1)


@app.command()
def serve(
    doors: Annotated[list[DoorName] | None, typer.Argument(help="Which doors; all if none is named.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Run the controller beside them, for a laptop.")] = False,
) -> None:
    """Serve Medea's doors, each in a process of its own."""
    configure_logging()
    settings = Settings()
    names = doors or wanted_doors(settings)
    servers = {str(name): Server(settings, door_of(name, settings)) for name in names}
    programs = {name: server.run for name, server in servers.items()} | (
        {"controller": controller} if everything else {}
    )
    if len(programs) == 1:
        next(iter(programs.values()))()
    else:
        supervise(programs)


@app.command()
def controller() -> None:
    """Run the controller, once it holds the lease."""
    configure_logging()
    settings = Settings()
    parts, work = make_controller(settings)
    start_health_server(settings.medea_bind, settings.medea_controller_metrics_port, unready=work.unready)
    parts.prober.start()
    parts.acceptance.start()
    parts.presence.start()
    delivery = make_delivery(settings)
    if delivery:
        delivery.start()
    leader = Leader(Lease(parts.front, settings.medea_namespace), work)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: leader.stop())
    structlog.get_logger(__name__).info("waiting for the lease")
    if not leader.run():
        sys.exit(1)


@app.command()
def worker(
    job_class: Annotated[str, typer.Argument(metavar="CLASS", help="the class whose jobs it runs, as actor-jobs")],
    command: Annotated[list[str], typer.Argument(help="what does the work, after --")],
) -> None:
    """Run jobs of a class, one after the other, as they come from RabbitMQ."""
    from webhook.wiring.classes import make_worker

    configure_logging()
    settings, stop = Settings(), threading.Event()
    made = make_worker(settings, job_class, command, stop)
    start_health_server(settings.medea_bind, settings.medea_worker_metrics_port, unready=made.unready)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    made.start()
    made.consumer.join()


@app.command()
def migrate() -> None:
    """Bring the ledger's schema up to date, and end."""
    configure_logging()
    migrate_ledger(ledger_dsn(Settings()))


@app.command()
def targets(namespace: Annotated[str, typer.Option("--namespace", "-n")], token_file: TokenFile = None) -> None:
    """Show every target's quota and room for a namespace."""
    answer = ask(Settings(), f"/api/v1/targets/{namespace}", token_file=token_file)
    console().print(verdict_table(f"namespace {namespace}", answer["targets"]))


@app.command()
def explain(
    placement: Annotated[str, typer.Argument(help="the annotation medea.dev/placement of an origin")],
    token_file: TokenFile = None,
) -> None:
    """Show why a Workflow went where it went."""
    answer = ask(Settings(), f"/api/v1/placements/{placement}", token_file=token_file)
    row, out = answer["placement"], console()
    out.print(
        f"[bold]{row['name'] or row['generate_name']}[/] is {row['state']}"
        + (f" on {row['cluster']}" if row["cluster"] else "")
    )
    for decision in answer["decisions"]:
        out.print(verdict_table(f"{decision['outcome']}: {decision['reason']}", decision["verdicts"]))
        for note in decision.get("notes") or []:
            out.print(f"not fully known: {note}", markup=False)


def verdict_table(title: str, verdicts: list[dict[str, Any]]) -> Table:
    """A table with one row per target, with the numbers that the decision was based on."""
    table = Table(title=title, title_justify="left")
    for heading in ("target", "quota", "others use", "reserved", "free", "sample age", ""):
        table.add_column(heading)
    for verdict in verdicts:
        age = verdict["sample_age"]
        table.add_row(
            verdict["cluster"],
            *(_amount(verdict[key]) for key in ("hard", "foreign", "reserved", "free")),
            "" if age is None else _aged(age, verdict.get("source")),
            verdict["removed_by"] or "",
            style="dim" if verdict["removed_by"] else "green",
        )
    return table


def _aged(age: float, source: str | None) -> str:
    """The age, and where the sample is from unless it is Prometheus, as mostly."""
    return f"{age:.0f} s" if source in (None, Source.PROMETHEUS) else f"{age:.0f} s, {source}"


def _amount(totals: dict[str, int] | None) -> str:
    return "" if totals is None else room_words(totals["cpu_milli"], totals["memory_bytes"])
