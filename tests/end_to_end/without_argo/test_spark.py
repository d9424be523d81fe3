"""Real Spark: drivers and the executors that they make, in a namespace that has just the room for one of them."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end import medea
from tests.end_to_end.ledger import ledger_row
from tests.end_to_end.objects import TARGETS, annotations, origin
from tests.end_to_end.podwatch import watching
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import EXAMPLES, Workspace, WorkspaceMaker
from tests.lab import sparkimage

pytestmark = pytest.mark.long

FIVE = (
    "executor_num=2",
    "executor_cores_limit=1",
    "executor_memory_limit=0.875g",
    "driver_cores_limit=1",
    "driver_memory_limit=1g",
)
JUST_FITS, TOO_SMALL = ("3", "2816Mi"), ("2", "2Gi")
NEED = {"cpu_milli": 3000, "memory_bytes": 2816 << 20}
NOTHING = {"cpu_milli": 0, "memory_bytes": 0}


@pytest.fixture(scope="module")
def spark(make_workspace: WorkspaceMaker) -> Workspace:
    """A namespace as a platform team prepares it for Spark; only west has room for a driver and two executors."""
    sparkimage.provide(print)
    workspace = make_workspace(west=JUST_FITS, east=TOO_SMALL)
    for target in TARGETS:
        workspace.kubectl("apply", "-f", str(EXAMPLES / "spark-account.yaml"), cluster=target).ok()
    return workspace


def _as_template(workspace: Workspace) -> str:
    """Apply the example as a WorkflowTemplate, in the way that its header shows; returns its name."""
    text = (EXAMPLES / "spark-pi.yaml").read_text()
    text = text.replace("\nkind: Workflow\n", "\nkind: WorkflowTemplate\n").replace(
        "generateName: spark-pi-", "name: spark-pi"
    )
    workspace.kubectl("apply", "-f", "-", stdin=text).ok()
    return "spark-pi"


def _is_full(workspace: Workspace) -> bool:
    """Whether the pods that are there take all of the quota, to the byte."""
    status = json.loads(workspace.kubectl("get", "quota", "compute", "-o", "json", cluster="west").ok().out)["status"]
    return bool(status["used"] == status["hard"])


def _seen(workspace: Workspace, *whats: str) -> list[Any]:
    west = medea.targets(workspace.name)["west"]
    return [west[what] for what in whats]


def _full_log(workspace: Workspace, name: str) -> str:
    """The log of one that has ended; empty until the last of it can be read."""
    log = workspace.argo("logs", name).ok().out
    return log if "Pi is roughly 3.1" in log else ""


# Half a dozen JVMs start one after the other, on whatever machine this is.
@pytest.mark.timeout(900, func_only=True)
def test_drivers_get_every_executor_that_they_ask_for_where_the_quota_just_fits_one_after_the_other(
    spark: Workspace, tmp_path: Path
) -> None:
    words = [word for parameter in FIVE for word in ("-p", parameter)]
    with watching("west", spark.name, tmp_path / "pods") as watched:
        first = spark.argo("submit", "-o", "name", str(EXAMPLES / "spark-pi.yaml")).ok().out.strip()
        template = f"workflowtemplate/{_as_template(spark)}"
        second = spark.argo("submit", "-o", "name", "--from", template, *words).ok().out.strip()
        assert annotations(origin(spark.name, second))["state"] == "queued"
        eventually(partial(_is_full, spark), "driver and executors take all that was reserved", within=180)
        eventually(
            lambda: _seen(spark, "reserved", "foreign", "free") == [NEED, NOTHING, NOTHING],
            "all of it counts as the Workflow's own, and once",
        )
        for name in (first, second):
            spark.wait(name, timeout=240).ok()
            log = eventually(partial(_full_log, spark, name), "its log says what it has found out")
            assert "exceeded quota" not in log
            assert {key: ledger_row(spark.name, name)[key] for key in NEED} == NEED
    # Spark takes the next number for an executor in place of one that was refused.
    numbers = [name.partition("-exec-")[2] for name in watched.seen]
    assert sorted(filter(None, numbers)) == ["1", "1", "2", "2"]
