"""Limits of commands that a person waits for."""

# How long a command waits for the API: a person is waiting.
ASK_TIMEOUT = 10
# After a target is drained, for every process to hear of it by its watch.
DRAIN_HEARD = 2.0
# Targets that `medea target list` asks at once.
TARGETS_ASKED_AT_ONCE = 8
# How long a command waits for the ledger and the front door: a person is waiting.
COMMAND_WAIT = 20.0
# Rows read at once when a target is forgotten.
FORGET_PAGE = 500
# How long an uninstallation waits until Medea's pods are gone and no controller leads any more: a pod of the webhook
# has 30 seconds to end, and a lease lapses after LEASE_SECONDS.
UNINSTALL_STOP = 90.0
UNINSTALL_LOOK = 1.0
# Attempts to write to a Workflow that Argo's controller writes to at the same time.
UNINSTALL_TRIES = 8

DOOR_TIMEOUT = 5.0
"""Seconds that `medea check` waits for one of Medea's own Services."""

CERTIFICATE_SHORT = 1 / 6
"""Part of a serving certificate's life: with less than that left, `medea check` says that it was not renewed.

The leader renews it with a third left."""

OLDEST_POSTGRES = 14
"""The oldest Postgres that is still supported by its makers, and so by Medea."""
