"""Every verb of Argo's, given at the front door in every way people have, is done to the run."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from rich.console import Console
from rich.table import Table

from tests.end_to_end.objects import Object
from tests.end_to_end.verb_scenarios import SCENARIOS
from tests.end_to_end.ways import WAYS
from tests.end_to_end.workspace import Workspace

pytestmark = pytest.mark.long

# Each cell is a Workflow or two; more at once only wait for the same two cores.
_AT_ONCE = 6


def outcomes(workspace: Workspace) -> dict[tuple[str, str], str]:
    """How each verb went in each way: nothing, or what was wrong."""

    def submit(manifest: Object) -> str:
        created = workspace.kubectl("create", "-o", "json", "-f", "-", stdin=json.dumps(manifest)).ok()
        return str(json.loads(created.out)["metadata"]["name"])

    def outcome(cell: tuple[str, str]) -> str:
        verb, way = cell
        try:
            SCENARIOS[verb][0](workspace.name, WAYS[way], submit)
        except Exception as error:  # noqa: BLE001 the table has to be whole
            return f"{type(error).__name__}: {error}"
        return ""

    cells = [(verb, way) for verb, (_, wordless) in SCENARIOS.items() for way in WAYS if way not in wordless]
    with ThreadPoolExecutor(_AT_ONCE) as people:
        return dict(zip(cells, people.map(outcome, cells), strict=True))


def table(hold: str, found: dict[tuple[str, str], str]) -> Table:
    """Verbs down, ways across."""
    shown = Table(title=f"hold {hold}", title_justify="left")
    for heading in ("verb", *WAYS):
        shown.add_column(heading)
    for verb in SCENARIOS:
        marks = {None: "[dim]no words for it", "": "[green]works"}
        shown.add_row(verb, *(marks.get(found.get((verb, way)), "[red]fails") for way in WAYS))
    return shown


def check(hold: str, workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """Run them all, show the table, and fail with all that was wrong."""
    found = outcomes(workspace)
    with capsys.disabled():
        Console(width=100).print("", table(hold, found))
    wrong = [f"{verb} by {way}: {words}" for (verb, way), words in found.items() if words]
    assert not wrong, "\n".join(wrong)


@pytest.mark.timeout(900, func_only=True)
def test_all_verbs_work_with_the_plugin_hold(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    check("plugin", workspace, capsys)
