"""The WorkflowTemplates that a door's jobs are made from: those with its label, in its namespace."""

from webhook.errors import BadRequest, Clash, Unavailable, quoted, wrong_field
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer, named_and_labelled
from webhook.kube.resources import WORKFLOW_TEMPLATES
from webhook.model.deadline import Deadline
from webhook.model.limits.namespaces import NAMESPACE_TIMEOUT
from webhook.model.objects import labels
from webhook.namespaces.hold import Holds


class Templates:
    """Knows them from a watch, by the label's value. `field` is what bodies call that, `plural` is for people."""

    def __init__(self, front: Cluster, namespace: str, *, label: str, field: str, plural: str) -> None:
        self._namespace, self._label, self._field, self._plural = namespace, label, field, plural
        self._watch = Informer(
            front,
            WORKFLOW_TEMPLATES,
            lambda _, __: None,
            selector=label,
            namespace=namespace,
            keep=named_and_labelled,
            shown_as=plural,
        )

    def start(self) -> None:
        """Begin to watch."""
        self._watch.start()

    @property
    def watch(self) -> Informer:
        """The informer of the WorkflowTemplates."""
        return self._watch

    def known(self) -> bool:
        """Whether they have been listed."""
        return self._watch.wait(0)

    def template_of(self, value: str) -> str:
        """The WorkflowTemplate's name. Raises BadRequest if there is none with this value, Clash if there are two."""
        if not self._watch.wait(0):
            raise Unavailable(f"the {self._plural} are not known yet; try again")
        everything = self._watch.all()
        found = sorted(one["metadata"]["name"] for one in everything if labels(one).get(self._label) == value)
        if not found:
            names = ", ".join(sorted({quoted(labels(one).get(self._label)) for one in everything})[:10]) or "none"
            expected = (
                f"no WorkflowTemplate in namespace {self._namespace} has the label {self._label} with this value; "
                f"there are {names}"
            )
            raise wrong_field(BadRequest, self._field, value, expected)
        if len(found) > 1:
            words = f"{self._field} is {quoted(value)}: {' and '.join(found)} both have this label"
            raise Clash(words, field=self._field)
        return str(found[0])


def template_or_wait(templates: Templates, holds: Holds, namespace: str, value: str) -> str:
    """The template for a job that was taken. Raises Unavailable: the job waits until there is one again."""
    if holds.opted_in(namespace, Deadline.after(NAMESPACE_TIMEOUT)) is None:
        raise Unavailable(f"namespace {namespace} has not opted in to Medea any more")
    try:
        return templates.template_of(value)
    except (BadRequest, Clash) as error:
        raise Unavailable(error.message) from error
