"""Each alert fires when what it warns of happens, and each query of the dashboard is one that Prometheus can answer.

The alerts are those that are shipped, but for their patience: a test can't wait for an hour.
"""

import copy
import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml

from tests.end_to_end.commands import kubectl
from tests.end_to_end.lab import away, kill, start
from tests.end_to_end.manifests import SMALL, inline
from tests.end_to_end.prometheus import firing, query, rules, scraped
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace, WorkspaceMaker
from tests.monitoring.test_files import ALERTS, QUERIES

IMPATIENT = {
    "MedeaSamplesOld": ("> 120", "> 8"),
    "MedeaQueueStuck": ("- 3600", "- 3"),
    # Tests before this one make reviews fail, too.
    "MedeaReviewsFail": ("[5m]", "[1m]"),
    "MedeaTicksRefused": ("[10m]", "[1m]"),
}
ROOM = ("2", "2Gi")
FULL = inline("sleep 100000", {**SMALL, "driver_cores_limit": "2"})


@pytest.fixture(scope="module", autouse=True)
def _alerts(_turn: None) -> Iterator[None]:
    shipped = copy.deepcopy(ALERTS)
    for alert in shipped:
        alert.pop("for", None)
        long, short = IMPATIENT.get(alert["alert"], ("", ""))
        assert long in alert["expr"]
        alert["expr"] = alert["expr"].replace(long, short) if long else alert["expr"]
    with rules(yaml.safe_dump({"groups": [{"name": "medea", "rules": shipped}]})):
        yield


def check_it_fires(alert: str) -> None:
    eventually(lambda: firing(alert), f"{alert} fires")


def check_it_is_over(alert: str) -> None:
    eventually(lambda: not firing(alert), f"{alert} is over", within=120)


def test_without_the_webhook_medea_is_down() -> None:
    check_it_is_over("MedeaDown")
    with away("webhook"):
        check_it_fires("MedeaDown")
    check_it_is_over("MedeaDown")


def test_without_a_controller_nobody_leads() -> None:
    check_it_is_over("MedeaNoLeader")
    with away("controller"):
        check_it_fires("MedeaNoLeader")
    check_it_is_over("MedeaNoLeader")


def test_without_postgres_submissions_fail_and_the_ledger_is_away(workspace: Workspace) -> None:
    check_it_is_over("MedeaReviewsFail")
    with away("postgres"):
        refused = workspace.argo("submit", "-", stdin=json.dumps(inline("true", SMALL)))
        assert refused.code != 0
        check_it_fires("MedeaReviewsFail")
        check_it_fires("MedeaLedgerAway")


def test_a_target_that_does_not_answer_is_away() -> None:
    check_it_is_over("MedeaTargetAway")
    with away("west"):
        check_it_fires("MedeaTargetAway")
    check_it_is_over("MedeaTargetAway")


@pytest.mark.usefixtures("workspace")
def test_quotas_that_are_no_longer_seen_are_old() -> None:
    with away("kube-state-metrics-west"):
        check_it_fires("MedeaSamplesOld")
    check_it_is_over("MedeaSamplesOld")


def test_a_workflow_that_waits_for_long_is_told(make_workspace: WorkspaceMaker) -> None:
    full = make_workspace(ROOM, ROOM)
    for _ in range(3):
        full.argo("submit", "-", stdin=json.dumps(FULL)).ok()
    check_it_fires("MedeaQueueStuck")


def test_a_right_that_was_taken_away_is_told(tmp_path: Path) -> None:
    bindings = kubectl("west", "get", "clusterrolebinding", "-o", "json").ok().out
    ours = [one for one in json.loads(bindings)["items"] if one["metadata"]["name"].startswith("medea-target")]
    assert ours
    saved = tmp_path / "bindings.json"
    for one in ours:
        for field in ("uid", "resourceVersion", "creationTimestamp", "managedFields"):
            one["metadata"].pop(field, None)
    saved.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": ours}))
    kill("controller")
    try:
        kubectl("west", "delete", "-f", str(saved)).ok()
        start("controller")
        check_it_fires("MedeaWatchDown")
    finally:
        kubectl("west", "apply", "-f", str(saved)).ok()
    check_it_is_over("MedeaWatchDown")


def test_a_tick_of_a_cron_workflow_that_is_refused_is_told(make_workspace: WorkspaceMaker) -> None:
    small = make_workspace(ROOM, ROOM, hold="none")
    large = inline("true", {**SMALL, "driver_cores_limit": "3"})
    spec = {"schedules": ["@every 5s"], "workflowSpec": large["spec"]}
    cron = {"apiVersion": large["apiVersion"], "kind": "CronWorkflow", "metadata": {"name": "large"}, "spec": spec}
    check_it_is_over("MedeaTicksRefused")
    with away("front-controller"):
        small.apply(cron)
        check_it_fires("MedeaTicksRefused")


def test_a_certificate_that_ends_soon_and_a_bug_are_told() -> None:
    bug = 'medea_thread_bugs_total{{thread="test"}} {}\n'
    with scraped() as series:
        series.text = bug.format(0) + f"medea_certificate_expiry_timestamp_seconds {time.time() + 3600}\n"
        check_it_fires("MedeaCertificateExpires")
        assert not firing("MedeaBug")
        series.text = bug.format(1)
        check_it_fires("MedeaBug")


def test_what_is_wrong_with_jobs_with_files_is_told() -> None:
    away = 'medea_store_request_seconds_count{{operation="put",outcome="unavailable"}} {}\n'
    stays = 'medea_file_sweep_failed_total{{part="clean"}} {}\n'
    with scraped() as series:
        series.text = away.format(0) + stays.format(0) + "medea_file_jobs_held_up 2\n"
        check_it_fires("MedeaFileJobsHeldUp")
        assert not firing("MedeaStoreAway") and not firing("MedeaFilesNotRemoved")
        series.text = away.format(1) + stays.format(1)
        check_it_fires("MedeaStoreAway")
        check_it_fires("MedeaFilesNotRemoved")
    check_it_is_over("MedeaFileJobsHeldUp")


def test_what_is_wrong_with_jobs_of_classes_is_told() -> None:
    refused = 'medea_class_jobs_unpublished_total{{job_class="actor-jobs"}} {}\n'
    stays = 'medea_class_sweep_failed_total{{part="clean"}} {}\n'
    waits = 'medea_class_jobs_waiting{job_class="actor-jobs",run_by="workers"} 2\n'
    runs = 'medea_class_jobs_running{{job_class="actor-jobs",run_by="workers"}} {}\n'
    with scraped() as series:
        series.text = refused.format(0) + stays.format(0) + waits + runs.format(1) + "medea_class_jobs_held_up 2\n"
        check_it_fires("MedeaClassJobsHeldUp")
        for alert in ("MedeaClassJobsNotPublished", "MedeaClassJobsNotTaken", "MedeaClassJobsNotRemoved"):
            assert not firing(alert)
        series.text = refused.format(1) + stays.format(1) + waits + runs.format(0)
        check_it_fires("MedeaClassJobsNotPublished")
        check_it_fires("MedeaClassJobsNotTaken")
        check_it_fires("MedeaClassJobsNotRemoved")
    check_it_is_over("MedeaClassJobsHeldUp")


@pytest.mark.parametrize("text", QUERIES)
def test_prometheus_answers_a_query_of_the_dashboard(text: str) -> None:
    query(text.replace("$__rate_interval", "1m"))


def test_the_queries_that_always_have_an_answer_have_one(workspace: Workspace) -> None:
    workspace.argo("submit", "-", stdin=json.dumps(inline("true", SMALL))).ok()
    sparse = (
        "bugs",
        "queue_oldest",
        "certificate",
        "sweep_failed",
        "verbs",
        "events",
        "sweep_found",
        "> 0",
        "log_streams",
        # No door for files is there, and none for job classes.
        "medea_file",
        "medea_store",
        "medea_class",
        "medea_worker",
    )
    for text in QUERIES:
        if not any(word in text for word in sparse):
            asked = text.replace("$__rate_interval", "2m")
            eventually(partial(query, asked), f"there is an answer to {asked}")
