"""What the commands `medea target` print."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from webhook.errors import MedeaError
from webhook.kube.kubeconfig import configuration_of, kubeconfig_of
from webhook.kube.registry import Connect
from webhook.ledger.by_cluster import Share
from webhook.model.contract import DRAIN
from webhook.model.limits.admin import TARGETS_ASKED_AT_ONCE
from webhook.model.objects import Object, annotations
from webhook.targets.credentials import life_of
from webhook.targets.findings import Finding, Grade
from webhook.targets.join import Done

_MARKS = {Grade.FINE: ("✓", "green"), Grade.NOTE: ("–", "yellow"), Grade.MISSING: ("✗", "bold red")}


def line(done: Done) -> Text:
    """What became of one object that `add` makes."""
    return Text(f"{done.how:<9} ", style="dim" if done.how == "as it was" else "green").append(done.words, "default")


def finding_lines(found: Sequence[Finding], about: str = "") -> Iterator[Text]:
    """The lines of a check, each followed by the command that mends what it says."""
    for one in found:
        mark, style = _MARKS[one.grade]
        yield Text(f"{mark} ", style).append(about + one.words, "default")
        if one.mend:
            yield Text("    ").append(one.mend, "cyan")


@dataclass(frozen=True)
class Row:
    """One target in the list."""

    name: str
    server: str
    kubernetes: str
    state: str
    expires: str


def overview(targets: Iterable[tuple[str, Object]], connect: Connect) -> list[Row]:
    """A row for each target, given their names and Secrets. All are asked at once."""
    with ThreadPoolExecutor(TARGETS_ASKED_AT_ONCE) as pool:
        return list(pool.map(lambda pair: _row(pair[0], pair[1], connect), targets))


def targets_table(rows: Iterable[Row]) -> Table:
    """The targets as a table."""
    table = Table()
    for heading in ("target", "server", "kubernetes", "state", "credentials until"):
        table.add_column(heading)
    for row in rows:
        style = None if row.state == "in use" else "yellow"
        cells = (row.name, row.server, row.kubernetes, row.state, row.expires)
        table.add_row(*(Text(cell) for cell in cells), style=style)
    return table


def shares_table(title: str, there: list[Share]) -> Table:
    """How many placements are on a target, by namespace and state."""
    table = Table(title=title, title_justify="left")
    for heading in ("namespace", "state", "origins", "with a run"):
        table.add_column(heading)
    for share in there:
        table.add_row(share.namespace, share.state, str(share.placements), str(share.runs))
    return table


def _row(name: str, secret: Object, connect: Connect) -> Row:
    state = "drained" if annotations(secret).get(DRAIN) == "true" else "in use"
    try:
        cluster, life = connect(name, configuration_of(secret)), life_of(kubeconfig_of(secret))
    except MedeaError as error:
        return Row(name, "", "", error.message, "")
    until = life.ends.strftime("%Y-%m-%d %H:%M UTC") if life else "not said"
    try:
        return Row(name, cluster.address, cluster.about().version, state, until)
    except MedeaError as error:
        return Row(name, cluster.address, "", error.message, until)
    finally:
        cluster.close()
