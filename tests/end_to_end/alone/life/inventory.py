"""What is on a cluster, object by object, before and after."""

from collections.abc import Callable, Collection

from tests.end_to_end.commands import kubectl
from tests.end_to_end.waiting import eventually

EVENTS = ("events", "events.events.k8s.io")
"""They come and go by themselves."""


def listed(cluster: str, columns: str, *, but: Collection[str]) -> list[str]:
    """A line with these columns for every object that can be listed, except those of some kinds."""
    kinds = kubectl(cluster, "api-resources", "--verbs=list", "-o", "name").ok().out.split()
    wanted = ",".join(kind for kind in kinds if kind not in but)
    words = ("get", wanted, "-A", "--no-headers", "--ignore-not-found", "-o", f"custom-columns={columns}")
    return kubectl(cluster, *words).ok().out.splitlines()


def check_nothing_is_left(cluster: str, left: Callable[[], Collection[str]]) -> None:
    """That there is nothing of `left`, once Kubernetes has taken away what lost its owner."""
    eventually(lambda: not left(), lambda: f"nothing is left on {cluster}, but {left()}")
