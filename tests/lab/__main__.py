"""The commands of `python -m tests.lab`."""

import sys
from typing import Annotated

import typer
from rich.table import Table

from tests.lab import argo, clusters, controlplane, lifecycle, modes, pods, supervisor
from tests.lab.errors import LabError
from tests.lab.lab import Lab
from tests.lab.layout import BY_NAME, CLUSTERS, ENV_FILE, FRONT
from tests.lab.processes import Process
from tests.lab.progress import console

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
What = Annotated[
    str, typer.Argument(help="a cluster (its apiserver), front-controller (Argo's), or a name that `status` shows")
]


@app.callback()
def main() -> None:
    """The multi-cluster laboratory: three Kubernetes clusters with Argo on this machine."""


@app.command()
def build() -> None:
    """Install and build all that `up` needs."""
    lifecycle.build()


@app.command()
def up() -> None:
    """Start the laboratory; on one that runs, start only what is missing."""
    lifecycle.up()
    console.print(f"source {ENV_FILE}", highlight=False)


@app.command()
def down() -> None:
    """Kill and remove everything but the caches."""
    lifecycle.down()


@app.command()
def kill(what: What) -> None:
    """SIGKILL a process and its group, or the pods of Medea's `webhook` (all doors) or `controller`."""
    if _is_pods(what):
        if not pods.kill(Lab(), what):
            raise LabError(f"{what} does not run")
        return
    process = _find(what)
    if not supervisor.kill(process.name):
        raise LabError(f"{process.name} does not run")


@app.command()
def start(what: What) -> None:
    """Start a process again and wait until it is ready; with an apiserver, those who watch it look again at once."""
    if _is_pods(what):
        pods.start(Lab(), what)
        return
    process = _find(what)
    started = supervisor.start(process)
    supervisor.wait_ready(process)
    for cluster in CLUSTERS:
        if started and process.name == controlplane.apiserver(cluster).name:
            clusters.look_again(cluster)


@app.command()
def log(what: What) -> None:
    """What it has written since it was started."""
    sys.stdout.write(pods.log(Lab(), what) if _is_pods(what) else _find(what).log.read_text(errors="replace"))


@app.command()
def status() -> None:
    """Every process and Medea's pods: pid, whether it is ready, its log."""
    table = Table("process", "pid", "ready", "log")
    rows: list[tuple[str, list[int], bool, str]] = []
    for process in lifecycle.everything():
        pid = supervisor.pid_of(process.name)
        rows.append((process.name, [pid] if pid else [], pid is not None and process.ready(), str(process.log)))
    if modes.running() == modes.Mode.CLUSTER:
        rows += [(part, pods.pids(part), pods.ready(Lab(), part), f"make lab-log WHAT={part}") for part in pods.PARTS]
    for name, pids, ready, where in rows:
        table.add_row(name, " ".join(map(str, pids)) or "-", "[green]yes" if ready else "[red]no", where)
    console.print(table)
    if not all(ready for _, _, ready, _ in rows):
        raise typer.Exit(1)


def _is_pods(what: str) -> bool:
    return what in pods.PARTS and modes.running() == modes.Mode.CLUSTER


def _find(what: str) -> Process:
    # The front door's controller can also be started where `up` leaves it out.
    front_controller = argo.workflow_controller(FRONT)
    known = {process.name: process for process in [*lifecycle.everything(), front_controller]}
    short = {name: f"apiserver-{name}" for name in BY_NAME} | {"front-controller": front_controller.name}
    name = short.get(what, what)
    if name not in known:
        raise LabError(f"no process {what}; there are: {' '.join(sorted(known))}")
    return known[name]


if __name__ == "__main__":
    try:
        app()
    except LabError as error:
        console.print(f"lab: {error}", highlight=False, markup=False, soft_wrap=True)
        sys.exit(1)
