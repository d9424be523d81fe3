"""One cluster: every call has a deadline, a metric, and one of our own errors."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol
from urllib.parse import urlencode

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.rest import RESTClientObject
from kubernetes.config import load_incluster_config, load_kube_config
from kubernetes.utils.keepalive import tcp_keepalive_socket_options
from prometheus_client import Histogram

from webhook.errors import ClusterUnavailable, MedeaError, NotThere, quoted
from webhook.kube.bounded import bounded
from webhook.kube.health import Health
from webhook.kube.log_stream import LogStream
from webhook.kube.resources import PODS, Resource
from webhook.kube.status import Status, error_of, status_of
from webhook.model.limits import (
    CONNECT_TIMEOUT,
    CONNECTIONS,
    LIST_TIMEOUT,
    PAGE,
    PROBE_TIMEOUT,
    READ_TIMEOUT,
    WATCH_READ_TIMEOUT,
    WATCH_SECONDS,
)
from webhook.model.objects import Object

_SECONDS = Histogram(
    "medea_cluster_request_seconds",
    "Time of one request to a cluster",
    ["cluster", "verb", "kind", "outcome"],
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

MANAGER = "medea"
"""The field manager of everything that is written through here: the webhook knows Medea's own changes by it."""


class Http(Protocol):
    """What is used of `urllib3.PoolManager`."""

    def request(self, method: str, url: str, **options: Any) -> urllib3.BaseHTTPResponse:
        """Send one request."""


_Query = Sequence[tuple[str, str]]
_MANAGED = ("fieldManager", MANAGER)
_BROKEN = (urllib3.exceptions.HTTPError, OSError)


class Cluster:
    """A client of one cluster, safe to share between threads. Raises ClusterUnavailable, or Rejected and its kin."""

    def __init__(
        self,
        name: str,
        configuration: Configuration,
        *,
        http: Http | None = None,
        breaker: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`http` stands in for urllib3's pools of connections where there is no network.

        With a `breaker`, calls fail at once while the cluster is away, until somebody's `probe` finds it back.
        """
        self.name, self.health = name, Health(clock=clock)
        self._breaker = breaker
        # Retries are decided in the work queue, where it is known which calls may be repeated.
        configuration.retries = urllib3.Retry(0, redirect=0)
        configuration.connection_pool_maxsize = CONNECTIONS
        # A log may be silent for hours: only the kernel can tell a quiet target from one that is gone, in 40 s.
        configuration.socket_options = tcp_keepalive_socket_options(idle=20, interval=5, count=4)
        self._api = ApiClient(configuration)
        self._streams: Http = http or self._api.rest_client.pool_manager
        self._calls: Http = http or bounded(RESTClientObject(configuration).pool_manager)

    def get(self, kind: Resource, namespace: str | None, name: str, *, read_timeout: float = READ_TIMEOUT) -> Object:
        """The object as it is now. Raises NotThere."""
        return self._call("get", kind, "GET", kind.path(namespace, name), read_timeout=read_timeout)

    def find(
        self, kind: Resource, namespace: str | None, name: str, *, read_timeout: float = READ_TIMEOUT
    ) -> Object | None:
        """Like `get`, with None for an object that certainly is not there."""
        try:
            return self.get(kind, namespace, name, read_timeout=read_timeout)
        except NotThere:
            return None

    def pages(
        self, kind: Resource, namespace: str | None = None, *, selector: str = ""
    ) -> Iterator[tuple[list[Object], str]]:
        """The objects page by page, each with the resource version of the whole list. Raises Expired if it takes long.

        An object may be anything that JSON can say: an apiserver doesn't look into those of a kind without a schema.
        """
        base = [("limit", str(PAGE)), *([("labelSelector", selector)] if selector else [])]
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

    def list(self, kind: Resource, namespace: str | None = None, *, selector: str = "") -> tuple[list[Object], str]:
        """All objects, and the resource version to watch from."""
        items: list[Object] = []
        version = ""
        for page, version in self.pages(kind, namespace, selector=selector):  # noqa: B007
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
        """Create an object. Raises AlreadyExists for a taken name. ClusterUnavailable: it may have happened."""
        full = {"apiVersion": kind.api_version, "kind": kind.kind, **body}
        query = [_MANAGED, *([("dryRun", "All")] if dry_run else [])]
        verb = "dry-run" if dry_run else "create"
        return self._call(verb, kind, "POST", kind.path(namespace), query=query, body=full, read_timeout=read_timeout)

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
        """Apply a JSON merge patch; with `metadata.resourceVersion` in it, only to that version (else Conflict)."""
        path = kind.path(namespace, name, subresource)
        content_type = "application/merge-patch+json"
        managed = [("fieldManager", manager)]
        return self._call("patch", kind, "PATCH", path, query=managed, body=body, content_type=content_type)

    def replace(
        self, kind: Resource, namespace: str | None, name: str, body: Object, *, read_timeout: float = READ_TIMEOUT
    ) -> Object:
        """Put an object in the place of the version it was made from. Raises Conflict when that is no longer there."""
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
        propagation: str = "Foreground",
        grace: int | None = None,
    ) -> None:
        """Delete in the foreground: the object stays visible until everything it owns is gone. Gone already is fine.

        `grace` is what a pod is given to end, in seconds; None leaves that to the pod.
        """
        body: Object = {"propagationPolicy": propagation, **({} if grace is None else {"gracePeriodSeconds": grace})}
        if uid:
            body["preconditions"] = {"uid": uid}
        try:
            self._call("delete", kind, "DELETE", kind.path(namespace, name), body=body)
        except NotThere:
            return

    def delete_all(self, kind: Resource, namespace: str, *, selector: str) -> None:
        """Delete every object that the selector matches."""
        query = [("labelSelector", selector)]
        self._call(
            "delete", kind, "DELETE", kind.path(namespace), query=query, body={"propagationPolicy": "Background"}
        )

    def watch(
        self, kind: Resource, namespace: str | None, *, selector: str, version: str, stop: threading.Event
    ) -> Iterator[Any]:
        """Begin to watch: events after `version`, as the apiserver sends them, until it or `stop` ends the stream.

        Raises here what the apiserver answers, and ClusterUnavailable from the iterator when the stream breaks.
        """
        query = [
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", version),
            ("timeoutSeconds", str(WATCH_SECONDS)),
            *([("labelSelector", selector)] if selector else []),
        ]
        with self._broken():
            response = self._send(
                self._calls, "GET", kind.path(namespace), query=query, read_timeout=WATCH_READ_TIMEOUT
            )
            if response.status != 200:
                with contextlib.closing(response):
                    raise self._error(response.status, response.data)
        self.health.answered()
        return self._events(response, stop)

    def _events(self, response: urllib3.BaseHTTPResponse, stop: threading.Event) -> Iterator[Any]:
        # Closed at the end rather than given back to the pool: the rest of a stream is of no use to anybody.
        try:
            with contextlib.closing(response):
                for line in _lines(response):
                    if stop.is_set():
                        return
                    yield json.loads(line)
        except (*_BROKEN, ValueError, RecursionError) as error:
            raise ClusterUnavailable(f"the watch on {self.name} broke: {quoted(str(error))}") from error

    def open_log(self, namespace: str, pod: str, options: _Query, *, patience: float, follow: bool) -> LogStream | None:
        """A container's log as the apiserver sends it; None when it has sent nothing at all for `patience` seconds.

        That is no failure: a kubelet doesn't even answer before there is a first line. Raises NotThere or Rejected.
        """
        path, started, outcome = PODS.path(namespace, pod, "log"), time.perf_counter(), "unavailable"
        try:
            with self._broken(silence_is_fine=True):
                response = self._send(self._streams, "GET", path, query=options, read_timeout=patience)
                outcome = str(response.status)
                if response.status != 200:
                    with contextlib.closing(response):
                        raise self._error(response.status, response.data)
        except urllib3.exceptions.ReadTimeoutError:
            outcome = "silent"
            return None
        finally:
            _SECONDS.labels(self.name, "log", PODS.plural, outcome).observe(time.perf_counter() - started)
        self.health.answered()
        return LogStream(response, self.name, follow=follow)

    def probe(self) -> None:
        """Ask whether it is ready, whatever the breaker says. `health` knows the answer; nothing is raised."""
        started, outcome = time.perf_counter(), "unavailable"
        try:
            with self._broken():
                response = self._request(self._calls, "GET", "/readyz", read_timeout=PROBE_TIMEOUT)
                outcome = str(response.status)
                self._heard(response.status, response.data)
        except MedeaError:
            return
        finally:
            _SECONDS.labels(self.name, "probe", "readyz", outcome).observe(time.perf_counter() - started)

    def authorization(self) -> str | None:
        """The header by which Medea shows who it is; None where it does so by a certificate."""
        headers: dict[str, str] = {}
        self._api.update_params_for_auth(headers, [], ["BearerToken"], "", "GET", None)
        return headers.get("authorization")

    def close(self) -> None:
        """Drop the connections, and the name from the metrics."""
        self._api.close()
        if isinstance(self._calls, urllib3.PoolManager):
            self._calls.clear()
        _SECONDS.remove_by_labels({"cluster": self.name})

    def _call(
        self,
        verb: str,
        kind: Resource,
        method: str,
        path: str,
        *,
        query: _Query = (),
        body: Object | None = None,
        content_type: str = "application/json",
        read_timeout: float = READ_TIMEOUT,
    ) -> Object:
        started, outcome = time.perf_counter(), "unavailable"
        try:
            with self._broken():
                response = self._send(
                    self._calls,
                    method,
                    path,
                    query=query,
                    body=body,
                    content_type=content_type,
                    read_timeout=read_timeout,
                )
                data = response.data
            outcome = str(response.status)
        finally:
            _SECONDS.labels(self.name, verb, kind.plural, outcome).observe(time.perf_counter() - started)
        if not 200 <= response.status < 300:
            raise self._error(response.status, data)
        answer = self._read(data)
        self.health.answered()
        return answer

    @contextlib.contextmanager
    def _broken(self, *, silence_is_fine: bool = False) -> Iterator[None]:
        """A connection that isn't made, breaks or is silent, as one of our errors."""
        try:
            yield
        except _BROKEN as error:
            reason = getattr(error, "reason", error)
            if silence_is_fine and isinstance(reason, urllib3.exceptions.ReadTimeoutError):
                raise reason from None
            self.health.unanswered()
            raise ClusterUnavailable(f"cluster {self.name} did not answer: {quoted(str(error))}") from error

    def _send(self, http: Http, method: str, path: str, **options: Any) -> urllib3.BaseHTTPResponse:
        """Send a request, unless it is known that nobody would answer."""
        away = self.health.away if self._breaker else None
        if away:
            raise ClusterUnavailable(f"cluster {self.name} {away}")
        return self._request(http, method, path, **options)

    def _request(
        self,
        http: Http,
        method: str,
        path: str,
        *,
        read_timeout: float,
        query: _Query = (),
        body: Object | None = None,
        content_type: str = "application/json",
    ) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": "application/json", "User-Agent": "medea"}
        configuration = self._api.configuration
        self._api.update_params_for_auth(headers, [], ["BearerToken"], path, method, None)
        if body is not None:
            headers["Content-Type"] = content_type
        return http.request(
            method,
            configuration.host + path + ("?" + urlencode(query) if query else ""),
            body=json.dumps(body).encode() if body is not None else None,
            headers=headers,
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=read_timeout),
            preload_content=False,
        )

    def _read(self, data: bytes) -> Object:
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            self.health.unanswered()
            raise ClusterUnavailable(
                f"something that is no apiserver answers for cluster {self.name}: {quoted(data[:80])}"
            )
        return answer

    def _error(self, code: int, data: bytes) -> MedeaError:
        return error_of(self._heard(code, data), self.name)

    def _heard(self, code: int, data: bytes) -> Status:
        status = status_of(code, data)
        if status.answers:
            self.health.answered()
        else:
            self.health.unanswered()
        return status


def front_door(kubeconfig: str | None) -> Cluster:
    """The cluster Medea serves: from a kubeconfig file, or from the pod Medea runs in."""
    configuration = Configuration()
    if kubeconfig:
        load_kube_config(config_file=kubeconfig, client_configuration=configuration)
    else:
        load_incluster_config(client_configuration=configuration)
    return Cluster("front", configuration)


def is_object(thing: Any) -> bool:
    """Whether it is an object with a name: only such can be dealt with."""
    metadata = thing.get("metadata") if isinstance(thing, dict) else None
    return isinstance(metadata, dict) and isinstance(metadata.get("name"), str)


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    pending = b""
    for chunk in response.stream(amt=None, decode_content=True):
        *whole, pending = (pending + chunk).split(b"\n")
        yield from (line for line in whole if line)
