"""How Medea makes itself known to Prometheus, or to what stands in front of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from requests import PreparedRequest, Session
from requests.auth import AuthBase, HTTPBasicAuth
from requests.exceptions import RequestException

from webhook.model.limits.scout import SECRET_FILE


@dataclass(frozen=True)
class Access:
    """A token or a user with a password, each in a file that is read for every request; headers; an authority.

    Files are read again because tokens and passwords in mounted Secrets change while Medea runs.
    """

    token_file: Path | None = None
    user: str | None = None
    password_file: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca: Path | None = None
    """File with the authority that vouches for Prometheus; None for the system's authorities."""

    def open(self, session: Session) -> None:
        """Have a session use all of it."""
        # Passwords in a .netrc, and authorities from the environment, would take precedence over what is set.
        session.trust_env = session.trust_env and self == OPEN
        session.headers.update(self.headers)
        session.verify = str(self.ca) if self.ca else True
        if self.token_file:
            session.auth = _Bearer(self.token_file)
        elif self.user is not None and self.password_file:
            session.auth = _Basic(self.user, self.password_file)


OPEN = Access()
"""A Prometheus that asks nobody who they are."""


class _Bearer(AuthBase):
    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {_secret(self._file)}"
        return request


class _Basic(AuthBase):
    def __init__(self, user: str, password_file: Path) -> None:
        self._user, self._file = user, password_file

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        HTTPBasicAuth(self._user.encode(), _secret(self._file).encode())(request)
        return request


def _secret(file: Path) -> str:
    """The content without the newline at its end. Raises RequestException, which never repeats any of it."""
    try:
        with file.open("rb") as opened:
            content = opened.read(SECRET_FILE + 1)
    except OSError as error:
        raise RequestException(f"{file} can't be read: {error.strerror}") from None
    try:
        secret = content.decode("utf-8").strip("\r\n ")
    except UnicodeDecodeError:
        raise RequestException(f"{file} holds no text") from None
    if not secret or len(content) > SECRET_FILE or not secret.isprintable():
        raise RequestException(f"{file} holds no secret: it must be one line of text")
    return secret
