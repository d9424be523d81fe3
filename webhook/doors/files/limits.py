"""How many jobs of one user a service runs at once: SERVICE_<NAME>_RUNS_PER_USER, as the Orchestrator does. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from webhook.errors import BadRequest, wrong_field

RUNS_PER_USER = 5
# The Orchestrator takes the name in small letters, too.
_VARIABLE = re.compile(r"SERVICE_(?P<name>[A-Za-z0-9_.-]+)_RUNS_PER_USER")
_MOST = 65535
_OTHERS = re.compile(r"[^A-Z0-9]")


@dataclass(frozen=True)
class RunsPerUser:
    """The limits, by a service's name in capitals."""

    by_service: Mapping[str, int] = field(default_factory=dict)

    def of(self, service: str) -> int:
        """How many of one user may run at once."""
        return self.by_service.get(_capital(service), RUNS_PER_USER)


def runs_per_user(environment: Mapping[str, str]) -> RunsPerUser:
    """What the environment says. Raises BadRequest with the variable that is wrong."""
    found = {}
    for name, value in environment.items():
        match = _VARIABLE.fullmatch(name)
        if match is None:
            continue
        if not (value.isascii() and value.isdigit() and 0 < int(value) <= _MOST):
            raise wrong_field(BadRequest, name, value, f"it must be a whole number from 1 to {_MOST}")
        found[_capital(match["name"])] = int(value)
    return RunsPerUser(found)


def _capital(service: str) -> str:
    """A service's name as it is in the name of a variable: `my-tool` is SERVICE_MY_TOOL_RUNS_PER_USER."""
    return _OTHERS.sub("_", service.upper())
