"""Argo's own examples, each through the front door and straight to a target: how the two ended."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from tests.end_to_end.argo_examples_choice import TEMPLATES
from tests.end_to_end.argo_examples_memory import keys, remember, remembered
from tests.end_to_end.argo_examples_rewrite import documents
from tests.end_to_end.argo_examples_room import apply
from tests.end_to_end.argo_examples_run import ENDED, End, Place, run_all
from tests.end_to_end.objects import TARGETS, Object

_RUN = "Workflow"
TEMPLATE_KINDS = ("WorkflowTemplate", "ClusterWorkflowTemplate")


@dataclass(frozen=True)
class Pair:
    """One Workflow of an example, submitted both ways."""

    example: str
    front: End
    direct: End

    @property
    def equal(self) -> bool:
        """Whether both came to the same end."""
        return self.front.phase == self.direct.phase

    def __str__(self) -> str:
        mark = " " if self.equal else "≠"
        said = "" if self.equal else f"  {self.front.name}: {self.front.message} | {self.direct.message}"
        return f"{mark} {self.front.phase:10} {self.direct.phase:10} {self.example}{said}"


def compare(files: list[str], store: str, front: str, direct: str, *, at_once: int, within: float) -> list[Pair]:
    """Submit all Workflows in these files to namespace `front` at the front door and to `direct` on the targets.

    Straight to a target go only those of which it is not known yet how they end there. `at_once` Workflows run at a
    time in each of the two; none may take longer than `within` seconds.
    """
    example_keys = keys(files)
    known = remembered(example_keys)
    through = _workflows(files, store, front)
    straight = {example: one for example, one in _workflows(files, store, direct).items() if example not in known}
    with ExitStack() as watched, ThreadPoolExecutor(1 + len(TARGETS)) as pool:
        door = watched.enter_context(Place("front", front).watched())
        ends = pool.submit(run_all, door, through, at_once=at_once, within=within)
        parts = []
        for number, target in enumerate(TARGETS):
            place = watched.enter_context(Place(target, direct).watched())
            part = dict(list(straight.items())[number :: len(TARGETS)])
            parts.append(pool.submit(run_all, place, part, at_once=at_once // len(TARGETS), within=within))
        measured = {example: end for part in parts for example, end in part.result().items()}
        remember(example_keys, {example: end.phase for example, end in measured.items() if end.phase in ENDED})
        straight_ends = {example: End(phase, message="as before") for example, phase in known.items()} | measured
        return [Pair(example, end, straight_ends[example]) for example, end in ends.result().items()]


def apply_others(cluster: str, namespace: str, store: str, files: Sequence[str], *kinds: str) -> None:
    """Apply what the examples refer to, as far as it is of these kinds."""
    every = [document for file in (*TEMPLATES, *files) for document in documents(file, store, namespace)]
    apply(cluster, namespace, [document for document in every if document["kind"] in kinds])


def summary(pairs: Sequence[Pair]) -> str:
    """A line such as `168 Workflows: 130 Succeeded, 30 Failed, 8 Error; 0 differ`."""
    phases = Counter(pair.direct.phase for pair in pairs)
    counted = ", ".join(f"{count} {phase}" for phase, count in phases.most_common())
    return f"{len(pairs)} Workflows: {counted}; {sum(not pair.equal for pair in pairs)} differ"


def _workflows(files: Sequence[str], store: str, namespace: str) -> dict[str, Object]:
    return {
        f"{file}#{number}": document
        for file in files
        for number, document in enumerate(documents(file, store, namespace))
        if document["kind"] == _RUN
    }
