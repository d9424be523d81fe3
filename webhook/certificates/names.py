"""The names that Medea's serving certificate holds. Pure."""

import ipaddress

from certs import authority

SERVICES = ("medea", "medea-plugin", "medea-api", "medea-logs", "medea-files", "medea-classes")


def names_in(namespace: str, more: str = "") -> authority.Names:
    """Those of Medea's Services in their namespace, and `more`: names and addresses by commas. Raises ValueError."""
    names = [f"{service}.{namespace}.{end}" for service in SERVICES for end in ("svc", "svc.cluster.local")]
    others = [one.strip() for one in more.split(",") if one.strip()]
    ips = [one for one in others if _is_address(one)]
    return authority.subjects([*names, *(one for one in others if one not in ips)], ips)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
