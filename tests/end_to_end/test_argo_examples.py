"""Argo's own examples do through Medea what they do without it."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.argo_examples import TEMPLATE_KINDS, Rooms, apply_others, compare, summary
from tests.end_to_end.argo_examples_choice import selected
from tests.end_to_end.argo_examples_room import QUOTA, direct_room, furnish, remove_cluster_templates, remove_workflows
from tests.end_to_end.artifact_store import store
from tests.end_to_end.objects import TARGETS
from tests.end_to_end.workspace import WorkspaceMaker

pytestmark = pytest.mark.long

_AT_ONCE = 8
_LONGEST = 300.0


@pytest.fixture
def rooms(make_workspace: WorkspaceMaker) -> Iterator[Rooms]:
    """A namespace that Medea serves, where its users have their templates, and one on the targets with everything."""
    workspace = make_workspace(QUOTA, QUOTA)
    with store() as url, direct_room(url) as direct:
        furnish(workspace.name, url)
        apply_others("front", workspace.name, url, selected(), *TEMPLATE_KINDS)
        for target in TARGETS:
            apply_others(target, workspace.name, url, selected(), "ConfigMap")
            # What only an argument names, as in workflow-of-workflows.yaml, must be there under its own name.
            apply_others(target, workspace.name, url, (), "WorkflowTemplate")
            apply_others(target, direct, url, selected(), "ConfigMap", *TEMPLATE_KINDS)
        try:
            yield Rooms(url, workspace.name, direct)
        finally:
            remove_cluster_templates(workspace.name, direct)
            remove_workflows(workspace.name)


# Both ways together, all of them, on a machine that is busy otherwise; what is remembered halves it.
@pytest.mark.timeout(3600, func_only=True)
def test_every_example_ends_as_it_does_on_a_target_without_medea(rooms: Rooms, pytestconfig: pytest.Config) -> None:
    pairs = compare(selected(), rooms, at_once=_AT_ONCE, within=_LONGEST)
    pytestconfig.get_terminal_writer().line(summary(pairs))
    assert len(pairs) >= len(selected())
    table = "\n".join(map(str, sorted(pairs, key=lambda pair: (pair.settled, pair.example))))
    assert all(pair.settled for pair in pairs), f"{summary(pairs)}\n{table}"
