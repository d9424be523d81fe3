"""A Kubernetes API in memory, behind `Cluster(name, Configuration(), http=fake)`: faithful, and faulty as told.

It answers at the level of HTTP, so that all of Medea's client is real. Nothing here runs in threads, and all time is a
`FakeClock`'s. `faults` is asked before each call, and `after` is told of
each that was carried out, before its answer is given. Helpers
without a fault (`put`, `get`, `all`, `change`, `remove`) are for tests that play the rest of the cluster.
"""

import base64
import copy
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonpatch
import urllib3

from tests.support.fake_clock import FakeClock
from tests.support.fake_http import (
    GARBAGE,
    HANG,
    LOSE,
    REFUSE,
    RESET,
    ApiError,
    Call,
    Fault,
    Response,
    answer,
    as_json,
    as_line,
    cut,
    of_path,
    protocol_error,
    read_timeout,
    selected,
    stale,
)
from tests.support.fake_store import Change, Key, Store, key_of, merged
from webhook.kube import resources
from webhook.kube.resources import RESOURCE_QUOTAS as QUOTAS
from webhook.kube.resources import (
    SELF_ACCESS_REVIEWS,
    SELF_REVIEWS,
    SUBJECT_ACCESS_REVIEWS,
    TOKEN_REVIEWS,
    Resource,
)
from webhook.model.objects import Object

__all__ = [
    "GARBAGE",
    "HANG",
    "LOSE",
    "MEDEA",
    "QUOTAS",
    "REFUSE",
    "RESET",
    "ApiError",
    "Call",
    "Change",
    "FakeApiserver",
    "Fault",
    "answer",
    "cut",
    "stale",
]

MEDEA = "system:serviceaccount:medea-system:medea"
SERVED = [one for one in vars(resources).values() if isinstance(one, Resource)]
_REVIEWS = {one.plural for one in (TOKEN_REVIEWS, SELF_REVIEWS, SUBJECT_ACCESS_REVIEWS, SELF_ACCESS_REVIEWS)}
_WITH_STATUS = frozenset({"pods", "namespaces", "nodes", "resourcequotas", "clusterprofiles"})
_LARGEST = 3 * 1024 * 1024
_SYSTEM = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


Webhook = Callable[[Object], Object]
"""AdmissionReview in, AdmissionReview out; what it raises is a failed call."""


class FakeApiserver(Store):
    """One cluster. `user` is who Medea is here; `as_user` gives others a way in."""

    def __init__(self, name: str = "front", *, clock: FakeClock | None = None, seed: int = 0) -> None:
        super().__init__(name, clock or FakeClock(), seed)
        self.user = MEDEA
        self.faults: Callable[[Call], Fault | None] = lambda _call: None
        self.after: Callable[[Call], None] = lambda _call: None
        self.refuse_later: Callable[[Call, Object], ApiError | None] = lambda _call, _object: None
        self.allowed: Callable[[Object], bool] = lambda _spec: True
        self.tokens: dict[str, str] = {}
        self.kubernetes = "v1.35.4"
        self.longest_token = 10**9
        self.unserved: set[str] = set()
        self.calls: list[Call] = []
        self._kinds = {one.plural: one for one in SERVED}
        self._hooks: list[tuple[str, str, Webhook, Callable[[Object], bool]]] = []
        self._lock = threading.RLock()

    # --- what tests do

    def on_create(self, kind: Resource, hook: Webhook, *, when: Callable[[Object], bool] = lambda _: True) -> None:
        """Have a mutating webhook called for creates; `when` is asked with the AdmissionReview."""
        self._hooks.append(("CREATE", kind.plural, hook, when))

    def on_update(self, kind: Resource, hook: Webhook, *, when: Callable[[Object], bool] = lambda _: True) -> None:
        """Likewise for updates."""
        self._hooks.append(("UPDATE", kind.plural, hook, when))

    def as_user(self, name: str) -> "FakeApiserver._Door":
        """An `http=` of the same cluster for somebody else."""
        return FakeApiserver._Door(self, name)

    def serve(self, kind: Resource) -> None:
        """Serve one more kind."""
        self._kinds[kind.plural] = kind

    # --- HTTP

    class _Door:
        def __init__(self, fake: "FakeApiserver", user: str) -> None:
            self._fake, self._user = fake, user

        def request(self, method: str, url: str, **options: Any) -> Any:
            """Send one request as this user."""
            headers = {**(options.pop("headers", None) or {}), "Impersonate-User": self._user}
            return self._fake.request(method, url, headers=headers, **options)

    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: Any = None,
        **_: Any,
    ) -> Any:
        """Answer one request, or raise what urllib3 would."""
        with self._lock:
            call = self._call(method, url, body, headers or {})
            self.calls.append(call)
            fault = self.faults(call)
            failed = self._before(fault, method, url, timeout)
            if failed:
                raise failed
            response = self._respond(call, fault, headers or {})
            response.headers["Date"] = formatdate(self.clock.true_time(), usegmt=True)
            self.after(call)
            if fault and fault.kind == "lose":
                if not fault.number:
                    self.clock.advance(read_timeout(timeout))
                raise self._broken(method, url, fault)
            if fault and fault.kind == "garbage":
                return Response(response.status, [response.data[:20]], protocol_error())
            return response

    def _call(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Call:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        plural, namespace, name, subresource = of_path(parts.path)
        verbs = {"POST": "create", "PATCH": "patch", "PUT": "replace"}
        verb = verbs.get(method) or ("delete" if name else "deletecollection")
        if method == "GET":
            verb = "get" if name else ("watch" if query.get("watch") in ("true", "1") else "list")
        token = next((value for key, value in headers.items() if key.lower() == "authorization"), "")
        user = headers.get("Impersonate-User") or self.tokens.get(token.removeprefix("Bearer "), self.user)
        parsed = json.loads(body) if body else None
        dry = "dryRun" in query or "All" in ((parsed or {}).get("dryRun") or [] if verb == "delete" else [])
        return Call(
            self.name, verb, plural, namespace, name, user, subresource, query, parsed, dry, len(self.calls) + 1
        )

    def _before(self, fault: Fault | None, method: str, url: str, timeout: Any) -> Exception | None:
        if fault is None or fault.kind not in ("refuse", "hang"):
            return None
        if fault.kind == "hang":
            self.clock.advance(read_timeout(timeout))
        return self._broken(method, url, fault)

    def _broken(self, method: str, url: str, fault: Fault) -> Exception:
        pool: Any = f"pool of {self.name}"
        if fault.kind == "refuse":
            refused = urllib3.exceptions.NewConnectionError(pool, "[Errno 111] Connection refused")
            return urllib3.exceptions.MaxRetryError(pool, url, refused)
        error: Exception = urllib3.exceptions.ReadTimeoutError(pool, url, "Read timed out.")
        if fault.number:
            error = protocol_error()
        # urllib3 wraps what it would have been allowed to repeat.
        return error if method in ("POST", "PATCH") else urllib3.exceptions.MaxRetryError(pool, url, error)

    def _respond(self, call: Call, fault: Fault | None, headers: Mapping[str, str]) -> Response:
        try:
            if fault and fault.kind == "status":
                raise ApiError(fault.status, fault.reason, fault.message, {"name": call.name} if call.name else {})
            if call.resource == "readyz":
                return Response(200, [b"ok"])
            if call.resource == "version":
                return as_json(200, {"gitVersion": self.kubernetes}, date=self.clock.now())
            if call.resource == "discovery":
                return self._discovered(call.name or "")
            if call.resource not in self._kinds or call.resource in self.unserved:
                return Response(404, [b"404 page not found\n"])
            if call.resource in _REVIEWS:
                return as_json(201, self._review_access(call))
            if call.subresource == "token" and call.verb == "create":
                return as_json(201, self._token(call))
            if call.verb == "watch":
                return self._watch(call, fault)
            return as_json(201 if call.verb == "create" else 200, self._do(call, fault, headers))
        except ApiError as error:
            return as_json(error.code, error.body())

    def _discovered(self, api_version: str) -> Response:
        kinds = [one for one in self._kinds.values() if one.api_version == api_version]
        served = [{"name": one.plural, "kind": one.kind} for one in kinds if one.plural not in self.unserved]
        return as_json(200, {"resources": served}) if served else Response(404, [b"404 page not found\n"])

    def _do(self, call: Call, fault: Fault | None, headers: Mapping[str, str]) -> Object:
        back = fault.number if fault and fault.kind == "stale" else None
        match call.verb:
            case "get":
                objects = self._objects if back is None else self._at(back)
                return self._there(call, objects)
            case "list":
                return self._list(call, back)
            case "create":
                return self._create(call)
            case "delete":
                self._there(call)
                return self._delete(self._key(call), call.body or {}, call.user, dry_run=call.dry_run)
            case "deletecollection":
                for one in self._matching(call, self._listed(call.resource, call.namespace)):
                    self._delete(key_of(call.resource, one), call.body or {}, call.user)
                return {"kind": "Status", "status": "Success"}
        sent = next((value for key, value in headers.items() if key.lower() == "content-type"), "")
        if call.verb == "patch" and "merge-patch" not in sent:
            raise ApiError(415, "UnsupportedMediaType", f"the fake knows merge patches only, not {sent}")
        return self._modify(call)

    # --- reading

    def _matching(self, call: Call, things: Iterable[Object]) -> list[Object]:
        return [one for one in things if selected(one, call.query)]

    def _there(self, call: Call, objects: Mapping[Key, Object] | None = None) -> Object:
        found = (self._objects if objects is None else objects).get(self._key(call))
        if found is None:
            raise ApiError(404, "NotFound", f'{self._full(call)} "{call.name}" not found', self._details(call))
        return found

    def _list(self, call: Call, back: int | None) -> Object:
        position = json.loads(base64.b64decode(call.query["continue"])) if "continue" in call.query else None
        version = position["version"] if position else (self._version if back is None else back)
        if position and version < self.compacted:
            raise ApiError(410, "Expired", "The provided continue parameter is too old to display a consistent list")
        objects = self._objects if version == self._version else self._at(version)
        keys = sorted(key for key in objects if key[0] == call.resource and call.namespace in (None, key[1]))
        if position:
            keys = [key for key in keys if list(key[1:]) > position["after"]]
        found = [(key, objects[key]) for key in keys if selected(objects[key], call.query)]
        limit = int(call.query.get("limit") or 0)
        metadata: Object = {"resourceVersion": str(version)}
        if limit and len(found) > limit:
            last = {"version": version, "after": list(found[limit - 1][0][1:])}
            metadata["continue"] = base64.b64encode(json.dumps(last).encode()).decode()
            metadata["remainingItemCount"] = len(found) - limit
            found = found[:limit]
        kind = self._kinds[call.resource]
        items = [one for _, one in found]
        return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata, "items": items}

    def _watch(self, call: Call, fault: Fault | None) -> Response:
        since = int(call.query.get("resourceVersion") or 0)
        if since < self.compacted:
            gone = ApiError(410, "Expired", f"too old resource version: {since} ({self._version})")
            return Response(200, [as_line("ERROR", gone.body())])
        lines = [line for change in self.history if change.version > since for line in self._event(call, change)]
        if fault and fault.kind == "cut":
            return Response(200, lines[: fault.number], protocol_error())
        kind = self._kinds[call.resource]
        mark = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": {"resourceVersion": str(self._version)}}
        wanted = call.query.get("allowWatchBookmarks") == "true"
        return Response(200, [*lines, *([as_line("BOOKMARK", mark)] if wanted else [])])

    def _event(self, call: Call, change: Change) -> list[bytes]:
        namespace = change.object["metadata"].get("namespace", "")
        if change.resource != call.resource or call.namespace not in (None, namespace):
            return []
        before = change.before is not None and selected(change.before, call.query)
        after = change.after is not None and selected(change.after, call.query)
        if not before and not after:
            return []
        if after:
            return [as_line("MODIFIED" if before else "ADDED", change.object)]
        last = copy.deepcopy(change.before or {})
        last["metadata"]["resourceVersion"] = str(change.version)
        return [as_line("DELETED", last)]

    # --- writing

    def _create(self, call: Call) -> Object:
        kind, body = self._kinds[call.resource], copy.deepcopy(call.body)
        if not isinstance(body, dict) or not isinstance(body.get("metadata"), dict):
            raise ApiError(400, "BadRequest", "the body of the request was no object")
        if len(json.dumps(body)) > _LARGEST:
            raise ApiError(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728")
        if kind.namespaced:
            self._check_namespace(call)
            body["metadata"]["namespace"] = call.namespace
        for stale_field in ("uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "managedFields"):
            body["metadata"].pop(stale_field, None)
        body = self._mutated("CREATE", call, body, None)
        metadata = body["metadata"]
        if not metadata.get("name"):
            if not metadata.get("generateName"):
                raise self._invalid(call, "metadata.name: Required value: name or generateName is required")
            metadata["name"] = metadata["generateName"][:58] + self._letters(5)
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9.:]{0,251}[a-z0-9])?", str(metadata["name"])):
            raise self._invalid(call, f"metadata.name: Invalid value: {metadata['name']!r}")
        metadata |= {"uid": self._uid(), "creationTimestamp": self.clock.stamp()}
        named = Call(**{**vars(call), "name": metadata["name"]})
        self._check_later(named, body)
        key = (call.resource, call.namespace or "", metadata["name"])
        if key in self._objects:
            words = f'{self._full(call)} "{metadata["name"]}" already exists'
            raise ApiError(409, "AlreadyExists", words, self._details(named))
        if call.resource in _WITH_STATUS:
            body.pop("status", None)
        if call.dry_run:
            return body
        return self._store(key, _managed(body, {}, call), call.user)

    def _check_later(self, call: Call, thing: Object) -> None:
        error = self.refuse_later(call, thing) or self._over_quota(call)
        if error:
            raise error

    def _check_namespace(self, call: Call) -> None:
        found = self._objects.get(("namespaces", "", call.namespace or ""))
        if found is None:
            details = {"name": call.namespace, "kind": "namespaces"}
            raise ApiError(404, "NotFound", f'namespaces "{call.namespace}" not found', details)
        if "deletionTimestamp" in found["metadata"]:
            words = f"unable to create new content in namespace {call.namespace} because it is being terminated"
            raise self._forbidden(call, words)

    def _over_quota(self, call: Call) -> ApiError | None:
        counted = "pods" if call.resource == "pods" else f"count/{self._full(call)}"
        for quota in self._listed("resourcequotas", call.namespace) if call.namespace else ():
            hard = ((quota.get("spec") or {}).get("hard") or {}).get(counted)
            used = len(self._listed(call.resource, call.namespace))
            if hard is not None and used >= int(hard):
                name = quota["metadata"]["name"]
                numbers = f"requested: {counted}=1, used: {counted}={used}, limited: {counted}={hard}"
                return self._forbidden(call, f"exceeded quota: {name}, {numbers}")
        return None

    def _modify(self, call: Call) -> Object:
        key, old = self._key(call), self._there(call)
        body = copy.deepcopy(call.body)
        given = body.get("metadata") or {} if isinstance(body, dict) else {}
        if given.get("resourceVersion") not in (None, "", old["metadata"]["resourceVersion"]):
            words = "the object has been modified; please apply your changes to the latest version and try again"
            raise self._conflict(call, words)
        if given.get("uid") not in (None, old["metadata"]["uid"]):
            raise self._conflict(call, f"Precondition failed: UID in precondition: {given['uid']}")
        new = merged(old, body) if call.verb == "patch" else body
        new["metadata"] |= {field: old["metadata"][field] for field in _SYSTEM if field in old["metadata"]}
        if call.resource in _WITH_STATUS:
            kept = old if call.subresource is None else new
            new = {**(new if call.subresource is None else old), "status": kept.get("status", {})}
        new = self._mutated("UPDATE", call, new, old)
        added = set(new["metadata"].get("finalizers") or []) - set(old["metadata"].get("finalizers") or [])
        if added and "deletionTimestamp" in old["metadata"]:
            words = "no new finalizers can be added if the object is being deleted"
            raise self._invalid(call, f"metadata.finalizers: Forbidden: {words}")
        error = self.refuse_later(call, new)
        if error:
            raise error
        return new if call.dry_run else self._update(key, _managed(new, old, call), call.user)

    def _mutated(self, operation: str, call: Call, new: Object, old: Object | None) -> Object:
        kind = self._kinds[call.resource]
        new |= {"apiVersion": kind.api_version, "kind": kind.kind}
        for wanted, plural, hook, when in self._hooks:
            if (wanted, plural) != (operation, call.resource) or call.subresource:
                continue
            review = self._admission_review(operation, call, new, old)
            if not when(review):
                continue
            try:
                response = hook(review)["response"]
            except (urllib3.exceptions.HTTPError, OSError) as error:
                words = f'failed calling webhook "mutate.medea.dev": failed to call webhook: {error}'
                raise ApiError(500, "InternalError", f"Internal error occurred: {words}") from error
            if response["uid"] != review["request"]["uid"]:
                raise ApiError(500, "InternalError", "Internal error occurred: the webhook answered another request")
            if not response["allowed"]:
                status = response.get("status") or {}
                words = f'admission webhook "mutate.medea.dev" denied the request: {status.get("message")}'
                raise ApiError(status.get("code") or 400, status.get("reason") or "", words, {"webhook": True})
            if response.get("patch"):
                new = jsonpatch.apply_patch(new, base64.b64decode(response["patch"]).decode())
        return new

    def _admission_review(self, operation: str, call: Call, new: Object, old: Object | None) -> Object:
        kind = self._kinds[call.resource]
        group, _, version = kind.api_version.rpartition("/")
        what = {"group": group, "version": version}
        options = {"kind": f"{operation.capitalize()}Options", "apiVersion": "meta.k8s.io/v1"}
        manager = call.query.get("fieldManager")
        request = {
            "uid": self._uid(),
            "kind": {**what, "kind": kind.kind},
            "resource": {**what, "resource": kind.plural},
            "operation": operation,
            "namespace": call.namespace or "",
            "name": new["metadata"].get("name", ""),
            "dryRun": call.dry_run,
            "userInfo": {"username": call.user, "groups": ["system:authenticated"]},
            "object": copy.deepcopy(new),
            "oldObject": copy.deepcopy(old),
            "options": {**options, **({"fieldManager": manager} if manager else {})},
        }
        return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}

    # --- small things

    def _review_access(self, call: Call) -> Object:
        body = copy.deepcopy(call.body)
        spec = body.get("spec") or {}
        if call.resource == SELF_REVIEWS.plural:
            return {**body, "status": {"userInfo": {"username": call.user}}}
        if call.resource == TOKEN_REVIEWS.plural:
            user = self.tokens.get(spec.get("token", ""))
            known = {"authenticated": True, "user": {"username": user}} if user else {"authenticated": False}
            return {**body, "status": known}
        return {**body, "status": {"allowed": self.allowed(spec)}}

    def _token(self, call: Call) -> Object:
        account = self._there(Call(**{**vars(call), "subresource": None}))["metadata"]
        seconds = min(int(call.body["spec"]["expirationSeconds"]), self.longest_token)
        begins = self.clock.time()
        subject = f"system:serviceaccount:{account['namespace']}:{account['name']}"
        claims = {"iat": int(begins), "exp": int(begins + seconds), "sub": subject, "jti": self._uid()}
        parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in ({}, claims, {})]
        token = b".".join(parts).decode()
        self.tokens[token] = subject
        return {**call.body, "status": {"token": token}}

    def _key(self, call: Call) -> Key:
        return call.resource, call.namespace or "", call.name or ""

    def _full(self, call: Call) -> str:
        group = self._kinds[call.resource].api_version.rpartition("/")[0]
        return f"{call.resource}.{group}" if group else call.resource

    def _details(self, call: Call) -> Object:
        group = self._kinds[call.resource].api_version.rpartition("/")[0]
        return {"name": call.name, "kind": call.resource, **({"group": group} if group else {})}

    def _conflict(self, call: Call, words: str) -> ApiError:
        full = f'Operation cannot be fulfilled on {self._full(call)} "{call.name}": {words}'
        return ApiError(409, "Conflict", full, self._details(call))

    def _forbidden(self, call: Call, words: str) -> ApiError:
        return ApiError(
            403, "Forbidden", f'{self._full(call)} "{call.name}" is forbidden: {words}', self._details(call)
        )

    def _invalid(self, call: Call, words: str) -> ApiError:
        name = call.name or ""
        return ApiError(422, "Invalid", f'{self._full(call)} "{name}" is invalid: {words}', self._details(call))


def _managed(new: Object, old: Object, call: Call) -> Object:
    """Note who wrote which of the parts of an object, as roughly as a kind without a schema shows it."""
    changed: Object = {f"f:{key}": {} for key in new if key not in ("apiVersion", "kind") and new[key] != old.get(key)}
    entries = [dict(one) for one in new["metadata"].get("managedFields") or [] if isinstance(one, dict)]
    manager = call.query.get("fieldManager") or call.user.rpartition(":")[2]
    own = next((one for one in entries if one.get("manager") == manager), None)
    if own is None:
        entries.append({"manager": manager, "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": changed})
    else:
        own["fieldsV1"] = {**own["fieldsV1"], **changed}
    return {**new, "metadata": {**new["metadata"], "managedFields": entries}}
