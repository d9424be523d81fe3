"""What who submits is told about locks and caches, and what the ledger is given to keep."""

import base64
import json

from tests.admission.test_fit import wanted
from tests.support.workflows import Object, pod, spec
from webhook.admission.answer import accepted
from webhook.admission.wire import Review
from webhook.model.contract import DECISION
from webhook.scout.model import Decision, Outcome
from webhook.scout.placer import request_of
from webhook.totals.shared_names import Shared


def locked(*names: str) -> Object:
    return spec(pod("main"), synchronization={"mutexes": [{"name": name} for name in names]})


def test_names_go_with_the_request_and_into_the_ledger() -> None:
    new = wanted(locked("build"), None).new
    assert new.shared == Shared(("mutex/ns/build",))
    assert request_of(new).shared == ("mutex/ns/build",)


def test_a_name_that_is_not_known_is_said_at_submit_and_on_the_origin() -> None:
    made = wanted(locked("{{workflow.status}}"), None)
    review = Review("u", "CREATE", "Workflow", "ns", False, "ann", made.workflow)
    decision = Decision(Outcome.PLACED, "west: free", "random", 1.0, "west")
    said = "mutex '{{workflow.status}}' is known only when it runs, and holds only within its target"
    response = accepted(review, made, decision)["response"]
    assert response["warnings"][1:] == [f"medea: what it shares by name: {said}"]
    assert said in marks(response)


def marks(response: Object) -> str:
    """The annotation that explains the decision."""
    patch = json.loads(base64.b64decode(response["patch"]))
    return next(str(one["value"][DECISION]) for one in patch if one["path"] == "/metadata/annotations")
