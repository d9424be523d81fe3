"""Which hold the origins of a namespace get, and whether it is safe there.

The harmful mistake is `none` where an Argo controller works: origins would show now one thing and now another. So
`none` is never decided from a cache: the namespace and what is known of it are read at each such submission. `plugin`
where no controller works does little harm: the Workflow is placed and runs, but its origin shows little until the end.
So `plugin` may be decided from an informer's cache.
"""

import threading
from dataclasses import dataclass

from webhook.errors import Busy, Refused, Unavailable, wrong_field
from webhook.kube.client import Cluster
from webhook.kube.informer import Informer
from webhook.kube.resources import NAMESPACES, checked_name
from webhook.ledger import quiet
from webhook.ledger.pool import Pool
from webhook.model.contract import ARGO_INSTANCE, HOLD, OPTED_IN, Hold
from webhook.model.deadline import Deadline
from webhook.model.finalizers import is_deletion_ongoing
from webhook.model.limits.namespaces import NAMESPACE_LAG, NAMESPACE_TIMEOUT, NAMESPACE_WAITERS
from webhook.model.objects import Object, labels


def hold_of(namespace: Object, default: Hold) -> Hold:
    """The hold that a namespace's label asks for, or the default. Raises Refused if the label names no hold."""
    value = labels(namespace).get(HOLD, default)
    try:
        return Hold(value)
    except ValueError:
        name = namespace["metadata"]["name"]
        raise wrong_field(
            Refused, f"label {HOLD} of namespace {name}", value, f"it must be {' or '.join(Hold)}"
        ) from None


def version_of(namespace: Object) -> str:
    """A value that changes with every change of the namespace."""
    return f"{namespace['metadata']['uid']} {namespace['metadata']['resourceVersion']}"


@dataclass(frozen=True)
class OptedIn:
    """A namespace that has opted in, as the informer last saw it."""

    object: Object

    @property
    def name(self) -> str:
        """The namespace's name."""
        return str(self.object["metadata"]["name"])

    @property
    def version(self) -> str:
        """Differs when the namespace has opted out and in again, or was deleted and created again."""
        return version_of(self.object)


class Holds:
    """Chooses holds at admission. A probe that is left alone for `patience` seconds shows that no controller works."""

    def __init__(self, front: Cluster, pool: Pool, *, default: Hold, patience: float) -> None:
        self._front, self._pool, self._default, self._patience = front, pool, default, patience
        self._watch = Informer(front, NAMESPACES, self._on_namespace, selector=OPTED_IN)
        self._heard = threading.Condition()
        self._patient = threading.BoundedSemaphore(NAMESPACE_WAITERS)

    @property
    def namespaces(self) -> Informer:
        """The informer of the namespaces that opted in."""
        return self._watch

    def start(self) -> None:
        """Start the informer of the namespaces that opted in."""
        self._watch.start()

    def opted_in(self, namespace: str, deadline: Deadline) -> OptedIn | None:
        """The namespace if it has opted in and is not being deleted.

        Anybody who reaches the webhook may post a review and name any namespace, so only the informer is asked: for
        one that it does not know, no call is made. The label may be younger than what the informer has heard, so it
        gets a moment. Raises Unavailable while nothing is known, and Busy if too many wait for such a moment.
        """
        found = self._known(namespace) or self._heard_of(namespace, deadline)
        return None if found is None or is_deletion_ongoing(found) else OptedIn(found)

    def choose(self, space: OptedIn, workflow: Object, deadline: Deadline) -> Hold:
        """The hold for a Workflow that is being submitted.

        Raises Refused if the hold that its namespace asks for is not possible, and Unavailable while that is not known.
        """
        if hold_of(space.object, self._default) is Hold.PLUGIN:
            return Hold.PLUGIN
        fresh = self._read(space.name, deadline) or space.object
        if hold_of(fresh, self._default) is Hold.PLUGIN:
            return Hold.PLUGIN
        self._check_instance(workflow)
        deadline.check(f"to look for a controller in namespace {space.name}")
        self._check_quiet(space.name, fresh["metadata"]["uid"])
        return Hold.NONE

    def _known(self, namespace: str) -> Object | None:
        return self._watch.get("", namespace)

    def _heard_of(self, namespace: str, deadline: Deadline) -> Object | None:
        if not self._watch.current:
            raise Unavailable("the namespaces that opted in are not known yet; try again")
        if not self._patient.acquire(blocking=False):
            raise Busy(f"namespace {namespace} is not known to have opted in; try again in a second")
        try:
            with self._heard:
                wait = max(0.0, min(NAMESPACE_LAG, deadline.left))
                return self._heard.wait_for(lambda: self._known(namespace), wait)
        finally:
            self._patient.release()

    def _on_namespace(self, _: Object, __: bool) -> None:
        with self._heard:
            self._heard.notify_all()

    def _read(self, namespace: str, deadline: Deadline) -> Object | None:
        timeout = deadline.timeout(NAMESPACE_TIMEOUT, f"to look at namespace {namespace}")
        return self._front.find(NAMESPACES, None, checked_name("request.namespace", namespace), read_timeout=timeout)

    def _check_instance(self, workflow: Object) -> None:
        instance = labels(workflow).get(ARGO_INSTANCE)
        if instance is not None:
            expected = "in a namespace with hold none it must not be there, since no Argo controller is to run it"
            raise wrong_field(Refused, f"label {ARGO_INSTANCE}", instance, expected)

    def _check_quiet(self, namespace: str, uid: str) -> None:
        known = quiet.verdict(self._pool, uid)
        if known and known.controller:
            raise Refused(
                f"namespace {namespace} has hold none, but an Argo controller works there ({known.controller} was seen "
                f"to take up a Workflow), and would have its own way with what is submitted. Either use hold plugin: "
                f"kubectl label namespace {namespace} {HOLD}=plugin --overwrite; or stop that controller, and submit "
                "some three minutes later"
            )
        if not known or not known.answered:
            left = self._patience - (known.age if known else 0)
            raise Unavailable(
                f"namespace {namespace} has hold none, and Medea still makes sure that no Argo controller works "
                f"there; try again in {min(max(left, 1.0), self._patience):.0f} s"
            )
