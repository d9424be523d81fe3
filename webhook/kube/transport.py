"""Sends requests to a cluster. Each has a deadline and a metric, and updates the cluster's health."""

import contextlib
import copy
import datetime
import email.utils
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.rest import RESTClientObject
from kubernetes.utils.keepalive import tcp_keepalive_socket_options
from prometheus_client import Histogram

from webhook.errors import ClusterUnavailable, MedeaError, quoted
from webhook.kube.bounded import bounded, exact
from webhook.kube.health import Health
from webhook.kube.identity import PATH, Expected, Identity
from webhook.kube.resources import NAMESPACES
from webhook.kube.status import error_of, status_of
from webhook.model.bounded_json import read_json
from webhook.model.limits.kube import CONNECT_TIMEOUT, CONNECTIONS, PROBE_TIMEOUT, READ_TIMEOUT
from webhook.model.objects import Object

_SECONDS = Histogram(
    "medea_cluster_request_seconds",
    "Time of one request to a cluster",
    ["cluster", "verb", "kind", "outcome"],
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

BROKEN = (urllib3.exceptions.HTTPError, OSError)
"""What is raised if a connection fails, breaks, or is silent for too long."""


class Http(Protocol):
    """The part of `urllib3.PoolManager` that is used."""

    def request(self, method: str, url: str, **options: Any) -> urllib3.BaseHTTPResponse:
        """Send one request."""


@dataclass(frozen=True)
class Request:
    """One request. `verb` and `kind` are labels of metrics; `read_timeout` is in seconds, for the whole answer.

    `upgrade` are the headers of a request that asks for another protocol: then the answer must be 101.
    """

    verb: str
    kind: str
    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    body: Object | None = None
    content_type: str = "application/json"
    accept: str = "application/json"
    read_timeout: float = READ_TIMEOUT
    upgrade: Sequence[tuple[str, str]] = ()

    def succeeded(self, status: int) -> bool:
        """Whether an answer with this HTTP status is what was asked for."""
        return status == 101 if self.upgrade else 200 <= status < 300


@dataclass(frozen=True)
class Answer:
    """The object in an answer, and when the cluster sent it, by its own clock; None if it doesn't say."""

    object: Object
    sent: datetime.datetime | None


class Transport:
    """Sends requests to one cluster, and updates `health`. Raises ClusterUnavailable, or Rejected or a subclass.

    With a `breaker`, requests fail at once while the cluster is away, until a `probe` finds that it is back. With
    `expected`, none is sent to another cluster than the one that is known by this name: see `webhook.kube.identity`.
    """

    def __init__(
        self,
        name: str,
        configuration: Configuration,
        *,
        http: Http | None,
        breaker: bool,
        expected: Expected | None,
        clock: Callable[[], float],
    ) -> None:
        self.name, self.health = name, Health(clock=clock)
        self._identity = expected and Identity(name, self._read_system, expected, self.health, clock=clock)
        self._breaker, self._clock = breaker, clock
        self._authorization: str | None = None
        self._acting_as: Sequence[tuple[str, str]] = ()
        # No retries here: callers know which calls may be repeated, and the work queue does it.
        configuration.retries = urllib3.Retry(0, redirect=0)
        configuration.connection_pool_maxsize = CONNECTIONS
        # A log may be silent for hours. Only the kernel's keepalive can tell, within 40 s, that the target is gone.
        configuration.socket_options = tcp_keepalive_socket_options(idle=20, interval=5, count=4)
        self._api = ApiClient(configuration)
        self._logs: Http = http or self._api.rest_client.pool_manager
        self._calls: Http = http or bounded(RESTClientObject(configuration).pool_manager)
        self._upgrades: Http = http or exact(RESTClientObject(configuration).pool_manager)

    @property
    def configuration(self) -> Configuration:
        """How it is reached, with its credentials."""
        return self._api.configuration

    @property
    def address(self) -> str:
        """The URL of the apiserver."""
        return str(self._api.configuration.host)

    def call(self, request: Request) -> Answer:
        """Send a request; returns the answer."""
        self._check()
        began = self._clock()
        response, data = self._exchange(self._calls, request, whole=True)
        answer = Answer(self._object(data, began), _date_of(response))
        self.health.answered()
        return answer

    def open(self, request: Request) -> urllib3.BaseHTTPResponse:
        """Send a request whose answer is read as a stream, within `read_timeout` in all. The caller must close it."""
        self._check()
        response, _ = self._exchange(self._calls, request)
        self.health.answered()
        return response

    def open_log(self, request: Request) -> urllib3.BaseHTTPResponse | None:
        """Like `open`, but the answer may take any time; None if nothing has come within `read_timeout`."""
        self._check()
        try:
            response, _ = self._exchange(self._logs, request, silence=True)
        except urllib3.exceptions.ReadTimeoutError:
            return None
        self.health.answered()
        return response

    def upgrade(self, request: Request) -> urllib3.BaseHTTPResponse:
        """Send a request for another protocol. The answer has a connection of its own, read up to that protocol.

        A refusal says nothing about the cluster's health: it may come from one of its nodes.
        """
        self._check()
        try:
            response, _ = self._exchange(self._upgrades, request, silence=True)
        except urllib3.exceptions.ReadTimeoutError as error:
            words = f"cluster {self.name} has not answered within {request.read_timeout:.0f} s"
            raise ClusterUnavailable(words) from error
        self.health.answered()
        return response

    def probe(self) -> None:
        """Ask `/readyz`, and now and then who answers, whatever the breaker says.

        Never raises; the result is in `health`.
        """
        request = Request("probe", "readyz", "GET", "/readyz", read_timeout=PROBE_TIMEOUT)
        with contextlib.suppress(MedeaError):
            self._exchange(self._calls, request, whole=True)
            self.health.answered()
            if self._identity and self._identity.due:
                self._identity.check()

    def confirm(self) -> None:
        """Make sure that the same cluster still answers. Raises ClusterUnavailable unless that is certain."""
        if self._identity:
            self._identity.confirm()

    def authorization(self) -> str | None:
        """The Authorization header that Medea sends; None if it authenticates by a certificate."""
        headers: dict[str, str] = {}
        self._api.update_params_for_auth(headers, [], ["BearerToken"], "", "GET", None)
        return headers.get("authorization")

    def bearing(self, authorization: str) -> "Transport":
        """The same connections and health, with this header Authorization in each request."""
        other = copy.copy(self)
        other._authorization = authorization
        return other

    def acting_as(self, user: str, groups: Sequence[str]) -> "Transport":
        """The same connections and health, with the headers by which each request is somebody else's."""
        other = copy.copy(self)
        other._acting_as = [("Impersonate-User", user), *(("Impersonate-Group", group) for group in groups)]
        return other

    def close(self) -> None:
        """Close the connections, and remove the cluster from the metrics."""
        self._api.close()
        for http in (self._calls, self._upgrades):
            if isinstance(http, urllib3.PoolManager):
                http.clear()
        _SECONDS.remove_by_labels({"cluster": self.name})

    def _check(self) -> None:
        away = self.health.away if self._breaker else None
        if away is None and self._identity and not self._identity.checked:
            self._identity.check()
            away = self.health.mistaken
        if away:
            raise ClusterUnavailable(f"cluster {self.name} {away}")

    def _read_system(self) -> Object:
        began = self._clock()
        request = Request("get", NAMESPACES.plural, "GET", PATH, read_timeout=PROBE_TIMEOUT)
        _, data = self._exchange(self._calls, request, whole=True)
        answer = self._object(data, began)
        self.health.answered()
        return answer

    def _exchange(
        self, http: Http, request: Request, *, whole: bool = False, silence: bool = False
    ) -> tuple[urllib3.BaseHTTPResponse, bytes]:
        """Send a request; returns the successful answer, and its data if `whole`.

        If `silence` is set, a read timeout is no failure of the cluster, and ReadTimeoutError is raised.
        """
        started, began, outcome = time.perf_counter(), self._clock(), "unavailable"
        try:
            response = self._send(http, request)
            outcome = str(response.status)
            if not request.succeeded(response.status):
                with contextlib.closing(response):
                    if request.upgrade:
                        raise self._not_upgraded(response.status, response.data)
                    raise self._error(response.status, response.data, began)
            return response, response.data if whole else b""
        except BROKEN as error:
            reason = getattr(error, "reason", error)
            if silence and isinstance(reason, urllib3.exceptions.ReadTimeoutError):
                outcome = "silent"
                raise reason from None
            outcome = "unavailable"
            self.health.unanswered(began)
            raise ClusterUnavailable(f"cluster {self.name} did not answer: {quoted(str(error))}") from error
        finally:
            _SECONDS.labels(self.name, request.verb, request.kind, outcome).observe(time.perf_counter() - started)

    def _send(self, http: Http, request: Request) -> urllib3.BaseHTTPResponse:
        # The pod's kubelet gets the header too, and refuses to switch protocols for who accepts nothing but JSON.
        known = {"Accept": "*/*" if request.upgrade else request.accept, "User-Agent": "medea"}
        self._api.update_params_for_auth(known, [], ["BearerToken"], request.path, request.method, None)
        if self._authorization is not None:
            known["Authorization"] = self._authorization
        if request.body is not None:
            known["Content-Type"] = request.content_type
        headers = urllib3.HTTPHeaderDict(known)
        for name, value in request.upgrade:
            headers.add(name, value)
        for name, value in self._acting_as:
            # Kubernetes takes UTF-8 there; http.client would send Latin-1, or nothing.
            headers.add(name, value.encode().decode("latin-1"))
        return http.request(
            request.method,
            self.address + request.path + ("?" + urlencode(request.query) if request.query else ""),
            body=json.dumps(request.body).encode() if request.body is not None else None,
            headers=headers,
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=request.read_timeout),
            preload_content=False,
        )

    def _object(self, data: bytes, began: float) -> Object:
        try:
            answer = read_json(data)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            self.health.unanswered(began)
            raise ClusterUnavailable(
                f"something that is no apiserver answers for cluster {self.name}: {quoted(data[:80])}"
            )
        return answer

    def _not_upgraded(self, code: int, data: bytes) -> MedeaError:
        if code < 400:
            return ClusterUnavailable(f"cluster {self.name} answered {code}: no upgraded connection gets through to it")
        return error_of(status_of(code, data), self.name)

    def _error(self, code: int, data: bytes, began: float) -> MedeaError:
        status = status_of(code, data)
        if status.answers:
            self.health.answered()
        else:
            self.health.unanswered(began)
        return error_of(status, self.name)


def _date_of(response: urllib3.BaseHTTPResponse) -> datetime.datetime | None:
    try:
        return email.utils.parsedate_to_datetime(response.headers["Date"]).astimezone(datetime.UTC)
    except (KeyError, ValueError, OverflowError):
        return None


def lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """The non-empty lines of an answer as they arrive. Raises the errors in BROKEN."""
    pending = b""
    for chunk in response.stream(amt=None, decode_content=True):
        *whole, pending = (pending + chunk).split(b"\n")
        yield from (line for line in whole if line)
