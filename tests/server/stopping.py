"""`python -m tests.server.stopping`: the real door of the webhook, where a review takes as long as a test wants.

The environment has Medea's settings, and in BEGUN and GO_ON two named pipes: a review writes to the one and waits for
the other.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from webhook.admission.wire import Review, allow
from webhook.model.deadline import Deadline
from webhook.server.apps import create_webhook_app
from webhook.server.clients import Clients
from webhook.server.doors import DoorName, door_of
from webhook.server.server import Served, Server
from webhook.settings import Settings
from webhook.wiring.doors import Background


class Held:
    """Stands for the admission: it says that a review has come, and answers when it may."""

    def review(self, review: Review, _: Deadline) -> dict[str, Any]:
        """The answer, late."""
        Path(os.environ["BEGUN"]).write_text("begun")
        Path(os.environ["GO_ON"]).read_text()
        return allow(review)


def main() -> None:
    """Serve until told to end."""
    settings, held = Settings(), Held()
    background = Background()

    def make() -> Served:
        admission: Any = held
        return Served(
            create_webhook_app(admission, background, Clients(settings.medea_webhook_client_name)), background
        )

    door = replace(door_of(DoorName.WEBHOOK, settings), make=make)
    Server(settings, door).run()


if __name__ == "__main__":
    main()
