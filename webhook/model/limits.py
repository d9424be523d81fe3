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

# Characters of a reason: it is an annotation on the origin, read by people, and a hundred targets have more to say.
REASON_LENGTH = 1000
# So many of a queue are told what each target lacks; the others only how many are before them. Nobody reads more.
REASONS_KEPT = 20
# Seconds between two times that all others are told: it means going through the whole queue.
QUEUE_TELL_EVERY = 10.0
# Queued Workflows looked at in one transaction: a submit waits for no more than these while the queue is served.
QUEUE_BATCH = 50
# Seconds for which a queue that nothing can leave is not looked at again while nothing that matters has changed. The
# look after that is only a safety net.
QUEUE_LOOK_AGAIN = 60.0
# Placements of one namespace that may hold room before their origin has been seen. Creates that fail after admission
# hold room until they expire. What comes past this number is queued, and gets room once its origin is there. A busy
# namespace has a hundred creates a second, each seen within a second.
UNBOUND_RESERVATIONS = 200
# Seconds to wait for one's turn in a namespace: as long as for a connection to the ledger. A review has ten in all.
NAMESPACE_TURN = 2.0
# Seconds: a socket to Prometheus may be silent for SAMPLE_READ_TIMEOUT, and the whole answer may take SAMPLE_DEADLINE;
# 41 MB, of 100 targets and 200 namespaces, took 3.3 on a busy machine. SAMPLE_BYTES bounds the memory that one answer
# takes. SAMPLE_SHARE is the share of the time that may go into reading: where an answer takes longer, it is asked for
# less often, and samples are still much younger than those that exclude a target.
SAMPLE_READ_TIMEOUT = 5
SAMPLE_DEADLINE = 10.0
SAMPLE_BYTES = 256 << 20
SAMPLE_SHARE = 0.25
# Seconds between two reads at least, also while Prometheus refuses them and a namespace waits for its first.
SAMPLE_SOONEST = 0.5
# Seconds for which a snapshot that Prometheus no longer shows stays known: old samples exclude a target with a reason
# that people understand, and its whole quota still tells what could never fit.
SAMPLE_KEPT = 3600.0
# Characters of all names of namespaces together up to which Prometheus is asked for these alone: the query names them
# eight times, and with more it would no longer fit into what proxies take for an address.
NARROW_QUERY = 400

# --- namespaces

# --- admission

# --- controller

# Seconds: many things may free room at once, and looking at the queue once for all of them is enough.
QUEUE_GATHER = 0.1

# --- api

# --- logs

# --- server
