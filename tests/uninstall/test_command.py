"""`medea uninstall` as it is typed: it tells what is about to happen, asks, and says whether anything is left."""

from contextlib import nullcontext
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.admin.clusters import origin, run
from tests.support.fake_apiserver import REFUSE
from tests.uninstall.test_take_away import World
from webhook.admin import surroundings
from webhook.cli import app
from webhook.kube.resources import WORKFLOWS
from webhook.uninstall import command

_LEDGER = command._ledger


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Medea's surroundings, without a ledger."""
    world = World()
    world.front.put(WORKFLOWS, origin("p1"))
    world.west.put(WORKFLOWS, run("p1"))
    monkeypatch.setattr(surroundings, "front", lambda _settings: world.cluster)
    monkeypatch.setattr(surroundings, "registry", lambda _front, _settings: nullcontext(world))
    monkeypatch.setattr(command, "_ledger", lambda _settings, _stack, _report: None)
    return world


def medea(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, ["uninstall", *arguments], input=answer)


def test_it_tells_what_becomes_of_live_runs_and_does_nothing_until_it_is_agreed_to(world: World) -> None:
    asked = medea(answer="n\n")
    assert asked.exit_code == 1
    assert "1 have not ended: they end as Error, and their runs go on on their targets" in asked.output
    assert world.held() == ["job-p1", "job-p1"]
    agreed = medea(answer="y\n")
    assert agreed.exit_code == 0 and "nothing of Medea is left" in agreed.output
    assert world.held() == []


def test_what_is_left_is_said_with_what_to_do_and_in_the_exit_code(world: World) -> None:
    world.west.faults = lambda _call: REFUSE
    told = medea("--yes")
    assert told.exit_code == 1
    assert "NOT DONE: target west" in told.output and "by hand: kubectl --context west" in told.output
    assert "1 things are left" in told.output
    world.west.faults = lambda _call: None
    assert medea("--yes").exit_code == 0


def test_without_a_ledger_it_goes_on_and_says_so(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command, "_ledger", _LEDGER)
    monkeypatch.setenv("MEDEA_DATA", str(tmp_path / "none"))
    assert "there is no ledger (Postgres)" in medea("--yes").output
    assert world.held() == [] and not (tmp_path / "none").exists()
