"""Jobs counted in power, and the three trees: who may call what, what is refused, and what is told."""

from typing import Any

import pytest

from tests.doors.split.world import SPACE, JobsWorld
from tests.faults.ledger import LedgerServer
from tests.support.fake_apiserver import answer
from webhook.kube.resources import WORKFLOWS
from webhook.ledger import power_jobs


def test_a_job_runs_as_chunks_and_shows_where_and_how_far(ledger: LedgerServer) -> None:
    with JobsWorld(ledger).alive() as world:
        job = world.job({"power": 85, "split": "3"})
        assert (
            job["powerNeeded"] == 85
            and job["state"]["phase"] == "Pending"
            and job["workflow"].startswith("power-job-1-")
        )
        world.wait(10)
        state = world.state(job["id"])
        assert state["phase"] == "Running" and state["startTime"] > 0 and state["endTime"] == 0
        assert sum(one["powerRequested"] for one in state["execution"].values()) == 85
        for _ in range(10):
            world.wait(10)
        state = world.state(job["id"])
        assert state["phase"] == "Succeeded" and state["percentCompleted"] == 100 and state["endTime"] > 0
        assert set(state["execution"]) <= {"west", "east"}
        assert all(one["progress"] == 100 and one["endTime"] for one in state["execution"].values())


def test_a_job_is_submitted_as_who_calls(ledger: LedgerServer) -> None:
    with JobsWorld(ledger).alive() as world:
        job = world.job({"power": 10})
        made = [one for one in world.front.history if one.object["metadata"]["name"] == job["workflow"]]
        assert made[0].user == "alice"


def test_a_job_with_a_name_is_made_once(ledger: LedgerServer) -> None:
    with JobsWorld(ledger).alive() as world:
        first, second = world.job({"power": 10, "name": "job-7"}), world.job({"power": 10, "name": "job-7"})
        assert first["id"] == second["id"] and second["name"] == "job-7"
        assert len(world.front.all(WORKFLOWS, SPACE)) - len(world.parts(SPACE)) <= 2
        other = world.post({"power": 20, "name": "job-7"})
        assert other.status_code == 409 and "another power" in other.text


def test_a_job_whose_answer_was_lost_is_found_again(ledger: LedgerServer) -> None:
    with JobsWorld(ledger).alive() as world:
        first = world.job({"power": 10, "name": "job-7"})
        with world.service.pool.transaction() as connection:
            connection.execute("UPDATE power_jobs SET uid = NULL")
        again = world.job({"power": 10, "name": "job-7"})
        found = power_jobs.get(world.service.pool, first["id"])
        assert again["id"] == first["id"] and found is not None and found.uid


def test_a_job_whose_answer_was_lost_is_found_even_if_it_would_be_refused_now(ledger: LedgerServer) -> None:
    with JobsWorld(ledger).alive() as world:
        first = world.job({"power": 10, "name": "job-7"})
        with world.service.pool.transaction() as connection:
            connection.execute("UPDATE power_jobs SET uid = NULL")
        no = answer(422, "another webhook says no")
        world.front.faults = lambda call: no if (call.verb, call.resource) == ("create", "workflows") else None
        assert world.job({"power": 10, "name": "job-7"})["id"] == first["id"]
        assert world.ask(f"/jobs/{first['id']}").status_code == 200


def test_what_is_left_of_a_ledger_that_was_lost_is_no_new_job(ledger: LedgerServer) -> None:
    with JobsWorld(ledger).alive() as world:
        first = world.job({"power": 10})
        with world.service.pool.transaction() as connection:
            connection.execute("TRUNCATE power_jobs RESTART IDENTITY")
        again = world.job({"power": 500})
        assert again["id"] == first["id"] and again["workflow"] != first["workflow"]
        assert world.front.get(WORKFLOWS, SPACE, again["workflow"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "power"),
        ({"power": 0}, "power"),
        ({"power": -1}, "power"),
        ({"power": "10"}, "power"),
        ({"power": 1.5}, "power"),
        ({"power": True}, "power"),
        ({"power": None}, "power"),
        ({"power": 10**13}, "power"),
        ({"power": 1, "powerNeeded": 1}, "power"),
        ({"power": 1, "split": "many"}, "split"),
        ({"power": 1, "split": -1}, "split"),
        ({"power": 1, "split": []}, "split"),
        ({"power": 1, "name": "../x"}, "name"),
        ({"power": 1, "name": "a" * 64}, "name"),
        ({"power": 1, "template": "A B"}, "template"),
        ({"power": 1, "namespace": 5}, "namespace"),
        ({"power": 1, "nmae": "x"}, "nmae"),
        (b'{"power": NaN}', "NaN"),
        (b'{"power": 1, "power": 2}', "power"),
        (b"[" * 10_000, "body"),
        (b"[1]", "body"),
        (b"", "JSON"),
        (b"\xff", "JSON"),
    ],
)
def test_what_is_wrong_is_refused_by_its_name_and_nothing_is_kept(ledger: LedgerServer, body: Any, field: str) -> None:
    with JobsWorld(ledger).alive() as world:
        answer = world.post(body)
        assert answer.status_code == 400, answer.text
        assert field in answer.text
        row = ledger.connection.execute("SELECT count(*) AS count FROM power_jobs").fetchone()
        assert row and row["count"] == 0


def test_a_template_that_does_not_exist_is_told_and_nothing_is_kept(ledger: LedgerServer) -> None:
    with JobsWorld(ledger).alive() as world:
        answer = world.post({"power": 1, "template": "missing"})
        assert 400 <= answer.status_code < 500 and "missing" in answer.text
        row = ledger.connection.execute("SELECT count(*) AS count FROM power_jobs").fetchone()
        assert row and row["count"] == 0


def test_who_is_not_known_or_may_not_is_told_so_before_anything_is_read(ledger: LedgerServer) -> None:
    with JobsWorld(ledger).alive() as world:
        job = world.job({"power": 10})["id"]
        assert world.post(b"x" * 100, token=None).status_code == 401
        assert world.post({"power": 1}, token="bobs").status_code == 403
        for tree in ("inventory", "config", "desired"):
            assert world.ask(f"/{tree}", token=None).status_code == 401
            assert world.ask(f"/{tree}", token="bobs").status_code == 403
        # Whether it is there is nothing for bob to know.
        assert world.ask(f"/jobs/{job}", token="bobs").status_code == 404
        assert world.ask("/jobs/99").status_code == 404
        assert world.ask("/jobs/x").status_code == 404
        assert world.ask(f"/jobs/{'9' * 5000}").status_code == 404


def test_the_three_trees_are_never_mixed(ledger: LedgerServer) -> None:
    with JobsWorld(ledger).alive() as world:
        job = world.job({"power": 20, "split": "2", "name": "mine"})
        world.submit("2", items=2, name="other", seconds=30)
        world.wait(6)
        inventory, config, desired = (world.ask(f"/{one}").json or {} for one in ("inventory", "config", "desired"))
        assert [one["name"] for one in inventory["targets"]] == ["east", "west"]
        assert all(one["usable"] and one["cpu"]["quota"] == 8 for one in inventory["targets"])
        assert [(one["workflow"], one["name"], one["powerNeeded"]) for one in config["jobs"]] == [
            ("other", None, None),
            (job["workflow"], "mine", 20),
        ]
        assert config["chunks"] == "stay" and config["jobs"][1]["split"] == "2"
        runs = [run for target in desired["targets"] for run in target["runs"]]
        assert {run["chunkOf"] for run in runs} == {"other", job["workflow"]}
        assert "mine" not in str(inventory) and "west" not in str(config) and "powerNeeded" not in str(desired)


def test_trees_are_of_one_namespace_that_opted_in(ledger: LedgerServer) -> None:
    with JobsWorld(ledger).alive() as world:
        assert (world.ask("/desired?namespace=plug").json or {})["targets"] == []
        assert world.ask("/desired?namespace=other").status_code == 403
        assert world.ask("/desired?namespace=../x").status_code == 400


def test_all_calls_are_in_the_openapi_document(ledger: LedgerServer) -> None:
    with JobsWorld(ledger).alive() as world:
        paths = world.document()["paths"]
    assert {"/jobs", "/jobs/{number}", "/inventory", "/config", "/desired"} <= set(paths)
    assert "200" in paths["/jobs"]["post"]["responses"] and "requestBody" in paths["/jobs"]["post"]
