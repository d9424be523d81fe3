"""Argo's own examples, each through the front door and straight to a target: how the two ended."""

from collections import Counter
from collections.abc import Mapping, Sequence
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
    def settled(self) -> bool:
        """Whether both came to an end, and to the same."""
        return self.direct.phase in ENDED and self.front.phase == self.direct.phase

    def __str__(self) -> str:
        mark = " " if self.settled else "≠"
        said = "" if self.settled else f"  {self.front.name}: {self.front.message} | {self.direct.message}"
        return f"{mark} {self.front.phase:10} {self.direct.phase:10} {self.example}{said}"


@dataclass(frozen=True)
class Rooms:
    """Where the examples run: `front` is a namespace at the front door, `direct` one on the targets alone."""

    store: str
    front: str
    direct: str


def compare(files: list[str], rooms: Rooms, *, at_once: int, within: float) -> list[Pair]:
    """Submit all Workflows in these files both ways.

    `at_once` Workflows run at a time in each of the two; none may take longer than `within` seconds. What differs is
    run once more, both ways: on a machine that is very slow Argo at times kills its own container in a pod.
    """
    known = remembered(keys(files))
    first = _once(files, rooms, known, at_once, within)
    doubtful = sorted({pair.example.partition("#")[0] for pair in first if not pair.settled})
    again = {pair.example: pair for pair in _once(doubtful, rooms, {}, at_once, within)}
    return [again.get(pair.example, pair) for pair in first]


def _once(files: list[str], rooms: Rooms, known: Mapping[str, str], at_once: int, within: float) -> list[Pair]:
    """Straight to a target go only those of which it is not known how they end there."""
    through = _workflows(files, rooms.store, rooms.front)
    every = _workflows(files, rooms.store, rooms.direct)
    straight = {example: one for example, one in every.items() if example not in known}
    with ExitStack() as watched, ThreadPoolExecutor(1 + len(TARGETS)) as pool:
        door = watched.enter_context(Place("front", rooms.front).watched())
        ends = pool.submit(run_all, door, through, at_once=at_once, within=within)
        parts = []
        for number, target in enumerate(TARGETS):
            place = watched.enter_context(Place(target, rooms.direct).watched())
            part = dict(list(straight.items())[number :: len(TARGETS)])
            parts.append(pool.submit(run_all, place, part, at_once=at_once // len(TARGETS), within=within))
        measured = {example: end for part in parts for example, end in part.result().items()}
        remember(keys(files), {example: end.phase for example, end in measured.items() if end.phase in ENDED})
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
    return f"{len(pairs)} Workflows: {counted}; {sum(not pair.settled for pair in pairs)} differ"


def _workflows(files: Sequence[str], store: str, namespace: str) -> dict[str, Object]:
    return {
        f"{file}#{number}": document
        for file in files
        for number, document in enumerate(documents(file, store, namespace))
        if document["kind"] == _RUN
    }
