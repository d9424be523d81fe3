"""A path that is no path to anything Medea offers is refused; none reaches an object with Medea's rights."""

import json
import socket
import ssl

import pytest

from tests.end_to_end.medea import BALANCER, CA, administrator

NAMES = [
    "..",
    ".",
    "%2e%2e",
    "..%2f..%2fsecrets",
    "%2e%2e%2f%2e%2e",
    "a%20b",
    "%20",
    "a%00b",
    "%ff%fe",
    "%ed%a0%80",
    "a%3fwatch=true",
    "a%23b",
    "A",
    "-a",
    "a;b",
    "*",
    "%E2%98%83",
    "a%0d%0ab",
    "x" * 300,
    "x" * 1500,
]
ROUTES = [
    "GET /api/v1/workflows/argo-workflows/{}",
    "GET /api/v1/workflows/{}/some-workflow",
    "GET /api/v1/workflows/{0}/{0}",
    "DELETE /api/v1/workflows/argo-workflows/{}",
    "DELETE /api/v1/workflows/{}/some-workflow",
    "PUT /api/v1/workflows/argo-workflows/{}/stop",
    "PUT /api/v1/workflows/{}/some-workflow/stop",
    "PUT /api/v1/workflows/argo-workflows/some-workflow/{}",
    "POST /api/v1/workflows/{}/submit",
    "GET /api/v1/targets/{}",
    "GET /api/v1/placements/{}",
]
BODY = b'{"resourceKind": "WorkflowTemplate", "resourceName": "absent"}'


@pytest.mark.parametrize("route", ROUTES)
def test_a_name_that_is_none_is_refused_in_the_one_shape(route: str) -> None:
    for name in NAMES:
        status, body = _raw(route.format(name).encode())
        assert 400 <= status < 500, (name, status, body[:300])
        # A name with a slash in it is another path, and `..` may be resolved on the way: all are refused alike.
        error = json.loads(body)["error"]
        assert error["code"] and error["message"], name


@pytest.mark.parametrize(
    "target", [b"GET /healthz x", b"GET \xff\xfe", b"GET /\x00", b"GET", b"G\x00T /healthz", b"GET /" + b"x" * 9000]
)
def test_a_request_line_that_is_none_is_refused(target: bytes) -> None:
    status, _ = _raw(target)
    assert 400 <= status < 500


def _raw(line: bytes) -> tuple[int, bytes]:
    """Send a request line as it is: HTTP libraries would mend it. Returns status and body."""
    context = ssl.create_default_context(cafile=CA)
    with (
        socket.create_connection(("127.0.0.1", int(BALANCER.rpartition(":")[2])), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as tls,
    ):
        body = BODY if line.startswith(b"POST") else b""
        length = str(len(body)).encode()
        token = administrator().encode()
        head = [b"Host: medea", b"Connection: close", b"Content-Length: " + length, b"Authorization: Bearer " + token]
        # At once: an answer to the head alone may end the connection before the body is on its way.
        tls.sendall(b"\r\n".join([line + b" HTTP/1.1", *head, b"", body]))
        answer = b""
        while received := tls.recv(65536):
            answer += received
    said, _, content = answer.partition(b"\r\n\r\n")
    return int(said.split()[1]), content
