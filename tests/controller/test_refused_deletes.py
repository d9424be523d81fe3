"""A delete that Medea's webhook has let pass and somebody after it refuses: nothing has happened."""

import pytest
from kubernetes.client import Configuration

from tests.support.controller_world import World
from tests.support.fake_apiserver import ApiError, answer
from webhook.errors import Rejected
from webhook.kube.client import Cluster
from webhook.kube.resources import WORKFLOWS
from webhook.model.contract import Hold, State

DENIED = ApiError(403, "Forbidden", "admission webhook policy denied the request", {"name": "job-p1"})


@pytest.mark.parametrize("hold", Hold)
def test_a_refused_delete_leaves_the_run_alone_and_one_that_is_let_through_later_removes_it(
    world: World, hold: Hold
) -> None:
    world.place(hold=hold)
    world.settle()
    person = Cluster("front", Configuration(), http=world.front.as_user("ann"), clock=world.clock)
    refused = answer(DENIED.code, DENIED.message, DENIED.reason)
    world.front.faults = lambda call: refused if (call.verb, call.user) == ("delete", "ann") else None
    for _ in range(3):
        with pytest.raises(Rejected, match="policy denied"):
            person.delete(WORKFLOWS, "ns", "job-p1")
        world.wait(60)
    assert world.row().state is State.RUNNING
    assert world.run() is not None
    assert world.calls("west", "delete") == []
    world.front.faults = lambda _call: None
    person.delete(WORKFLOWS, "ns", "job-p1")
    world.settle(6)
    assert world.run() is None
    assert world.front.get(WORKFLOWS, "ns", "job-p1") is None
