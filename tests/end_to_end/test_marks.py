"""An administrator of a target takes Medea's labels off a run: the run goes on, and its origin ends as it does."""

from tests.end_to_end.ledger import ledger_row
from tests.end_to_end.objects import ARGO, annotations, connection, origin, workflow
from tests.end_to_end.test_steering import asking, gate
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import Workspace

MARKS = ("medea.dev/placement", "medea.dev/origin-uid", "medea.dev/origin-name")


def test_a_run_without_its_labels_gets_them_back_and_its_origin_ends_as_it_does(shared: Workspace) -> None:
    # It ends when it is told to: not before its labels are back.
    name = shared.create(asking("marked"))
    eventually(lambda: annotations(origin(shared.name, name)).get("state") == "running", "it runs")
    row = ledger_row(shared.name, name)
    session, server = connection(row["cluster"])
    stripped = session.patch(
        f"{server}{ARGO}/namespaces/{shared.name}/workflows/{row['run_name']}",
        json={"metadata": {"labels": dict.fromkeys(MARKS), "finalizers": None}},
        headers={"Content-Type": "application/merge-patch+json"},
        timeout=60,
    )
    stripped.raise_for_status()

    def marked() -> bool:
        run = workflow(row["cluster"], shared.name, row["run_name"])
        assert run is not None
        kept = run["metadata"].get("finalizers") == ["medea.dev/run"]
        return bool(kept and run["metadata"]["labels"].keys() >= set(MARKS))

    eventually(marked, "the labels and the finalizer are back")
    eventually(lambda: gate(origin(shared.name, name)).get("phase") == "Running", "it asks")
    shared.argo("resume", name).ok()
    shared.wait(name).ok()
    assert origin(shared.name, name)["status"]["phase"] == "Succeeded"
    assert ledger_row(shared.name, name)["phase"] == "Succeeded"
