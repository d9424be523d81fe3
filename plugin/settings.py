"""The plugin's settings, from the environment only: a sidecar in an agent pod can't mount volumes of its own."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PORT = 10947
"""Argo asks unpublished plugins to use ports above 10000."""


class SettingsError(Exception):
    """A setting is wrong; the message names the variable and what is expected."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of the plugin."""

    medea_url: str
    """Scheme, host and port of Medea's API; no path."""
    ca_pem: str
    """The only CAs that are trusted for Medea's certificate, as PEM. It may contain two, to rotate them."""
    port: int = PORT
    agent_token: Path = Path("/var/run/argo/token")
    """Argo's agent writes it before the sidecar starts; a caller with the same token is that agent."""
    own_token: Path = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
    """The token that the plugin sends to Medea."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read the settings. Raises SettingsError, which says which variable to change."""
        return cls(
            medea_url=_url(env),
            ca_pem=_pem(env),
            port=_port(env),
            agent_token=Path(env.get("MEDEA_PLUGIN_AGENT_TOKEN") or cls.agent_token),
            own_token=Path(env.get("MEDEA_PLUGIN_OWN_TOKEN") or cls.own_token),
        )


def _url(env: Mapping[str, str]) -> str:
    url = env.get("MEDEA_URL", "").rstrip("/")
    try:
        parts = urlsplit(url)
        # Only https, because a ServiceAccount token is sent there.
        right = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
        right = right and not (parts.path or parts.query or parts.fragment or parts.username)
    except ValueError:
        right = False
    if not right:
        raise SettingsError(f"MEDEA_URL is {url!r}: expected https://HOST or https://HOST:PORT, with no path")
    return url


def _pem(env: Mapping[str, str]) -> str:
    pem = env.get("MEDEA_CA_CERT", "").strip()
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ValueError, TypeError, ssl.SSLError):
        raise SettingsError(
            "MEDEA_CA_CERT holds no certificate: expected the text of ca.crt, -----BEGIN CERTIFICATE----- and on"
        ) from None
    return pem + "\n"


def _port(env: Mapping[str, str]) -> int:
    text = env.get("MEDEA_PLUGIN_PORT") or str(PORT)
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= 65535):
        raise SettingsError(f"MEDEA_PLUGIN_PORT is {text!r}: expected a number from 1 to 65535")
    return int(text)
