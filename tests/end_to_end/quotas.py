"""What the quotas of a target have counted and refused, as its own apiserver says."""

import re

from tests.end_to_end.commands import kubectl

_REJECTED = re.compile(
    r'^apiserver_admission_controller_admission_duration_seconds_count\{(?=[^}]*name="ResourceQuota")'
    r'(?=[^}]*operation="CREATE")(?=[^}]*rejected="true")[^}]*\} (\d+)$',
    re.MULTILINE,
)


def refusals(target: str) -> int:
    """How many creates the quotas of a target have refused since its apiserver began."""
    metrics = kubectl(target, "get", "--raw", "/metrics").ok().out
    return sum(int(number) for number in _REJECTED.findall(metrics))
