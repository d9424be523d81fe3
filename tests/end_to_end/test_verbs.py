"""Every verb of Argo's, given at the front door in every way people have, is done to the run.

Verbs, ways and holds meet in pairs: each verb is given in each way and with each hold, and each way is tried with each
hold. All three at once would take twice as many Workflows.
"""

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
HOLDS = ("plugin", "none")


def ways_of(verb: str, hold: str) -> list[str]:
    """In which ways the verb is given with this hold: every other one, and the others with the other hold."""
    _, wordless = SCENARIOS[verb]
    first = list(SCENARIOS).index(verb) + HOLDS.index(hold)
    return [way for number, way in enumerate(WAYS) if way not in wordless and (first + number) % len(HOLDS) == 0]


def outcomes(hold: str, workspace: Workspace) -> dict[tuple[str, str], str]:
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

    cells = [(verb, way) for verb in SCENARIOS for way in ways_of(verb, hold)]
    with ThreadPoolExecutor(_AT_ONCE) as people:
        return dict(zip(cells, people.map(outcome, cells), strict=True))


def table(hold: str, found: dict[tuple[str, str], str]) -> Table:
    """Verbs down, ways across."""
    shown = Table(title=f"hold {hold}", title_justify="left")
    for heading in ("verb", *WAYS):
        shown.add_column(heading)
    for verb, (_, wordless) in SCENARIOS.items():
        marks = {None: "[dim]with the other hold", "": "[green]works"}
        each = ((way, marks.get(found.get((verb, way)), "[red]fails")) for way in WAYS)
        shown.add_row(verb, *("[dim]no words for it" if way in wordless else mark for way, mark in each))
    return shown


def check(hold: str, workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """Run them all, show the table, and fail with all that was wrong."""
    found = outcomes(hold, workspace)
    with capsys.disabled():
        Console(width=100).print("", table(hold, found))
    wrong = [f"{verb} by {way}: {words}" for (verb, way), words in found.items() if words]
    assert not wrong, "\n".join(wrong)


@pytest.mark.timeout(900, func_only=True)
def test_all_verbs_work_with_the_plugin_hold(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    check("plugin", workspace, capsys)


def test_each_verb_is_given_in_each_way_that_has_words_for_it_with_one_hold_and_both_meet_both_holds() -> None:
    for verb, (_, wordless) in SCENARIOS.items():
        with_a_hold = [ways_of(verb, hold) for hold in HOLDS]
        assert all(with_a_hold)
        assert sorted(way for ways in with_a_hold for way in ways) == sorted(set(WAYS) - wordless)
    for hold in HOLDS:
        assert {way for verb in SCENARIOS for way in ways_of(verb, hold)} == set(WAYS)
