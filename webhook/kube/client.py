"""The client of one cluster. Every call has a deadline and a metric, and raises Medea's own errors."""

import contextlib
import copy
import datetime
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import urllib3
from kubernetes.client import Configuration
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config

from webhook.errors import ClusterUnavailable, NotThere, Refused, quoted
from webhook.kube.health import Health
from webhook.kube.identity import Expected
from webhook.kube.kubeconfig import Reach, context_configuration, reach_of
from webhook.kube.log_stream import LogStream
from webhook.kube.pod_connection import PodConnection
from webhook.kube.resources import PODS, SERVICE_ACCOUNTS, Resource
from webhook.kube.transport import BROKEN, Answer, Http, Request, Transport, lines
from webhook.model.bounded_json import read_json
from webhook.model.limits.kube import LIST_TIMEOUT, PAGE, READ_TIMEOUT, WATCH_READ_TIMEOUT, WATCH_SECONDS
from webhook.model.objects import Object, mappings, status_of

MANAGER = "medea"
"""The field manager of all writes, by which the webhook recognizes Medea's own changes."""

_MANAGED = ("fieldManager", MANAGER)
_METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


@dataclass(frozen=True)
class About:
    """A cluster's version, such as `v1.35.4`, and the time of its clock, None if it didn't say."""

    version: str
    now: datetime.datetime | None


class Cluster:
    """A client of one cluster, safe to share between threads. Raises ClusterUnavailable, or Rejected or a subclass."""

    def __init__(
        self,
        name: str,
        configuration: Configuration,
        *,
        http: Http | None = None,
        breaker: bool = False,
        expected: Expected | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`http` replaces urllib3's connection pools in tests.

        With a `breaker`, calls fail at once while the cluster is away, until a `probe` finds that it is back. With
        `expected`, it is away too while another cluster answers in its place.
        """
        self.name = name
        self._transport = Transport(name, configuration, http=http, breaker=breaker, expected=expected, clock=clock)

    @property
    def health(self) -> Health:
        """Whether the cluster answers, judging by the latest calls."""
        return self._transport.health

    @property
    def address(self) -> str:
        """The URL of the apiserver."""
        return self._transport.address

    def reach(self, server: str | None = None) -> Reach:
        """How others reach it: see `reach_of`. Raises Refused."""
        return reach_of(self.name, self._transport.configuration, server)

    def get(self, kind: Resource, namespace: str | None, name: str, *, read_timeout: float = READ_TIMEOUT) -> Object:
        """The object as it is now. Raises NotThere."""
        return self._call("get", kind, "GET", kind.path(namespace, name), read_timeout=read_timeout)

    def find(
        self, kind: Resource, namespace: str | None, name: str, *, read_timeout: float = READ_TIMEOUT
    ) -> Object | None:
        """Like `get`, but None if the object certainly does not exist."""
        try:
            return self.get(kind, namespace, name, read_timeout=read_timeout)
        except NotThere:
            return None

    def find_metadata(
        self, kind: Resource, namespace: str | None, name: str, *, read_timeout: float = READ_TIMEOUT
    ) -> Object | None:
        """Like `find`, but only the metadata: nothing else of it is sent, so that no Secret's content is."""
        try:
            return self._call(
                "get", kind, "GET", kind.path(namespace, name), accept=_METADATA_ONLY, read_timeout=read_timeout
            )
        except NotThere:
            return None

    def find_with_date(self, kind: Resource, namespace: str | None, name: str, *, read_timeout: float) -> Answer | None:
        """Like `find`, with the time of the answer by the apiserver's own clock, which its timestamps are of too."""
        path = kind.path(namespace, name)
        try:
            return self._transport.call(Request("get", kind.plural, "GET", path, read_timeout=read_timeout))
        except NotThere:
            return None

    def pages(
        self, kind: Resource, namespace: str | None = None, *, selector: str = "", fields: str = ""
    ) -> Iterator[tuple[list[Object], str]]:
        """The objects page by page, each page with the resource version of the list. Raises Expired if it takes long.

        `selector` is about labels, `fields` about fields.
        Entries may be any JSON: an apiserver does not check objects of kinds without a schema.
        """
        base = [("limit", str(PAGE)), *_selected(selector, fields)]
        position = ""
        while True:
            query = [*base, *([("continue", position)] if position else [])]
            answer = self._call("list", kind, "GET", kind.path(namespace), query=query, read_timeout=LIST_TIMEOUT)
            metadata, items = answer.get("metadata"), answer.get("items") or []
            if not isinstance(metadata, dict) or not isinstance(items, list):
                raise ClusterUnavailable(f"cluster {self.name} answered with something that is no list")
            yield items, str(metadata.get("resourceVersion") or "")
            position = str(metadata.get("continue") or "")
            if not position:
                return

    def list(
        self, kind: Resource, namespace: str | None = None, *, selector: str = "", fields: str = ""
    ) -> tuple[list[Object], str]:
        """All objects, and the resource version to watch from. Malformed objects are left out."""
        items: list[Object] = []
        version = ""
        for page, version in self.pages(kind, namespace, selector=selector, fields=fields):  # noqa: B007
            items += [item for item in page if is_object(item)]
        return items, version

    def create(
        self,
        kind: Resource,
        namespace: str | None,
        body: Object,
        *,
        dry_run: bool = False,
        read_timeout: float = READ_TIMEOUT,
    ) -> Object:
        """Create an object. Raises AlreadyExists if the name is taken. After ClusterUnavailable it may exist."""
        full = {"apiVersion": kind.api_version, "kind": kind.kind, **body}
        query = [_MANAGED, *([("dryRun", "All")] if dry_run else [])]
        verb = "dry-run" if dry_run else "create"
        return self._call(verb, kind, "POST", kind.path(namespace), query=query, body=full, read_timeout=read_timeout)

    def request_token(self, namespace: str, account: str, seconds: int) -> str:
        """A new token of a ServiceAccount, valid for so many seconds; the cluster may shorten that."""
        path = SERVICE_ACCOUNTS.path(namespace, account, "token")
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        }
        token = status_of(self._call("create", SERVICE_ACCOUNTS, "POST", path, body=body)).get("token")
        if not isinstance(token, str) or not token:
            raise ClusterUnavailable(f"cluster {self.name} answered a request for a token without one")
        return token

    def about(self) -> About:
        """The cluster's version and clock, from one call."""
        answer = self._transport.call(Request("get", "version", "GET", "/version"))
        return About(str(answer.object.get("gitVersion") or ""), answer.sent)

    def served(self, api_version: str) -> frozenset[str]:
        """The plural names of the kinds that the cluster serves in a version of an API group; empty if none."""
        request = Request("get", "discovery", "GET", f"/apis/{api_version}")
        try:
            answer = self._transport.call(request).object
        except ClusterUnavailable as error:
            if error.details.get("answered") == 404:
                return frozenset()
            raise
        return frozenset(str(one.get("name")) for one in mappings(answer.get("resources")))

    def patch(
        self,
        kind: Resource,
        namespace: str | None,
        name: str,
        body: Object,
        *,
        subresource: str | None = None,
        manager: str = MANAGER,
    ) -> Object:
        """Apply a JSON merge patch. With `metadata.resourceVersion` in it, raises Conflict for any other version."""
        path = kind.path(namespace, name, subresource)
        content_type = "application/merge-patch+json"
        managed = [("fieldManager", manager)]
        return self._call("patch", kind, "PATCH", path, query=managed, body=body, content_type=content_type)

    def replace(
        self, kind: Resource, namespace: str | None, name: str, body: Object, *, read_timeout: float = READ_TIMEOUT
    ) -> Object:
        """Replace an object. Raises Conflict if it has changed since the version that `body` was made from."""
        full = {"apiVersion": kind.api_version, "kind": kind.kind, **body}
        path = kind.path(namespace, name)
        return self._call("replace", kind, "PUT", path, query=[_MANAGED], body=full, read_timeout=read_timeout)

    def delete(
        self,
        kind: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        version: str | None = None,
        propagation: str = "Foreground",
        grace: int | None = None,
    ) -> None:
        """Delete an object; by default in the foreground, so that it stays visible until everything it owns is gone.

        With a `version`, raises Conflict if the object has changed since. `grace` is how many seconds a pod gets to
        end; None leaves that to the pod.
        """
        body: Object = {"propagationPolicy": propagation, **({} if grace is None else {"gracePeriodSeconds": grace})}
        wanted = {"uid": uid, "resourceVersion": version}
        if uid or version:
            body["preconditions"] = {key: value for key, value in wanted.items() if value}
        try:
            self._call("delete", kind, "DELETE", kind.path(namespace, name), body=body)
        except NotThere:
            return

    def watch(
        self,
        kind: Resource,
        namespace: str | None,
        *,
        selector: str,
        version: str,
        stop: threading.Event,
        fields: str = "",
    ) -> Iterator[Any]:
        """Watch: yields the apiserver's events after `version`, until it ends the stream or `stop` is set.

        Raises the apiserver's refusal at once; the iterator raises ClusterUnavailable if the stream breaks.
        """
        query = [
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", version),
            ("timeoutSeconds", str(WATCH_SECONDS)),
            *_selected(selector, fields),
        ]
        path = kind.path(namespace)
        request = Request("watch", kind.plural, "GET", path, query=query, read_timeout=WATCH_READ_TIMEOUT)
        return self._events(self._transport.open(request), stop)

    def _events(self, response: urllib3.BaseHTTPResponse, stop: threading.Event) -> Iterator[Any]:
        # Closed rather than returned to the pool, since there may be unread data.
        try:
            with contextlib.closing(response):
                for line in lines(response):
                    if stop.is_set():
                        return
                    yield read_json(line)
        except (*BROKEN, ValueError) as error:
            raise ClusterUnavailable(f"the watch on {self.name} broke: {quoted(str(error))}") from error

    def open_log(
        self, namespace: str, pod: str, options: Sequence[tuple[str, str]], *, patience: float, follow: bool
    ) -> LogStream | None:
        """A container's log as the apiserver sends it; None if it has sent nothing for `patience` seconds.

        That is no failure: a kubelet does not answer before there is a first line. Raises NotThere or Rejected.
        """
        path = PODS.path(namespace, pod, "log")
        response = self._transport.open_log(
            Request("log", PODS.plural, "GET", path, query=options, read_timeout=patience)
        )
        return None if response is None else LogStream(response, self.name, follow=follow)

    def connect_to_pod(
        self,
        namespace: str,
        pod: str,
        subresource: str,
        *,
        method: str,
        query: Sequence[tuple[str, str]],
        upgrade: Sequence[tuple[str, str]],
        patience: float,
    ) -> PodConnection:
        """A connection into a pod: `subresource` is exec, attach or portforward, `upgrade` the protocol's headers.

        Raises ClusterUnavailable also if the answer takes longer than `patience` seconds; NotAllowed and Rejected.
        """
        path = PODS.path(namespace, pod, subresource)
        request = Request(subresource, PODS.plural, method, path, query, read_timeout=patience, upgrade=upgrade)
        return PodConnection(self._transport.upgrade(request))

    def probe(self) -> None:
        """Ask `/readyz`, whatever the breaker says. Never raises; the result is in `health`."""
        self._transport.probe()

    def confirm(self) -> None:
        """Make sure that the same cluster still answers. Raises ClusterUnavailable unless that is certain."""
        self._transport.confirm()

    def authorization(self) -> str | None:
        """The Authorization header that Medea sends; None if it authenticates by a certificate."""
        return self._transport.authorization()

    def bearing(self, authorization: str) -> "Cluster":
        """A client that sends this header Authorization, over the same connections."""
        other = copy.copy(self)
        other._transport = self._transport.bearing(authorization)
        return other

    def acting_as(self, user: str, groups: Sequence[str]) -> "Cluster":
        """A client that acts as somebody else, over the same connections: by Kubernetes' impersonation.

        The names must stay what they are in a header: see `webhook.model.submitter`.
        """
        other = copy.copy(self)
        other._transport = self._transport.acting_as(user, groups)
        return other

    def close(self) -> None:
        """Close the connections, and remove the cluster from the metrics."""
        self._transport.close()

    def _call(self, verb: str, kind: Resource, method: str, path: str, **options: Any) -> Object:
        return self._transport.call(Request(verb, kind.plural, method, path, **options)).object


def _selected(selector: str, fields: str) -> list[tuple[str, str]]:
    """The part of a query that selects objects by label and by field."""
    return [(name, value) for name, value in (("labelSelector", selector), ("fieldSelector", fields)) if value]


def of_context(name: str, context: str | None, file: str) -> Cluster:
    """The client of a cluster by a person's own kubeconfig: see `context_configuration`. Raises Refused."""
    return Cluster(name, context_configuration(context, file))


def front_door(kubeconfig: str | None) -> Cluster:
    """The client of the front door: from a kubeconfig file, or else from the pod that Medea runs in. Raises Refused."""
    return Cluster("front", _front_configuration(kubeconfig))


def front_door_for_others(kubeconfig: str | None) -> Cluster:
    """A client of the front door without any credentials: see `Cluster.bearing`. Raises Refused.

    Its connections are its own, because a connection with Medea's client certificate would act as Medea.
    """
    known, bare = _front_configuration(kubeconfig), Configuration()
    bare.host, bare.ssl_ca_cert, bare.verify_ssl = known.host, known.ssl_ca_cert, known.verify_ssl
    bare.tls_server_name = known.tls_server_name
    return Cluster("front", bare)


def authorization_of(kubeconfig: str | None) -> str | None:
    """The header Authorization of whoever has this kubeconfig, or of the pod this runs in; None without a token.

    Raises Refused if there is neither.
    """
    return front_door(kubeconfig).authorization()


def _front_configuration(kubeconfig: str | None) -> Configuration:
    configuration = Configuration()
    try:
        if kubeconfig:
            load_kube_config(config_file=kubeconfig, client_configuration=configuration)
        else:
            load_incluster_config(client_configuration=configuration)
    except ConfigException:
        # Its words may repeat what the file holds.
        where = f"{kubeconfig} is no kubeconfig" if kubeconfig else "KUBECONFIG is not set, and this is no pod"
        raise Refused(f"there is no cluster: {where}") from None
    return configuration


def is_object(thing: Any) -> bool:
    """Whether it is a JSON object with a name; nothing else can be handled."""
    metadata = thing.get("metadata") if isinstance(thing, dict) else None
    return isinstance(metadata, dict) and isinstance(metadata.get("name"), str)
