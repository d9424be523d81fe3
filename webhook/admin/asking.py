"""Asks Medea's API as the person at the command line."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import requests
import typer

from webhook.errors import MedeaError
from webhook.kube.client import authorization_of
from webhook.model.limits.admin import ASK_TIMEOUT
from webhook.settings import Settings

TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        envvar="MEDEA_API_TOKEN_FILE",
        help="File with a token to ask with; else the one of KUBECONFIG, or of this pod.",
    ),
]
"""The option of all commands that ask."""


def ask(settings: Settings, path: str, *, token_file: Path | None) -> dict[str, Any]:
    """The API's answer to GET `path`. Raises MedeaError with the API's own words, or why there is no answer."""
    return _answer(settings, "GET", path, token_file, None)


def post(settings: Settings, path: str, body: dict[str, Any], *, token_file: Path | None) -> dict[str, Any]:
    """Likewise its answer to POST."""
    return _answer(settings, "POST", path, token_file, body)


def _answer(
    settings: Settings, method: str, path: str, token_file: Path | None, body: dict[str, Any] | None
) -> dict[str, Any]:
    url = settings.medea_scout_url.rstrip("/") + path
    # An open API is plain HTTP, and wants no token.
    closed = urlsplit(url).scheme == "https"
    header, source = _authorization(settings, token_file) if closed else (None, "")
    try:
        with requests.Session() as session:
            # Neither a .netrc nor a proxy may change who asks whom.
            session.trust_env = False
            answer = session.request(
                method,
                url,
                json=body,
                headers={"Authorization": header} if header else {},
                timeout=ASK_TIMEOUT,
                verify=str(settings.medea_api_ca) if settings.medea_api_ca else True,
                allow_redirects=False,
            )
            found = answer.json()
    except requests.exceptions.SSLError as error:
        raise MedeaError(
            f"{url} does not speak TLS that is trusted here (MEDEA_API_CA is the file of its authority): {error}"
        ) from error
    except requests.RequestException as error:
        raise MedeaError(f"{url} did not answer: {error}") from error
    if answer.status_code == 200 and isinstance(found, dict):
        return found
    try:
        words = str(found["error"]["message"])
    except (KeyError, TypeError):
        words = f"{url} answered {answer.status_code}, and nothing that Medea would say"
    raise MedeaError(f"{words} (with the token {source})" if answer.status_code in (401, 403) and source else words)


def _authorization(settings: Settings, token_file: Path | None) -> tuple[str, str]:
    """The header, and where its token is from: the file, else KUBECONFIG, else the pod that this runs in."""
    if token_file is not None:
        try:
            token = token_file.read_text().strip()
        except (OSError, ValueError) as error:
            raise MedeaError(f"--token-file is {token_file}, which can't be read: {type(error).__name__}") from None
        if not token or not token.isascii() or not token.isprintable():
            raise MedeaError(f"--token-file is {token_file}, which must hold a token and nothing else")
        return f"Bearer {token}", f"of {token_file}"
    header = authorization_of(str(settings.kubeconfig) if settings.kubeconfig else None)
    source = f"of {settings.kubeconfig}" if settings.kubeconfig else "of this pod"
    if header is None:
        raise MedeaError(
            f"Medea's API wants a token, and {settings.kubeconfig or 'this pod'} has none; give one by --token-file, "
            "such as what `kubectl create token ACCOUNT` prints"
        )
    return header, source
