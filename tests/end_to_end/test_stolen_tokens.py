"""With a token of one of Medea's accounts nobody gets further than Medea itself: tried at the real apiserver."""

import json
from collections.abc import Callable, Iterator

import pytest
import requests

from tests.end_to_end import attempts
from tests.end_to_end.attempts import SYSTEM, Attempt
from tests.end_to_end.objects import connection
from tests.end_to_end.workspace import WorkspaceMaker

Try = Callable[[Attempt], requests.Response]


@pytest.fixture(scope="module")
def thief(make_workspace: WorkspaceMaker) -> Iterator[Try]:
    """Tries something with the token of the account whose it is; as a dry run, so that nothing has to be mended."""
    names = {"opted": make_workspace().name, "other": make_workspace(enabled=False).name}
    names["none"] = make_workspace(hold="none").name
    admin, server = connection("front")
    names["node"] = next(
        one["metadata"]["name"]
        for one in admin.get(f"{server}/api/v1/nodes", timeout=60).json()["items"]
        if not one["metadata"]["name"].startswith("medea-")
    )
    with Intruder(admin, server, names) as intruder:
        yield intruder.attempt


class Intruder:
    """Has what others own made by `admin`, and speaks to `server` with tokens of Medea's accounts."""

    def __init__(self, admin: requests.Session, server: str, names: dict[str, str]) -> None:
        self._admin, self._server, self._names = admin, server, names
        self._tokens: dict[str, str] = {}

    def __enter__(self) -> "Intruder":
        for path, body in attempts.bystanders():
            answer = self._admin.post(self._filled(self._server + path), json=self._body(body), timeout=60)
            assert answer.status_code in (201, 409), answer.text
        return self

    def __exit__(self, *_: object) -> None:
        for path, body in attempts.bystanders():
            one = f"{self._server}{path}/{body['metadata']['name']}?gracePeriodSeconds=0"
            self._admin.delete(self._filled(one), timeout=60)

    def attempt(self, one: Attempt) -> requests.Response:
        """The apiserver's answer."""
        headers = {"Authorization": f"Bearer {self._token(one.who)}", **one.headers}
        if one.method == "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
        path = self._filled(self._server + one.path)
        dry = "" if one.method == "GET" else ("&" if "?" in path else "?") + "dryRun=All"
        data = None if one.body is None else json.dumps(self._body(one.body))
        headers.setdefault("Content-Type", "application/json")
        return requests.request(
            one.method, path + dry, data=data, headers=headers, verify=self._admin.verify, timeout=60
        )

    def _token(self, account: str) -> str:
        if account not in self._tokens:
            path = f"{self._server}/api/v1/namespaces/{SYSTEM}/serviceaccounts/{account}/token"
            body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
            answer = self._admin.post(path, json=body, timeout=60)
            answer.raise_for_status()
            self._tokens[account] = answer.json()["status"]["token"]
        return self._tokens[account]

    def _filled(self, text: str) -> str:
        for name, value in self._names.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def _body(self, body: attempts.Object) -> attempts.Object:
        filled: attempts.Object = json.loads(self._filled(json.dumps(body)))
        return filled


@pytest.mark.parametrize("one", list(attempts.forbidden()), ids=str)
def test_no_account_of_medeas(thief: Try, one: Attempt) -> None:
    answer = thief(one)
    assert answer.status_code == 403, answer.text


@pytest.mark.parametrize("one", list(attempts.needed()), ids=str)
def test_what_medea_needs(thief: Try, one: Attempt) -> None:
    answer = thief(one)
    # What is there already was let through to where that is noticed.
    assert answer.status_code in (200, 201, 409), answer.text
