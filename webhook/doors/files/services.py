"""The services: WorkflowTemplates with the label medea.dev/service, in the namespace of the door."""

from webhook.errors import BadRequest, Clash, Unavailable, quoted, wrong_field
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer, named_and_labelled
from webhook.kube.resources import WORKFLOW_TEMPLATES
from webhook.model.contract import SERVICE
from webhook.model.objects import labels


class Services:
    """Knows them from a watch."""

    def __init__(self, front: Cluster, namespace: str) -> None:
        self._namespace = namespace
        self._watch = Informer(
            front,
            WORKFLOW_TEMPLATES,
            lambda _, __: None,
            selector=SERVICE,
            namespace=namespace,
            keep=named_and_labelled,
            shown_as="services",
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

    def template_of(self, service: str) -> str:
        """The WorkflowTemplate's name. Raises BadRequest if there is no such service, Clash if there are two."""
        if not self._watch.wait(0):
            raise Unavailable("the services are not known yet; try again")
        everything = self._watch.all()
        found = sorted(one["metadata"]["name"] for one in everything if labels(one).get(SERVICE) == service)
        if not found:
            names = ", ".join(sorted({quoted(labels(one).get(SERVICE)) for one in everything})[:10]) or "none"
            expected = (
                f"no WorkflowTemplate in namespace {self._namespace} has the label {SERVICE} with this value; "
                f"there are {names}"
            )
            raise wrong_field(BadRequest, "service", service, expected)
        if len(found) > 1:
            raise Clash(f"service is {quoted(service)}: {' and '.join(found)} both have this label", field="service")
        return str(found[0])
