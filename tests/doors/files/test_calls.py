"""The calls as the Orchestrator's README has them, and who may make them."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.doors.door_world import bearing
from tests.doors.files.forms import CONTENT_TYPE, body, upload
from tests.doors.files.world import LONGEST, MOST_QUEUED, PORTAL, World
from tests.support.s3_server import S3Server
from tests.support.workflows import need
from webhook.doors.files.uploads import Slots
from webhook.doors.store import Store
from webhook.errors import Busy, LedgerUnavailable
from webhook.kube.resources import WORKFLOW_TEMPLATES, WORKFLOWS
from webhook.ledger import file_jobs
from webhook.ledger.pool import Pool
from webhook.model.limits.files import CLIENT_SILENCE, UPLOAD_SLOT_WAIT
from webhook.totals.model import Totals

RUN = ("run.sh", b"#!/bin/bash\necho 'This is a downloadable file.' > output.txt\n")


@pytest.fixture
def world(pool: Pool, store: Store) -> World:
    """A door."""
    return World(pool, store)


def nothing_is_stored(world: World, s3: S3Server) -> bool:
    """Whether neither files, nor rows, nor Workflows are there."""
    with world.pool.transaction() as connection:
        rows = connection.execute("SELECT count(*) AS count FROM file_jobs").fetchone()
    return not s3.files and rows == {"count": 0} and not world.workflows()


def test_an_upload_is_answered_as_the_orchestrator_answers(world: World, s3: S3Server) -> None:
    answer = world.send(upload(RUN, ("2oob.pdb", b"ATOM"), user="1"))
    job = world.row((answer.json or {})["id"])
    assert answer.status_code == 200
    assert answer.json == {
        "id": job.id,
        "user_id": 1,
        "service": "example",
        "status": "Queued",
        "loc": f"s3://jobs/{job.folder}",
        "dest_id": "",
    }
    assert s3.keys == [f"{job.folder}/input.zip"]


def test_the_workflow_is_the_services_with_the_files_as_an_artifact(world: World) -> None:
    job = world.row(world.upload(RUN, user="ann"))
    world.work()
    [made] = world.workflows()
    assert made["metadata"]["name"] == world.row(job.id).workflow
    assert made["metadata"]["labels"] == {"medea.dev/service": "example", "medea.dev/file-job": str(job.id)}
    assert made["metadata"]["annotations"] == {"medea.dev/file-user": "ann", "medea.dev/identity": PORTAL}
    assert made["spec"] == {
        "workflowTemplateRef": {"name": "run-script"},
        "arguments": {
            "artifacts": [{"name": "input", "s3": {"key": f"{job.folder}/input.zip"}, "archive": {"zip": {}}}],
            "parameters": [{"name": "results", "value": f"{job.folder}/results.tgz"}],
        },
    }


def test_a_job_is_awaited_and_downloaded(world: World) -> None:
    job = world.upload(RUN)
    assert world.ask(job).status_code == 202
    assert world.ask(job, "GET").json == {
        **{"id": job, "user_id": 1, "service": "example", "status": "Queued"},
        **{"loc": f"s3://jobs/{world.row(job).folder}", "dest_id": ""},
    }
    world.work()
    assert world.ask(job).status_code == 202
    assert (world.ask(job, "GET").json or {})["dest_id"] == world.row(job).workflow
    world.end(job, results={"output.txt": b"This", "sub/more.bin": bytes(200_000), "run.sh": b"echo"})
    world.work()
    asked, answer = world.ask(job), world.ask(job, "GET")
    assert (asked.status_code, asked.data, asked.mimetype) == (200, b"", "application/zip")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="results.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.data)) as results:
        assert results.testzip() is None
        assert results.namelist() == ["output.txt", "sub/more.bin", "run.sh"]
        assert results.read("output.txt") == b"This"


@pytest.mark.parametrize("phase", ["Failed", "Error"])
def test_a_job_that_failed_has_nothing_and_says_why(world: World, phase: str) -> None:
    job = world.upload(RUN)
    world.work()
    world.end(job, phase)
    world.work()
    answer = world.ask(job)
    assert (answer.status_code, answer.headers["Medea-Reason"]) == (204, f"{phase}: so")
    assert world.ask(job, "GET").status_code == 204


def test_a_job_without_results_has_failed(world: World) -> None:
    job = world.upload(RUN)
    world.work()
    world.end(job)
    world.work()
    assert world.ask(job).status_code == 204
    assert "left no" in world.row(job).reason


@pytest.mark.parametrize("number", ["0", "999999", "a", "-1", "1.5", "9" * 30, "²"])
def test_a_job_that_never_was_is_unknown(world: World, number: str) -> None:
    assert world.ask(number).status_code == 404
    assert world.ask(number, "GET").status_code == 404


@pytest.mark.parametrize(
    ("sent", "status", "field"),
    [
        (upload(("../run.sh", b"echo")), 400, "file"),
        (upload(RUN, RUN), 400, "file"),
        (upload(), 400, "file"),
        (upload(*((f"a{number}", b"") for number in range(10_000))), 413, "file"),
        (upload(RUN, user=""), 400, "user_id"),
        (upload(RUN, user=" "), 400, "user_id"),
        (upload(RUN, service=""), 400, "service"),
        (upload(RUN, service="unknown"), 400, "service"),
        (upload(RUN, service="../x"), 400, "service"),
        (body([("file", *RUN)]), 400, "user_id"),
        (body([("file", *RUN), ("user_id", None, b"1")]), 400, "service"),
        (body([("file", *RUN), ("user_id", None, b"1"), ("user_id", None, b"2")]), 400, "user_id"),
    ],
)
def test_hostile_input_is_refused_by_the_fields_name_and_nothing_is_stored(
    world: World, s3: S3Server, sent: bytes, status: int, field: str
) -> None:
    answer = world.send(sent)
    assert (answer.status_code, (answer.json or {})["error"]["field"]) == (status, field)
    world.work()
    assert nothing_is_stored(world, s3)


def test_a_zip_in_a_zip_is_refused_and_nothing_is_stored(world: World, s3: S3Server) -> None:
    inner, outer = io.BytesIO(), io.BytesIO()
    for out, name, data in ((inner, "a", b"a"), (outer, "inner.zip", b"")):
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(name, data or inner.getvalue() or b"a")
    answer = world.send(upload(RUN, ("data.zip", outer.getvalue())))
    assert (answer.status_code, (answer.json or {})["error"]["field"]) == (400, "file")
    assert nothing_is_stored(world, s3)


def test_a_body_that_breaks_off_is_refused_and_nothing_is_stored(world: World, s3: S3Server) -> None:
    assert world.send(upload(RUN)[:-20]).status_code == 400
    assert nothing_is_stored(world, s3)


def test_a_file_that_is_too_large_is_refused_and_nothing_is_stored(world: World, s3: S3Server) -> None:
    assert world.send(upload(("big", bytes(51 * 1024 * 1024)))).status_code == 413
    assert nothing_is_stored(world, s3)


def test_an_upload_that_takes_too_long_is_refused(world: World, s3: S3Server) -> None:
    world.uploads.__dict__["longest"] = -1.0
    answer = world.send(upload(RUN))
    assert (answer.status_code, (answer.json or {})["error"]["field"]) == (400, "file")
    assert nothing_is_stored(world, s3)


def test_two_templates_of_one_service_are_told_of(world: World, s3: S3Server) -> None:
    world.service("example", "another")
    world.watch()
    assert world.send(upload(RUN)).status_code == 409
    assert nothing_is_stored(world, s3)


def test_a_service_that_is_taken_away_is_unknown(world: World) -> None:
    world.fake.remove(WORKFLOW_TEMPLATES, "ns", "run-script")
    world.watch()
    assert world.send(upload(RUN)).status_code == 400


@pytest.mark.parametrize("token", [None, "made-up"])
def test_whoever_is_not_known_is_let_into_nothing(world: World, s3: S3Server, token: str | None) -> None:
    job = world.upload(RUN)
    answers = (world.send(upload(RUN), token), world.ask(job, "HEAD", token), world.ask(job, "GET", token))
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert len(s3.keys) == 1


def test_fields_that_mean_nothing_here_may_be_there_as_often_as_they_like(world: World) -> None:
    more = [("note", None, b"a"), ("note", None, b"b")]
    known = [("file", *RUN), ("user_id", None, b"1"), ("service", None, b"example")]
    assert world.send(body([*more, *known])).status_code == 200


def test_an_upload_whose_zips_take_too_long_to_look_at_is_refused(
    world: World, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a", b"a")
    read_range = world.store.read_range

    def slow(key: str, start: int, size: int) -> bytes:
        world.clock.advance(LONGEST + 1)
        return read_range(key, start, size)

    monkeypatch.setattr(world.store, "read_range", slow)
    answer = world.send(upload(*((f"{name}.zip", archive.getvalue()) for name in "ab")))
    assert (answer.status_code, "MEDEA_FILES_UPLOAD_SECONDS" in answer.text) == (400, True)
    assert nothing_is_stored(world, s3)


class Gone(io.BytesIO):
    """A body whose client is gone."""

    def read(self, _: int | None = -1) -> bytes:
        raise TimeoutError("the request took too long")


@pytest.mark.parametrize("token", ["portals", "made-up"])
def test_a_client_that_is_gone_is_no_bug_and_no_fault_of_the_store(world: World, s3: S3Server, token: str) -> None:
    answer = world.client.post(
        "/upload",
        input_stream=Gone(),
        content_type=CONTENT_TYPE,
        headers={"Authorization": f"Bearer {token}", "Content-Length": "100"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code in (400, 401)
    assert nothing_is_stored(world, s3)


class Connection:
    """What the server knows of the client's connection."""

    def __init__(self) -> None:
        self.given: dict[str, float] = {}

    def give_time(self, **seconds: float) -> None:
        self.given = seconds


@pytest.mark.parametrize(("token", "is_known"), [("portals", True), ("bobs", False), ("made-up", False), (None, False)])
def test_only_whoever_may_upload_is_given_the_time_of_an_upload(
    world: World, token: str | None, is_known: bool
) -> None:
    connection, headers = Connection(), bearing(token)
    world.client.post(
        "/upload",
        data=upload(RUN),
        content_type=CONTENT_TYPE,
        headers=headers,
        environ_overrides={"gunicorn.socket": connection},
    )
    assert connection.given == ({"silence": CLIENT_SILENCE, "whole": LONGEST + UPLOAD_SLOT_WAIT} if is_known else {})


def test_who_may_submit_no_workflow_may_upload_nothing(world: World, s3: S3Server) -> None:
    assert world.send(upload(RUN), "bobs").status_code == 403
    assert nothing_is_stored(world, s3)


def test_a_user_id_is_believed_only_from_who_may_speak_for_others(world: World, s3: S3Server) -> None:
    answer = world.send(upload(RUN, user="1"), "anns")
    error = (answer.json or {})["error"]
    assert (answer.status_code, error["field"]) == (403, "user_id")
    assert "speak-for on users of medea.dev" in error["message"]
    assert nothing_is_stored(world, s3)
    assert world.send(upload(RUN, user="ann"), "anns").status_code == 200


def test_a_job_is_unknown_to_those_whose_it_is_not(world: World) -> None:
    job = world.upload(RUN, user="1")
    assert world.ask(job, token="anns").status_code == 404
    own = (world.send(upload(RUN, user="ann"), "anns").json or {})["id"]
    assert world.ask(own, token="anns").status_code == 202
    assert world.ask(own, token="portals").status_code == 202


def test_an_open_door_takes_the_calls_without_a_token(pool: Pool, store: Store) -> None:
    world = World(pool, store, is_open=True)
    answer = world.send(upload(RUN), token=None)
    assert answer.status_code == 200
    assert world.ask((answer.json or {})["id"], token=None).status_code == 202
    assert world.send(upload(RUN), token=None, Origin="https://some.page").status_code == 403


def test_a_slot_that_never_comes_free_is_told_of(world: World) -> None:
    with world.uploads.slots.one("somebody"), world.uploads.slots.one("else"):
        assert world.send(upload(RUN)).status_code == 429


def test_one_account_leaves_half_of_the_slots_to_others(world: World) -> None:
    with world.uploads.slots.one(PORTAL):
        assert world.send(upload(RUN)).status_code == 429
        assert world.send(upload(RUN, user="ann"), "anns").status_code == 200
    assert world.send(upload(RUN)).status_code == 200


def test_where_nobody_is_known_all_slots_are_anybodys() -> None:
    slots = Slots(2, wait=0.01)
    with slots.one(""), slots.one(""), pytest.raises(Busy), slots.one(""):
        pass


def test_a_user_may_not_have_more_jobs_wait_than_the_setting_says(world: World, s3: S3Server) -> None:
    jobs = [world.upload(RUN) for _ in range(MOST_QUEUED)]
    answer = world.send(upload(RUN))
    error = (answer.json or {})["error"]
    assert (answer.status_code, error["field"]) == (429, "user_id")
    assert "MEDEA_FILES_QUEUED_PER_USER" in error["message"]
    assert len(s3.keys) == len(jobs)
    world.upload(RUN, user="2")
    # Two are submitted: that makes room.
    world.work()
    world.upload(RUN)


@pytest.mark.parametrize("is_known", [True, False], ids=["and the row is seen again", "and the ledger stays away"])
def test_an_upload_whose_last_answer_is_lost_is_queued_if_that_is_known(
    world: World, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    queue, away = file_jobs.queue, LedgerUnavailable("the ledger (Postgres) did not answer")

    def lost(pool: Pool, job: int, **options: Any) -> bool:
        queue(pool, job, **options)
        if not is_known:
            monkeypatch.setattr(file_jobs, "get", gone)
        raise away

    def gone(*_: Any) -> None:
        raise away

    monkeypatch.setattr(file_jobs, "queue", lost)
    assert world.send(upload(RUN)).status_code == (200 if is_known else 503)
    monkeypatch.undo()
    world.sweep.run()
    world.work()
    assert len(world.running()) == 1


def test_the_calls_are_on_the_openapi_page(world: World) -> None:
    paths = (world.client.get("/apidoc/openapi.json").json or {})["paths"]
    assert {path: sorted(calls) for path, calls in paths.items()} == {
        "/upload": ["post"],
        "/download/{number}": ["get", "head"],
        "/health": ["get"],
        "/": ["get"],
    }
    form = paths["/upload"]["post"]["requestBody"]["content"]
    assert "multipart/form-data" in form
    for page in ("/apidoc/swagger", "/swagger-ui/", "/swagger-ui", "/swagger"):
        assert world.client.get(page, follow_redirects=True).status_code == 200


def test_it_says_how_it_is_as_the_orchestrator_does(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert world.client.get("/health").json == {"status": "ok", "database": "ok"}
    assert world.client.get("/").json == {"message": "pong"}

    def away(*_: Any) -> None:
        raise LedgerUnavailable("the ledger (Postgres) did not answer")

    monkeypatch.setattr(file_jobs, "get", away)
    assert world.client.get("/health").status_code == 503


def test_the_store_that_is_away_refuses_uploads_and_loses_nothing(world: World, s3: S3Server) -> None:
    job = world.upload(RUN)
    s3.kill()
    answer = world.send(upload(RUN))
    assert (answer.status_code, (answer.json or {})["error"]["code"]) == (503, "store_unavailable")
    assert world.ask(job).status_code == 202
    s3.start()
    world.sweep.run()
    world.work()
    assert len(world.workflows()) == 1
    assert file_jobs.cleaned(world.pool, after=0, limit=9) == []


def test_a_workflow_of_that_name_that_is_not_the_jobs_is_left_alone(world: World) -> None:
    job = world.upload(RUN)
    name = f"files-{job}-{world.row(job).folder[-8:]}"
    world.fake.put(WORKFLOWS, {"metadata": {"namespace": "ns", "name": name}})
    world.work()
    assert world.ask(job).headers["Medea-Reason"] == f"the name {name} is taken by another Workflow"


def test_the_example_of_a_service_needs_what_its_container_may_use() -> None:
    template = yaml.safe_load((Path(__file__).parents[3] / "examples/files-service.yaml").read_text())
    assert template["metadata"]["labels"] == {"medea.dev/service": "example"}
    needed = need(template["spec"])
    assert (needed.totals, needed.notes) == (Totals(100, 64 << 20), ())
