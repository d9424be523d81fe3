"""One cluster: every call has a deadline, a metric, and one of our own errors."""

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol
from urllib.parse import urlencode

import stamina
import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import load_incluster_config, load_kube_config
from kubernetes.utils.keepalive import tcp_keepalive_socket_options
from prometheus_client import Histogram

from webhook.errors import Clash, ClusterUnavailable, NotThere, Rejected, quoted
from webhook.kube.log_stream import LogStream
from webhook.kube.resources import PODS, Resource
from webhook.model.objects import Object

_SECONDS = Histogram(
    "medea_cluster_request_seconds",
    "Time of one request to a cluster",
    ["cluster", "verb", "kind", "outcome"],
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

MANAGER = "medea"
"""The field manager of everything that is written through here: the webhook knows Medea's own changes by it."""

# A cluster that doesn't accept a connection within a second, or doesn't answer within five, is treated as away.
CONNECT_TIMEOUT = 1.0
READ_TIMEOUT = 5.0
# A quiet watch is ended by the server after this long and begun anew; the client waits a little longer, so that a
# connection that died without a word is noticed.
WATCH_SECONDS = 20
_WATCH_READ_TIMEOUT = WATCH_SECONDS + 5.0
_POOL = 32


class Http(Protocol):
    """What is used of `urllib3.PoolManager`."""

    def request(self, method: str, url: str, **options: Any) -> urllib3.BaseHTTPResponse:
        """Send one request."""


_Query = Sequence[tuple[str, str]]
_CODES: dict[int, type[Rejected]] = {404: NotThere, 409: Clash}
# These say nothing about the object: the cluster is overloaded, starting, or does not know us (a rotated token).
# The same holds for a 403 about Medea's own rights, which an apiserver that starts gives too, and for a 404 that names
# no object: the cluster doesn't serve that kind, or not yet.
_NOT_ALLOWED = re.compile(r'is forbidden: User ".*" cannot ')
_MANAGED = ("fieldManager", MANAGER)
_AWAY = frozenset({401, 408, 429, 500, 502, 503, 504})


class Cluster:
    """A client of one cluster, safe to share between threads. Raises ClusterUnavailable, or Rejected and its kin."""

    def __init__(self, name: str, configuration: Configuration, *, http: Http | None = None) -> None:
        """`http` stands in for urllib3's pool of connections where there is no network."""
        self.name = name
        # Retries are decided here and in the work queue, where it is known which calls may be repeated.
        configuration.retries = urllib3.Retry(0, redirect=0)
        configuration.connection_pool_maxsize = _POOL
        # A log may be silent for hours: only the kernel can tell a quiet target from one that is gone, in 40 s.
        configuration.socket_options = tcp_keepalive_socket_options(idle=20, interval=5, count=4)
        self._api = ApiClient(configuration)
        self._http: Http = http or self._api.rest_client.pool_manager

    def get(self, kind: Resource, namespace: str | None, name: str, *, read_timeout: float = READ_TIMEOUT) -> Object:
        """The object as it is now; asked once more if the cluster doesn't answer. Raises NotThere."""
        path = kind.path(namespace, name)
        for attempt in stamina.retry_context(on=ClusterUnavailable, attempts=2, wait_initial=0.05, wait_max=0.2):
            with attempt:
                return self._call("get", kind, "GET", path, read_timeout=read_timeout)
        raise AssertionError("retry_context either returns or raises")

    def find(
        self, kind: Resource, namespace: str | None, name: str, *, read_timeout: float = READ_TIMEOUT
    ) -> Object | None:
        """Like `get`, with None for an object that certainly is not there."""
        try:
            return self.get(kind, namespace, name, read_timeout=read_timeout)
        except NotThere:
            return None

    def list(self, kind: Resource, namespace: str | None = None, *, selector: str = "") -> tuple[list[Object], str]:
        """All objects, and the resource version to watch from."""
        query = [("labelSelector", selector)] if selector else []
        answer = self._call("list", kind, "GET", kind.path(namespace), query=query, read_timeout=30.0)
        return list(answer.get("items") or []), str(answer["metadata"]["resourceVersion"])

    def create(
        self,
        kind: Resource,
        namespace: str | None,
        body: Object,
        *,
        dry_run: bool = False,
        read_timeout: float = READ_TIMEOUT,
    ) -> Object:
        """Create an object. Raises Clash when the name is taken. Unavailable means that it may have happened."""
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
        """Apply a JSON merge patch; with `metadata.resourceVersion` in it, only to that very version (else Clash)."""
        path = kind.path(namespace, name, subresource)
        content_type = "application/merge-patch+json"
        managed = [("fieldManager", manager)]
        return self._call("patch", kind, "PATCH", path, query=managed, body=body, content_type=content_type)

    def replace(self, kind: Resource, namespace: str | None, name: str, body: Object) -> Object:
        """Put an object in the place of the version it was made from."""
        full = {"apiVersion": kind.api_version, "kind": kind.kind, **body}
        return self._call("replace", kind, "PUT", kind.path(namespace, name), query=[_MANAGED], body=full)

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
    ) -> Iterator[Object]:
        """Events after `version`, as the apiserver sends them, until the server or `stop` ends the stream."""
        query = [
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", version),
            ("timeoutSeconds", str(WATCH_SECONDS)),
            *([("labelSelector", selector)] if selector else []),
        ]
        try:
            response = self._send("GET", kind.path(namespace), query=query, read_timeout=_WATCH_READ_TIMEOUT)
            # Closed at the end rather than given back to the pool: the rest of a stream is of no use to anybody.
            with contextlib.closing(response):
                if response.status != 200:
                    raise self._error(response.status, response.data)
                for line in _lines(response):
                    if stop.is_set():
                        return
                    yield json.loads(line)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise ClusterUnavailable(f"the watch on {self.name} broke: {quoted(str(error))}") from error

    def open_log(self, namespace: str, pod: str, options: _Query, *, patience: float, follow: bool) -> LogStream | None:
        """A container's log as the apiserver sends it; None when it has sent nothing at all for `patience` seconds.

        That is no failure: a kubelet doesn't even answer before there is a first line. Raises NotThere or Rejected.
        """
        path, started, outcome = PODS.path(namespace, pod, "log"), time.perf_counter(), "unavailable"
        try:
            response = self._send("GET", path, query=options, read_timeout=patience)
            outcome = str(response.status)
            if response.status != 200:
                with contextlib.closing(response):
                    raise self._error(response.status, response.data)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            if isinstance(getattr(error, "reason", error), urllib3.exceptions.ReadTimeoutError):
                outcome = "silent"
                return None
            raise ClusterUnavailable(f"cluster {self.name} did not answer: {quoted(str(error))}") from error
        finally:
            _SECONDS.labels(self.name, "log", PODS.plural, outcome).observe(time.perf_counter() - started)
        return LogStream(response, self.name, follow=follow)

    @property
    def api_client(self) -> ApiClient:
        """The client underneath, for what `kubernetes` does better itself: leader election."""
        return self._api

    def authorization(self) -> str | None:
        """The header by which Medea shows who it is; None where it does so by a certificate."""
        headers: dict[str, str] = {}
        self._api.update_params_for_auth(headers, [], ["BearerToken"], "", "GET", None)
        return headers.get("authorization")

    def close(self) -> None:
        """Drop the connections."""
        self._api.close()

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
            response = self._send(
                method, path, query=query, body=body, content_type=content_type, read_timeout=read_timeout
            )
            data = response.data
            outcome = str(response.status)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterUnavailable(f"cluster {self.name} did not answer: {quoted(str(error))}") from error
        finally:
            _SECONDS.labels(self.name, verb, kind.plural, outcome).observe(time.perf_counter() - started)
        if not 200 <= response.status < 300:
            raise self._error(response.status, data)
        return self._read(data)

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: _Query,
        read_timeout: float,
        body: Object | None = None,
        content_type: str = "application/json",
    ) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": "application/json", "User-Agent": "medea"}
        configuration = self._api.configuration
        self._api.update_params_for_auth(headers, [], ["BearerToken"], path, method, None)
        if body is not None:
            headers["Content-Type"] = content_type
        return self._http.request(
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
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ClusterUnavailable(
                f"something that is no apiserver answers for cluster {self.name}: {quoted(data[:80])}"
            )
        return answer

    def _error(self, status: int, data: bytes) -> ClusterUnavailable | Rejected:
        words, about = _status(data)
        if status in _AWAY or (status == 404 and not about) or (status == 403 and _NOT_ALLOWED.search(words)):
            return ClusterUnavailable(f"cluster {self.name} answered {status}: {quoted(words)}")
        return _CODES.get(status, Rejected)(words, cluster=self.name)


def front_door(kubeconfig: str | None) -> Cluster:
    """The cluster Medea serves: from a kubeconfig file, or from the pod Medea runs in."""
    configuration = Configuration()
    if kubeconfig:
        load_kube_config(config_file=kubeconfig, client_configuration=configuration)
    else:
        load_incluster_config(client_configuration=configuration)
    return Cluster("front", configuration)


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    pending = b""
    for chunk in response.stream(amt=None, decode_content=True):
        *whole, pending = (pending + chunk).split(b"\n")
        yield from (line for line in whole if line)


def _status(data: bytes) -> tuple[str, str]:
    """An apiserver's words, and the name of the object they are about, if they are about one."""
    try:
        status: Any = json.loads(data)
        return str(status["message"]), str((status.get("details") or {}).get("name") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return data[:200].decode(errors="replace"), ""
