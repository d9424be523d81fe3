"""`python -m tests.logs.entering`: the real door for logs, with one target, at TARGET, whose pods anybody may enter."""

import os
from dataclasses import replace
from typing import Any, cast

from kubernetes.client import Configuration

from webhook.kube.client import Cluster
from webhook.logs.access import Access
from webhook.logs.endpoint import Endpoint, create_log_app
from webhook.logs.places import Places
from webhook.logs.reader import Source
from webhook.logs.sessions import Sessions
from webhook.server.doors import DoorName, door_of
from webhook.server.server import Served, Server
from webhook.settings import Settings
from webhook.wiring.doors import Background


class Allowed:
    """Lets everybody pass."""

    def check(self, _certificate: object, *, verb: str) -> None:
        """Nothing is wrong."""
        assert verb == "create"


def sessions_at(url: str, most: int) -> Sessions:
    """Sessions in the pods of the target at this URL."""
    configuration = Configuration()
    configuration.host = url
    west = Cluster("west", configuration)
    return Sessions(
        lambda namespace, _: Source(west, namespace, "real", ("main", "wait")), cast("Access", Allowed()), Places(most)
    )


def main() -> None:
    """Serve until told to end."""
    settings, nothing = Settings(), cast("Any", None)

    def make() -> Served:
        sessions = sessions_at(os.environ["TARGET"], settings.medea_logs_sessions)
        return Served(create_log_app(cast("Endpoint", nothing), sessions), Background())

    door = door_of(DoorName.LOGS, settings)
    assert door.tls is not None
    # Whose certificate is shown is not what this is about.
    Server(settings, replace(door, make=make, tls=replace(door.tls, required=False))).run()


if __name__ == "__main__":
    main()
