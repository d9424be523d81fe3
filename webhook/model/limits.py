"""Every timeout, pause, length and number that an operator does not set, with its unit and its reason.

Times are in seconds unless a name says otherwise. What an operator may set is in `webhook.settings`.
"""

# --- kube

# --- ledger

LEDGER_CONNECT_TIMEOUT = 2
"""The least that libpq knows. A Postgres that needs longer to take a connection is as good as away."""

LEDGER_WAIT = 2.0
"""For a connection of the pool. A review may take ten seconds in all, and asks the ledger several times."""

LEDGER_CHECK_PATIENCE = 1.0
"""For the answer to nothing, with which a connection is tried before it is used: less than LEDGER_WAIT."""

LEDGER_STATEMENT_TIMEOUT = 5.0
"""No statement touches more than some thousand rows; one that takes this long waits for a lock."""

LEDGER_PATIENCE = 7.0
"""For an answer, after which the connection is given up: longer than Postgres itself needs to end a statement."""

LEDGER_RETRY = 1.0
"""Between two tries to reach a Postgres that is away."""

LEDGER_BUG_RETRY = 30.0
"""Between two tries to migrate that failed for a reason of their own: each leaves a traceback in the log."""

DECISIONS_KEPT = 20
"""Of one placement, beside the first: one that is sent back by a full target for weeks has thousands."""

DECISIONS_LOOKED_AT = 5000
"""The last so many are looked through for placements with too many: some sweeps' worth at 100 placements a second."""

MIGRATION_LOCK_TIMEOUT = 2.0
"""For the lock on a table. While a migration waits for it, so does everybody who comes after."""

MIGRATION_PATIENCE = 1800.0
"""For one statement of a migration: an index on millions of rows takes minutes."""

# --- scout

# --- namespaces

# --- admission

# --- controller

# --- api

# --- logs

# --- server
