"""`make demo`: from a bare machine to a Workflow that runs on another cluster, seen as its user sees it.

Every step checks what it shows. It leaves the laboratory up, and nothing of its own in it.
"""

import argparse
import contextlib
import re
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import yaml
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tests.lab import lifecycle, sparkimage
from tests.lab.errors import LabError
from tests.lab.lab import Lab
from tests.lab.layout import CHECKOUT, LOGS, TARGETS, WORKFLOWS
from tests.lab.stage import (
    DemoError,
    Said,
    amount,
    console,
    follow,
    ledger_row,
    run,
    say,
    show_row,
    show_targets,
    step,
    targets,
    wait_for,
)

EXAMPLE = "examples/spark-from-template.yaml"
REAL_SPARK, SPARK_ACCOUNT = "examples/spark-pi.yaml", "examples/spark-account.yaml"
NEED = {"cpu_milli": 3000, "memory_bytes": 1342177280}
"""What the example's parameters come to: 2 executors and a driver of 1 core each; 2 × 0.5 and 0.25 GiB."""
_OTHERS_SEE = 3
"""Seconds until every process of Medea has read anew."""
_COLUMNS = ("placement", "name", "namespace", "template", "cluster", "state", "cpu_milli", "memory_bytes", "identity")
_LOAD = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"generateName": "somebody-elses-", "labels": {"demo": "somebody-elses"}},
    "spec": {
        "entrypoint": "main",
        "templates": [
            {
                "name": "main",
                "container": {
                    "image": "localhost/busybox:lab",
                    "command": ["sleep", "600"],
                    "resources": {"limits": {"cpu": "18", "memory": "256Mi"}},
                },
            }
        ],
    },
}


@dataclass
class Demo:
    """The story. What it has made so far is in `origins`, so that it can be removed whatever happens."""

    lab: Lab = field(default_factory=Lab)
    origins: list[str] = field(default_factory=list)
    happened: list[tuple[str, str]] = field(default_factory=list)

    def play(self, *, as_is: bool) -> None:
        """All steps in their order."""
        step("1. The laboratory: a front door and two targets")
        began = time.monotonic()
        if not as_is:
            lifecycle.up()
        self._clear_loads()
        self._note("laboratory ready", f"{time.monotonic() - began:.0f} s")
        wait_for("room on both targets", targets, lambda found: len(_roomy(found)) == len(TARGETS), 60)
        show_targets(f"what is free in namespace {WORKFLOWS}, from Medea's GET /api/v1/targets/{WORKFLOWS}")
        step("2. A user submits a Spark Workflow at the front door, with the unchanged argo")
        name, first = self._submit()
        self._placed(name, first)
        self._watch(name, first)
        step(f"3. Somebody else fills {first}; the next Workflow goes elsewhere")
        other = next(target.name for target in TARGETS if target.name != first)
        self._fill(first)
        name, second = self._submit()
        _expect(f"it to be placed on {other}", second, second == other)
        self._note("second placed on", f"{second}, because {first} was full")
        step("4. Deleting the Workflow at the front door removes its run")
        self._delete(name, second)
        step("5. Real Spark: a driver makes its own executors")
        self._spark()

    def _submit(self, example: str = EXAMPLE) -> tuple[str, str]:
        said: Said = run("argo", "submit", "-n", WORKFLOWS, example)
        found = re.search(r"^Name:\s+(\S+)", said.out, re.MULTILINE)
        _expect("a line `Name:` from argo submit", said.out, found is not None)
        assert found is not None
        self.origins.append(found.group(1))
        told = re.search(r"Warning: medea: placed on (\w+)", said.err)
        _expect("a line `Warning: medea: placed on …`", said.err or "nothing on stderr", told is not None)
        assert told is not None
        self._note(f"argo submit {found.group(1)}", f"{said.seconds * 1000:.0f} ms, told at once: {told.group(1)}")
        return found.group(1), told.group(1)

    def _placed(self, name: str, cluster: str) -> None:
        row = wait_for(
            "the run's existence in the ledger",
            lambda: ledger_row(name),
            lambda row: bool(row.get("dispatched_at")),
            30,
        )
        show_row(row, _COLUMNS)
        _expect(f"the ledger to say {cluster}", str(row["cluster"]), row["cluster"] == cluster)
        totals = {key: row[key] for key in NEED}
        _expect(f"totals of {amount(NEED)}", amount(totals), totals == NEED)
        took = (row["dispatched_at"] - row["created_at"]).total_seconds()
        self._note("accepted → run exists", f"{took * 1000:.0f} ms, on {cluster}")
        found = show_targets("the same table while it runs: its totals are reserved")
        reserved = found[cluster]["reserved"]
        _expect(f"at least {amount(NEED)} reserved on {cluster}", amount(reserved), _holds(reserved, NEED))

    def _watch(self, name: str, cluster: str) -> None:
        say("\nWhat runs there is shown here as it happens:")
        with ThreadPoolExecutor(max_workers=2) as pool:
            run_end = pool.submit(self._end_of, cluster, name)
            origin_end = pool.submit(self._end_of, "front", name)
            status = follow(name, 120)
            _expect("it to end Succeeded", status, status == "Succeeded")
            self._note("run ended → origin shows it", _gap(run_end, origin_end))
        row = ledger_row(name)
        _expect("the ledger to say Succeeded", str(row["phase"]), row["phase"] == "Succeeded")
        self._note("ran", f"{(row['ended_at'] - row['created_at']).total_seconds():.1f} s from submit to end")

    def _end_of(self, cluster: str, name: str) -> float:
        words = ["wait", "-n", WORKFLOWS, f"workflow/{name}", "--for=jsonpath={.status.phase}=Succeeded"]
        self.lab.kubectl(cluster, *words, "--timeout=120s", timeout=125)
        return time.time()

    def _fill(self, cluster: str) -> None:
        say(f"On {cluster}, past Medea, as that cluster's administrator:")
        say("[bold]$ kubectl create -f - [/]  (a Workflow of one container with limits.cpu 18)")
        made = self.lab.kubectl(cluster, "create", "-n", WORKFLOWS, "-f", "-", input=yaml.safe_dump(_LOAD))
        say(made.strip())
        began = time.monotonic()
        wait_for(f"Medea to see that {cluster} is full", targets, lambda found: cluster not in _roomy(found), 90)
        self._note(f"foreign load on {cluster} seen", f"{time.monotonic() - began:.1f} s after kubectl create")
        # The API has seen it; the webhook is another process, and reads for itself once a second.
        time.sleep(_OTHERS_SEE)
        show_targets("the load is seen through Prometheus")

    def _delete(self, name: str, cluster: str) -> None:
        wait_for(f"the run on {cluster}", lambda: self._runs(cluster), lambda found: name in found, 30)
        say(f"Workflows on {cluster} before: {' '.join(self._runs(cluster))}")
        began = time.monotonic()
        run("argo", "delete", "-n", WORKFLOWS, name)
        wait_for(f"the run to go from {cluster}", lambda: self._runs(cluster), lambda found: name not in found, 60)
        took = time.monotonic() - began
        wait_for("the origin to go", lambda: self._runs("front"), lambda found: name not in found, 30)
        say(f"Workflows on {cluster} after: {' '.join(self._runs(cluster)) or 'none'}")
        self._note("argo delete → run gone", f"{took:.1f} s, from {cluster}")

    def _spark(self) -> None:
        sparkimage.provide(say)
        say("As the administrators of both targets, an account that may make pods there:")
        say(f"[bold]$ kubectl apply -n {WORKFLOWS} -f {SPARK_ACCOUNT}")
        for target in TARGETS:
            self.lab.kubectl(target.name, "apply", "-n", WORKFLOWS, "-f", str(CHECKOUT / SPARK_ACCOUNT))
        began = time.monotonic()
        name, cluster = self._submit(REAL_SPARK)
        there = partial(self._executors, cluster)
        executors = wait_for(f"two executors on {cluster}", there, lambda found: len(found) == 2, 120)
        say(f"made by the driver on {cluster}: {', '.join(executors)}")
        show_targets("Spark's pods are what was reserved, its overhead included")
        status = follow(name, 120)
        _expect("it to end Succeeded", status, status == "Succeeded")
        found = re.search(r"Pi is roughly [0-9.]+", run("argo", "logs", "-n", WORKFLOWS, name, shown=False).out)
        _expect("a line `Pi is roughly …` in its log", "none", found is not None)
        assert found is not None
        self._note(
            "real Spark, a driver and two executors", f"{found[0]}, {time.monotonic() - began:.0f} s from submit"
        )

    def _executors(self, cluster: str) -> list[str]:
        words = [
            "get",
            "pods",
            "-n",
            WORKFLOWS,
            "-l",
            "spark-role=executor",
            "-o",
            "jsonpath={.items[*].metadata.name}",
        ]
        return self.lab.kubectl(cluster, *words).split()

    def clean(self) -> None:
        """Remove what the demo made, also after a failure half-way."""
        self._clear_loads()
        for target in TARGETS:
            words = ["delete", "-n", WORKFLOWS, "-f", str(CHECKOUT / SPARK_ACCOUNT), "--ignore-not-found"]
            self.lab.kubectl(target.name, *words)
        for name in self.origins:
            self.lab.kubectl("front", "delete", "workflow", "-n", WORKFLOWS, name, "--ignore-not-found", "--wait=false")
        for cluster in ("front", *(target.name for target in TARGETS)):
            there = partial(self._runs, cluster)
            wait_for(f"{cluster} to be clean", there, lambda found: not set(self.origins) & set(found), 60)

    def _clear_loads(self) -> None:
        for target in TARGETS:
            words = ["delete", "workflow", "-n", WORKFLOWS, "-l", "demo=somebody-elses", "--ignore-not-found"]
            self.lab.kubectl(target.name, *words)

    def _runs(self, cluster: str) -> list[str]:
        words = ["get", "workflows", "-n", WORKFLOWS, "-o", "jsonpath={.items[*].metadata.name}"]
        return self.lab.kubectl(cluster, *words).split()

    def _note(self, what: str, seen: str) -> None:
        self.happened.append((what, seen))
        say(f"[green]✓[/] {escape(what)}: {escape(seen)}")


def _expect(expected: str, seen: str, good: bool) -> None:
    if not good:
        raise DemoError(expected, seen)


def _holds(totals: dict[str, int], need: dict[str, int]) -> bool:
    return all(totals[key] >= need[key] for key in need)


def _roomy(found: dict[str, dict[str, dict[str, int]]]) -> list[str]:
    return [name for name, target in found.items() if target["free"] and _holds(target["free"], NEED)]


def _gap(run_end: Future[float], origin_end: Future[float]) -> str:
    gap = origin_end.result(timeout=60) - run_end.result(timeout=60)
    return f"{max(gap, 0) * 1000:.0f} ms"


def main() -> int:
    """Play the demo; 0 only when everything happened as told."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.demo", description=main.__doc__)
    parser.add_argument("--as-is", action="store_true", help="use the running laboratory, start and update nothing")
    as_is: bool = parser.parse_args().as_is
    demo, began = Demo(), time.monotonic()
    try:
        demo.play(as_is=as_is)
        step("6. Cleaning up")
        demo.clean()
    except (DemoError, LabError, KeyboardInterrupt) as error:
        _failed(error)
        with contextlib.suppress(DemoError, LabError):
            demo.clean()
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    _summary(demo, time.monotonic() - began)
    return 0


def _failed(error: BaseException) -> None:
    console.print()
    if isinstance(error, DemoError):
        console.print(Text.assemble(("✗ expected  ", "bold red"), error.expected), soft_wrap=True)
        console.print(Text.assemble(("  but saw   ", "bold red"), error.seen), soft_wrap=True)
    else:
        console.print(Text.assemble(("✗ ", "bold red"), str(error) or "interrupted"), soft_wrap=True)
    console.print(f"The laboratory's logs are in {LOGS}; the laboratory itself may be up: make lab-down")


def _summary(demo: Demo, seconds: float) -> None:
    step(f"All of it happened, in {seconds:.0f} s")
    table = Table("what", "seen")
    for row in demo.happened:
        table.add_row(*map(escape, row))
    console.print(table)
    say(
        "The laboratory is still up. Look around:\n"
        "  source .lab/env\n"
        f"  argo submit -n {WORKFLOWS} --watch {EXAMPLE}\n"
        f"  argo list -n {WORKFLOWS}\n"
        f"  kubectl --kubeconfig=$WEST_KUBECONFIG -n {WORKFLOWS} get workflows,pods\n"
        "  make lab-down    when you are done"
    )


if __name__ == "__main__":
    sys.exit(main())
