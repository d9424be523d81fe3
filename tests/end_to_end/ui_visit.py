"""What a person clicks in Argo's UI, one thing after another, and what the pages show then."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import requests

from tests.end_to_end.objects import MIRRORED, Object
from tests.end_to_end.ui_visitor import FINAL, Visit, node_is, phase, while_it_runs
from tests.end_to_end.waiting import eventually
from tests.end_to_end.workspace import TEMPLATE

_CHANGED = {"executor_num": "1", "seconds": "1"}
"""What is typed into the template's form."""
_A_VISIT = 1800.0
_TO_WATCH_ANEW = 3.0
"""Seconds after which Argo's UI does so (its `shared/retry-observable.ts`)."""


def opens_the_ui(visit: Visit) -> Any:
    """Nothing of it is Medea's; but it is what a page begins with."""
    asked = ("open the UI: who am I", "open the UI: links and columns", "open the UI: version")
    return [visit.ask(what).ok() for what in asked] + [visit.ask("open a page: count it").status]


def opens_an_empty_list(visit: Visit) -> Any:
    """And leaves it open: it is watched from then on."""
    listed = visit.ask("open the list", size="50").ok()
    watch_the_list(visit, listed["metadata"]["resourceVersion"])
    beside = ("list: templates to filter by", "list: CronWorkflows to filter by", "submit: choose a template")
    return visit.names.words([listed["items"], *(visit.ask(what).ok()["items"] for what in beside)])


def watch_the_list(visit: Visit, version: str) -> None:
    """Beside all else, until something is deleted, which is the last thing that a person does here.

    An apiserver may end a watch at any time, as it does with one that is late. Argo's UI then watches anew, from what
    there is by then.
    """

    def watch(version: str) -> None:
        # With a visit that failed halfway the server may go first.
        with contextlib.suppress(requests.RequestException):
            for event in visit.browser.listen("list: watch it", patience=_A_VISIT, version=version):
                visit.watched.append(event)
                if event["type"] == "DELETED":
                    visit.left.set()
                    return

    def keep_watching() -> None:
        watch(version)
        while not visit.left.wait(_TO_WATCH_ANEW):
            watch("")

    threading.Thread(target=keep_watching, daemon=True).start()


def submits_a_template(visit: Visit) -> Any:
    """By its form, with two parameters changed."""
    shown = visit.ask("template: open it", template=TEMPLATE).ok()["spec"]
    values = {one["name"]: one["value"] for one in shown["arguments"]["parameters"]} | _CHANGED
    answer = visit.ask(
        "submit: the template's form",
        template=TEMPLATE,
        entrypoint=shown["entrypoint"],
        parameters=[f"{name}={value}" for name, value in values.items()],
    )
    made = visit.submitted(answer, "submitted")
    return {"made": made, "ended": visit.ended("submitted")}


def reads_its_events(visit: Visit) -> Any:
    """Those of Argo's controller: that it ended, and each node. Whether a node was seen running is chance."""
    nodes = visit.names.workflow(visit.opened("submitted"))["status"]["nodes"]
    said: set[tuple[str, ...]] = set()

    def all_said(event: Any) -> bool:
        of_the_run = not visit.stub or MIRRORED in event["metadata"].get("labels", {})
        if event["source"].get("component") == "workflow-controller" and of_the_run:
            said.add(tuple(visit.names.words([event["type"], event["reason"], event["message"]])))
        reasons = [reason for _, reason, _ in said]
        return "WorkflowSucceeded" in reasons and reasons.count("WorkflowNodeSucceeded") == len(nodes)

    visit.browser.until("Workflow: its Events", all_said, name=visit.called["submitted"])
    return sorted(list(one) for one in said if one[1] != "WorkflowNodeRunning")


def reads_logs(visit: Visit) -> Any:
    """Of each pod, of all, and with a word to look for. What Argo's agent says of a stub is left out."""
    name = visit.called["submitted"]
    pods = visit.names.pods_of(visit.opened("submitted"))

    def read(what: str, **place: Any) -> list[str]:
        brought = eventually(lambda: list(visit.browser.listen(what, name=name, **place)), f"{what}: lines come")
        return sorted(
            line for line in visit.names.lines(brought) if not line.startswith("another pod") or not visit.stub
        )

    main = "node: log of a container"
    return {
        **{node: read(main, pod=pod, container="main", grep="") for node, pod in pods.items()},
        "grep": read(main, pod=pods["driver"], container="main", grep="cores"),
        "all": read("Workflow: logs of all pods"),
    }


def opens_a_node_of_another_template(visit: Visit) -> Any:
    """Its template is in a WorkflowTemplate, and its pod has that one's name in its own."""
    visit.create("refers", "refers")
    ended = visit.ended("refers")
    [pod] = visit.names.pods_of(visit.opened("refers")).values()
    place: dict[str, Any] = {"name": visit.called["refers"], "pod": pod, "container": "main", "grep": "guest"}
    read = eventually(lambda: list(visit.browser.listen("node: log of a container", **place)), "its log comes")
    return {"ended": ended, "log": visit.names.lines(read), "template in the name": "-process-" in pod}


def retries_what_failed(visit: Visit) -> Any:
    """With a parameter changed, in the panel; then one node once more."""
    made = visit.create("fails", "fails")
    failed = visit.ended("fails")
    changed = {"parameters": ["code=0"]}
    answers = [visit.went(visit.ask("panel: retry", "fails", **changed))]
    visit.until("fails", lambda shown: phase(shown) == "Succeeded")
    before = visit.opened("fails")
    [node] = [key for key, one in before["status"]["nodes"].items() if one["displayName"] == "second"]
    answers.append(visit.went(visit.ask("panel: retry a node", "fails", node=node)))
    again = visit.ended("fails", since=before["status"]["finishedAt"])
    return {"made": made, "failed": failed, "answers": answers, "again": again, "retried": visit.names.workflow(before)}


def resubmits(visit: Visit) -> Any:
    """As it was, from a ticked row; with what had succeeded, from the panel; and retries without a panel."""
    visit.create("fails", "first")
    visit.ended("first")
    made = [visit.submitted(visit.ask("ticked rows: resubmit", "first"), "second")]
    memoized = {"parameters": ["code=0"], "memoized": True}
    made.append(visit.submitted(visit.ask("panel: resubmit", "first", **memoized), "memoized"))
    ends = [visit.ended("memoized"), visit.ended("second")]
    since = visit.opened("second")["status"]["finishedAt"]
    answer = visit.went(visit.ask("ticked rows: retry", "second"))
    return {"made": made, "ends": ends, "answer": answer, "again": visit.ended("second", since=since)}


def answers_a_node_that_waits(visit: Visit) -> Any:
    """It chooses `yes` and resumes it."""
    visit.create("asks", "asks")
    shown = visit.until("asks", lambda shown: node_is(shown, "ask", "Running"))
    waiting = visit.names.workflow(shown)
    [node] = [key for key, one in shown["status"]["nodes"].items() if one["displayName"] == "ask"]
    answers = [
        visit.went(visit.ask("node: set its answer", "asks", node=node, answers='{"answer":"yes"}')),
        visit.went(visit.ask("node: resume it", "asks", node=node)),
    ]
    return {
        "waiting": {"status": {"nodes": waiting["status"]["nodes"]}},
        "answers": answers,
        "ended": visit.ended("asks"),
    }


def asleep(visit: Visit, ours: str) -> Object:
    """A Workflow that sleeps: its node is shown as running, and its log is followed to what its program says first."""
    visit.create("sleeps", ours)
    shown = visit.until(ours, lambda shown: node_is(shown, "sleep", "Running"))
    [pod] = visit.names.pods_of(shown).values()
    place: dict[str, Any] = {"name": visit.called[ours], "pod": pod, "container": "main", "grep": ""}
    visit.browser.until("node: log of a container", lambda line: line["content"] == "asleep", **place)
    return shown


def suspends_resumes_and_stops(visit: Visit) -> Any:
    """From the menu, while a pod runs."""
    running = visit.names.workflow(asleep(visit, "stopped"))
    answers = [visit.went(visit.ask("menu: suspend", "stopped"))]
    suspended = visit.until("stopped", lambda shown: shown["spec"].get("suspend") is True)
    answers.append(visit.went(visit.ask("menu: resume", "stopped")))
    resumed = visit.until("stopped", lambda shown: not shown["spec"].get("suspend"))
    answers.append(visit.went(visit.ask("menu: stop", "stopped")))
    phases = [phase(suspended), phase(resumed)]
    shown = {"status": {"nodes": {name: while_it_runs(node) for name, node in running["status"]["nodes"].items()}}}
    return {
        "running": shown,
        "answers": answers,
        "phases": phases,
        "ended": but_for_its_pods_end(visit.ended("stopped")),
    }


def terminates(visit: Visit) -> Any:
    """From the menu, while a pod runs."""
    [pod] = visit.names.pods_of(asleep(visit, "terminated")).values()
    # What the scheduler and the kubelet say is not shown at the front door: that the page can listen is all.
    status = visit.browser.reaches("node: Events of its pod", pod=pod)
    answer = visit.went(visit.ask("menu: terminate", "terminated"))
    return {"Events": status, "answer": answer, "ended": but_for_its_pods_end(visit.ended("terminated"))}


def but_for_its_pods_end(ended: Object) -> Object:
    """Whether Argo hears how a pod's program ended, before it takes a Workflow that is stopped for ended, is chance.

    So is whether it still sees the pod when it says why the node has failed: its two wordings differ by a space.
    """
    for node in ended["status"]["nodes"].values():
        node.pop("outputs", None)
        node["message"] = " ".join(node.get("message", "").split())
    ended["status"]["conditions"].pop("PodRunning", None)
    return ended


def reads_what_is_kept(visit: Visit) -> Any:
    """The archived log and artifacts of a node whose pod is gone."""
    visit.create("keeps", "keeps")
    ended = visit.ended("keeps")
    [node] = [key for key, one in visit.opened("keeps")["status"]["nodes"].items() if one["type"] == "Pod"]
    place = {"node": node}
    read = [
        visit.ask("node: archived log", "keeps", **place).ok(),
        visit.ask("node: output artifact", "keeps", artifact="made", **place).ok(),
        visit.ask("node: input artifact", "keeps", artifact="given", **place).ok(),
    ]
    return {"ended": ended, "read": read}


def filters_the_list(visit: Visit) -> Any:
    """By phase, by a part of a name, page by page, by template, and as a report."""

    def listed(what: str, **place: str) -> list[Any]:
        items = visit.ask(what, **place).ok()["items"] or []
        return sorted(visit.names.words(items), key=lambda one: str(one["metadata"]["name"]))

    # argo-server lists what its own watch has brought it so far.
    ended = "all have ended"
    eventually(lambda: all(phase(one) in FINAL for one in listed("open the list", size="50")), ended)
    first = visit.ask("open the list", size="4").ok()
    second = visit.ask("list: turn the page", size="4", next=first["metadata"]["continue"]).ok()
    return {
        "all": listed("open the list", size="50"),
        "phases": listed("list: choose phases", phases="Failed,Error"),
        "part": [one["metadata"]["name"] for one in listed("list: type a part of a name", part="fails")],
        "pages": [[len(one["items"]), one["metadata"].get("continue")] for one in (first, second)],
        "template": listed("template: its Workflows", template=TEMPLATE),
        "report": listed("reports"),
    }


def deletes(visit: Visit) -> Any:
    """And opens it once more, when it is gone: there is no archive here."""
    uid = visit.opened("terminated")["metadata"]["uid"]
    answer = visit.ask("menu: delete", "terminated").ok()
    eventually(lambda: visit.ask("open a Workflow", "terminated").status != 200, "it is gone")
    gone = visit.ask("open a Workflow", "terminated")
    archive = ("archive: open a Workflow", "archive: retry", "archive: resubmit", "archive: delete")
    asked = [gone, *(visit.ask(what, uid=uid) for what in archive)]
    return visit.names.words([answer, *([one.status, one.body] for one in asked)])


def has_watched_the_list(visit: Visit) -> Any:
    """What the list was told while all this happened: each Workflow's last row, and in which order phases came."""
    eventually(lambda: any(one["type"] == "DELETED" for one in visit.watched), "the list hears what is deleted")
    rows: dict[str, Any] = {}
    phases: dict[str, list[str]] = {}
    for event in visit.names.words(visit.watched):
        row = event["object"]
        name = row["metadata"]["name"]
        rows[name] = event if event["type"] == "DELETED" else {**event, "type": "SHOWN"}
        now = phase(row)
        if now not in ("", "Pending", *phases.get(name, [])[-1:]):
            phases.setdefault(name, []).append(now)
    return {"rows": rows, "phases": phases}


STEPS: dict[str, Callable[[Visit], Any]] = {
    step.__name__.replace("_", " "): step
    for step in (
        opens_the_ui,
        opens_an_empty_list,
        submits_a_template,
        reads_its_events,
        reads_logs,
        opens_a_node_of_another_template,
        retries_what_failed,
        resubmits,
        answers_a_node_that_waits,
        suspends_resumes_and_stops,
        terminates,
        reads_what_is_kept,
        filters_the_list,
        deletes,
        has_watched_the_list,
    )
}
"""In the order in which a person does them."""
