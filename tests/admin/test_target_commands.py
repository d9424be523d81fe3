"""The commands for targets, as they are typed."""

from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.ledger.test_fencing import running, state
from tests.targets.administrator import SPACE, Administrator
from webhook.admin import surroundings, target_commands
from webhook.cli import app
from webhook.errors import Missing, Refused
from webhook.kube.kubeconfig import Reach
from webhook.kube.resources import ROLE_BINDINGS, SECRETS
from webhook.ledger import placements
from webhook.ledger.pool import Pool
from webhook.model.contract import DRAIN, State
from webhook.targets.check import gather
from webhook.targets.findings import Facts


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch, dsn: str) -> Administrator:
    """Both clusters, with the namespaces a and b, and a ledger that is that of `pool`."""
    admin = Administrator("a", "b")
    west = admin.target()
    monkeypatch.setattr(west, "reach", lambda server=None: Reach(server or "https://west:6443"))

    def checked(*arguments: Any, **_: object) -> Facts:
        return gather(*arguments, connect=admin.target, probe=False)

    monkeypatch.setattr(surroundings, "front", lambda _settings, _context=None: admin.front_door)
    monkeypatch.setattr(surroundings, "target", lambda _settings, _name, _context: west)
    monkeypatch.setattr(surroundings, "ledger_dsn", lambda _settings: dsn)
    monkeypatch.setattr(target_commands, "gather", checked)
    monkeypatch.setattr(target_commands, "connect_target", admin.target)
    monkeypatch.setattr(target_commands, "DRAIN_HEARD", 0.0)
    monkeypatch.setattr(target_commands, "utc_now", admin.clock.now)
    monkeypatch.setenv("POSTGRESQL_URL", "as above")
    return admin


def medea(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, ["target", *arguments], input=answer)


def test_adding_tells_what_was_made_and_then_what_is_fine(admin: Administrator) -> None:
    added = medea("add", "west", "--context", "west", "--namespaces", "a, b,,a")
    assert added.exit_code == 0, added.output
    for words in (
        "made      Namespace medea-system on west",
        "made      RoleBinding medea-target in a on west",
        "made      Secret target-west in medea-targets at the front door",
        "✓ west: namespace b accepts work",
    ):
        assert words in added.output
    assert admin.kubeconfig()["users"][0]["user"]["token"] not in added.output
    again = medea("add", "west", "--namespaces", "a")
    assert again.exit_code == 0 and "made" not in again.output
    more = medea("add", "west", "--namespaces", "a", "--exec")
    assert "made      RoleBinding medea-target-exec in a on west" in more.output


def test_what_is_missing_after_adding_is_told_with_its_command_and_an_exit_code(admin: Administrator) -> None:
    admin.west.allowed = lambda _spec: False
    added = medea("add", "west", "--namespaces", "a")
    assert added.exit_code == 1
    assert "✗ west: namespace a accepts no work" in added.output
    assert "    medea target add west --context west --namespaces a" in added.output


@pytest.mark.usefixtures("admin")
def test_adding_without_a_namespace_is_refused() -> None:
    assert isinstance(medea("add", "west", "--namespaces", " , ").exception, Refused)


def test_checking_goes_through_all_targets_and_ends_with_one_if_anything_is_missing(admin: Administrator) -> None:
    assert isinstance(medea("check").exception, Missing)
    admin.add("a", "b")
    assert medea("check").exit_code == 0
    admin.front.put(SECRETS, {"metadata": {"name": "x", "namespace": SPACE, "labels": {"medea.dev/cluster": "east"}}})
    both = medea("check")
    assert both.exit_code == 1 and "✗ east: Secret x has no key" in both.output and "✓ west" in both.output
    assert medea("check", "west").exit_code == 0


def test_the_list_shows_each_target_with_its_state(admin: Administrator) -> None:
    admin.add("a")
    admin.front.put(SECRETS, {"metadata": {"name": "x", "namespace": SPACE, "labels": {"medea.dev/cluster": "east"}}})
    assert medea("drain", "west").exit_code == 0
    shown = medea("list").output
    assert "west" in shown and "drained" in shown and "v1.35.4" in shown and "has no key" in shown
    assert medea("undrain", "west").exit_code == 0
    assert "in use" in medea("list").output


def test_a_target_is_removed_with_all_that_was_added(admin: Administrator, pool: Pool) -> None:
    assert pool.wait(60)
    admin.add("a")
    removed = medea("remove", "west", "--context", "west")
    assert removed.exit_code == 0, removed.output
    assert "Secret target-west" in removed.output and "RoleBinding medea-target in a on west" in removed.output
    assert admin.front.all(SECRETS) == [] and admin.west.all(ROLE_BINDINGS) == []
    again = medea("remove", "west", "--context", "west")
    assert again.exit_code == 0 and "is not registered" in again.output


def test_a_target_with_live_placements_is_only_drained(admin: Administrator, pool: Pool) -> None:
    running(pool)
    admin.add("a")
    refused = medea("remove", "west")
    assert isinstance(refused.exception, Refused) and "--forget" in refused.exception.message
    secret = admin.front.get(SECRETS, SPACE, "target-west")
    assert secret is not None and secret["metadata"]["annotations"][DRAIN] == "true"
    assert state(pool).state is State.RUNNING


def test_with_forget_what_lives_there_is_lost_after_a_yes(admin: Administrator, pool: Pool) -> None:
    running(pool)
    admin.add("a")
    assert medea("remove", "west", "--forget", answer="n\n").exit_code == 1
    assert state(pool).state is State.RUNNING and admin.front.all(SECRETS) != []
    gone = medea("remove", "west", "--forget", "--yes")
    assert gone.exit_code == 0 and "1 ended as Lost" in gone.output
    assert state(pool).state is State.ENDED and admin.front.all(SECRETS) == []


def test_what_has_ended_there_keeps_nobody_from_removing_it(admin: Administrator, pool: Pool) -> None:
    running(pool)
    placements.ended(pool, "p1", run_uid="r1", phase="Succeeded", message=None, outcome={})
    admin.add("a")
    assert medea("remove", "west").exit_code == 0
    assert admin.front.all(SECRETS) == []


def test_where_there_is_no_ledger_nothing_is_removed(
    admin: Administrator, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    admin.add("a")
    monkeypatch.setenv("POSTGRESQL_URL", "")
    monkeypatch.setenv("MEDEA_DATA", f"{tmp_path}/none")
    refused = medea("remove", "west")
    assert isinstance(refused.exception, Refused) and "kubectl -n medea-system exec" in refused.exception.message
    assert admin.front.all(SECRETS) != []


def test_targets_of_an_older_medea_are_copied_and_its_own_removed_at_the_end(admin: Administrator) -> None:
    admin.front.namespace("medea-system")
    metadata = {"name": "target-west", "namespace": "medea-system", "labels": {"medea.dev/cluster": "west"}}
    admin.front.put(SECRETS, {"metadata": metadata, "data": {"kubeconfig": "AAAA"}})
    copied = medea("move")
    assert copied.exit_code == 0 and "made      Secret target-west in medea-targets, for target west" in copied.output
    assert admin.front.get(SECRETS, "medea-system", "target-west") and admin.front.get(SECRETS, SPACE, "target-west")
    finished = medea("move", "--finish")
    assert finished.output == "removed  Secret target-west in medea-system at the front door\n"
    assert [one["metadata"]["namespace"] for one in admin.front.all(SECRETS)] == [SPACE]
