"""The commands `medea edges` and `medea jobs`. The docstrings are their help texts."""

import json
import secrets
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from certs import files as certificates
from webhook.admin.asking import TokenFile, post
from webhook.admin.surroundings import console, front
from webhook.edges.agent import Agent
from webhook.edges.busy import Wish, keep_busy
from webhook.edges.join import kubeconfig, register
from webhook.edges.rest import Edge
from webhook.edges.server import Server
from webhook.edges.store import Store
from webhook.errors import BadRequest, wrong_field
from webhook.kube.resources import checked_name
from webhook.model.objects import Object
from webhook.settings import Settings

_MOST = 1000
_OWNERS = 0o600


def edges(
    name: Annotated[
        str, typer.Option(envvar="EDGE_NAME", help="The edge's name, or what those of several begin with.")
    ] = "edge",
    count: Annotated[int, typer.Option(min=1, max=_MOST, envvar="EDGE_COUNT", help="How many, as one process.")] = 1,
    namespace: Annotated[list[str] | None, typer.Option("--namespace", "-n", help="Whose Workflows they take.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where they listen.")] = 7443,
    address: Annotated[str, typer.Option(help="The IP address by which Medea reaches them.")] = "127.0.0.1",
    data: Annotated[Path, typer.Option(help="Folder with what they know; it outlives them.")] = Path("edges"),
    cores: Annotated[int, typer.Option(min=1, help="The quota of each namespace on each.")] = 8,
    gibibytes: Annotated[int, typer.Option(min=1, help="The same in GiB.")] = 64,
    speed: Annotated[float, typer.Option(min=0.001, help="How many times as fast as their watts they work.")] = 1.0,
    longest_watch: Annotated[
        float, typer.Option(min=0.01, help="Seconds after which a watch ends, and its client begins it anew.")
    ] = 240.0,
    kubeconfigs: Annotated[
        Path | None, typer.Option(help="Write a kubeconfig for each into this folder, and register none.")
    ] = None,
) -> None:
    """Run simulated edges, registered as targets, that serve Workflows by power and time."""
    settings, spaces = Settings(), namespace or [Settings().medea_jobs_namespace or ""]
    for space in spaces:
        checked_name("--namespace", space)
    names = [name] if count == 1 else [f"{name}-{number}" for number in range(count)]
    folder = data / checked_name("--name", name)
    files = certificates.ensure(folder, names=("localhost",), ips=(address,))
    store, token = Store(folder / "edges.db"), token_in(folder / "token")
    all_edges = [Edge(one, store, tuple(spaces), cores, gibibytes) for one in names]
    for edge in all_edges:
        edge.furnish()
    configs = {one: kubeconfig(f"https://{address}:{port}/{one}", files.ca.read_bytes(), token) for one in names}
    if kubeconfigs is not None:
        _write(kubeconfigs, configs)
    by_name = {edge.name: edge for edge in all_edges}
    server = Server(
        (address, port),
        by_name,
        token=token,
        certificate=files.certificate,
        key=files.key,
        longest_watch=longest_watch,
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, name="edges", daemon=True).start()
    if kubeconfigs is None:
        there = front(settings)
        for one, config in configs.items():
            register(there, settings.medea_targets_namespace, one, config)
    console().print(f"{len(names)} edges at https://{address}:{port}: {names[0]} to {names[-1]}", markup=False)
    Agent(all_edges, speed).run(stop)
    server.shutdown()
    store.close()


def jobs(
    rate: Annotated[float, typer.Option(min=0.001, help="Jobs a second.")] = 1.0,
    power: Annotated[str, typer.Option(help="From how many to how many watt-seconds.")] = "50-500",
    count: Annotated[int | None, typer.Option(min=1, help="How many; without it until you stop it.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed asks for the same jobs.")] = 0,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n")] = None,
    token_file: TokenFile = None,
) -> None:
    """Ask for jobs at a rate, to keep the system busy."""
    least, most = _range(power)
    settings, out = Settings(), console()
    done = keep_busy(
        Wish(rate, least, most, seed, namespace),
        lambda body: post(settings, "/jobs", body, token_file=token_file),
        lambda words: out.print(words, markup=False),
        count=count,
    )
    out.print(f"{done} jobs were asked for")


def _write(folder: Path, configs: Mapping[str, Object]) -> None:
    """Each as a file that only its owner reads: there is a token in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, config in configs.items():
        certificates.write_whole(folder / name, json.dumps(config).encode(), _OWNERS)


def _range(text: str) -> tuple[int, int]:
    """The bounds in `50-500`. Raises BadRequest."""
    first, _, last = text.partition("-")
    if not all(one.isascii() and one.isdigit() and len(one) <= 12 for one in (first, last)) or not (
        0 < int(first) <= int(last)
    ):
        raise wrong_field(BadRequest, "--power", text, "it must be two whole numbers from 1 on, such as 50-500")
    return int(first), int(last)


def token_in(file: Path) -> str:
    """The edges' token, made when there is none: it outlives the process, as what Medea knows of them does."""
    # An empty one would let everybody in, and no client of ours.
    if not file.exists() or not file.read_text().strip():
        certificates.write_whole(file, secrets.token_urlsafe(32).encode(), _OWNERS)
    return file.read_text().strip()
