"""Limits of Postgres."""

# Connections per process; a thread holds one for some milliseconds.
LEDGER_CONNECTIONS = 16
# The shortest that libpq allows. A Postgres that takes longer to accept a connection counts as away.
LEDGER_CONNECT_TIMEOUT = 2
# Waiting for a connection from the pool. A review has ten seconds in all, and asks the ledger several times.
LEDGER_WAIT = 2.0
# For the empty query that checks a connection before it is used: less than LEDGER_WAIT.
LEDGER_CHECK_PATIENCE = 1.0
# No statement touches more than some thousand rows; one that takes longer than this is waiting for a lock.
LEDGER_STATEMENT_TIMEOUT = 5.0
# For an answer before the connection is given up: longer than LEDGER_STATEMENT_TIMEOUT, after which Postgres answers.
LEDGER_PATIENCE = 7.0
# Postgres ends a transaction that is idle for this long, since its locks keep others waiting.
LEDGER_IDLE_TIMEOUT = 30.0
# Between two attempts to reach a Postgres that is away.
LEDGER_RETRY = 1.0
# Between two looks whether a Postgres that is being restarted is back, while reviews wait for it.
LEDGER_LOOK_AGAIN = 0.2
# Reviews that wait so at once: each holds a thread, of which there are 512.
LEDGER_PATIENT = 256
# After so long it is no restart. Until then users are told to come again, and argo and kubectl do so by themselves.
LEDGER_GIVEN_UP = 60.0
# Between two attempts to migrate that failed although Postgres answered: each logs a traceback.
LEDGER_BUG_RETRY = 30.0
# For a migration to get the lock on a table. While it waits, all later statements wait behind it.
MIGRATION_LOCK_TIMEOUT = 2.0
# Between two looks whether another process is still migrating.
MIGRATION_LOOK_AGAIN = 0.1
# For one statement of a migration: an index on millions of rows takes minutes.
MIGRATION_PATIENCE = 1800.0
# Decisions kept per placement, beside the first: one that full targets send back for weeks has thousands.
DECISIONS_KEPT = 20
# Placements with too many decisions are looked for among this many latest ones: a few sweeps' worth at 100 a second.
DECISIONS_LOOKED_AT = 5000
# Rows, of up to some megabytes each, that one transaction deletes or strips of their templates.
RETIRE_BATCH = 20
# Demands of placements that a process keeps in mind: some kilobytes each, and a namespace has a few per template.
DEMANDS_KEPT = 10_000
# Locks for the names that Workflows share, a power of two. Postgres has room for 6,400 in all transactions together, or
# for 1,280 where it allows only 20 connections.
NAME_LOCKS = 256
