"""Every timeout, pause, length and number that an operator does not set, with its unit and its reason.

Times are in seconds unless a name says otherwise. What an operator may set is in `webhook.settings`.
"""

# --- kube

# A key that failed is tried again after RETRY_FIRST, then after twice as long each time, and at last every
# RETRY_LONGEST: what comes back is noticed within five seconds. RETRY_JITTER is the share of the pause that chance may
# add to it, so that thousands that failed together do not come back together.
RETRY_FIRST = 0.2
RETRY_LONGEST = 5.0
RETRY_DOUBLINGS = 5
RETRY_JITTER = 0.2
# What is told of one key within this time is looked at once: runs change in bursts.
MOMENT = 0.1

# Pause of a thread after an exception that nobody expected, so that the same one again costs little.
PAUSE_AFTER_A_BUG = 1.0

# A cluster that doesn't accept a connection within a second, or hasn't answered whole within five, is taken as away.
CONNECT_TIMEOUT = 1.0
READ_TIMEOUT = 5.0
# A page of a list may hold megabytes; more objects in one would make both sides hold too much at once.
LIST_TIMEOUT = 30.0
PAGE = 500
# A watch is ended by the server after WATCH_SECONDS and begun anew; the client ends it a little later, so that a
# connection that died without a word, or never says a whole one, is noticed.
WATCH_SECONDS = 20
WATCH_READ_TIMEOUT = WATCH_SECONDS + 5.0
# So many calls in a row must go unanswered before a cluster counts as away: one may be lost by any network.
UNANSWERED_CALLS = 2
# How often each target is asked whether it is there; while it is away more often, since work waits for it.
PROBE_EVERY = 5.0
PROBE_EVERY_WHILE_AWAY = 1.0
PROBE_TIMEOUT = 2.0
# Levels of nesting that are kept of an answer that is too deep for Python, which follows a thousand at most.
DEEPEST_ANSWER = 200
# Characters of an apiserver's refusal: a validation error may repeat a whole object.
LONGEST_STATUS = 4000
# A controller that is killed is followed by the next within the lease's length, well inside the 30 s that a recovery
# may take. One that can't renew ends RENEW_WITHIN after its last success began, so that a process that stands still
# for a moment just then has some seconds left.
LEASE_SECONDS = 8
RENEW_WITHIN = 5.0
RENEW_EVERY = 1.0
LEASE_TIMEOUT = 1.5
# For how long a controller that is told to end may end its work; Kubernetes gives a pod 30 s.
LEADER_PATIENCE = 10.0
# Events: three for each placement, at a hundred placements a second, at some 100 a second and thread. Beyond so many
# that wait, the next ones are dropped; a line says so every so many seconds. Kubernetes takes 1,024 characters.
EVENT_THREADS = 4
WAITING_EVENTS = 1000
EVENT_WARNING_EVERY = 60.0
LONGEST_EVENT = 1000
# Connections kept to one cluster.
CONNECTIONS = 32
# Pauses of a watch between failures, doubling. One that ends at once and empty has failed too.
WATCH_FIRST_PAUSE = 0.2
WATCH_LONGEST_PAUSE = 5.0
SHORTEST_WATCH = 1.0
# So many streams in a row may be refused, or break before they have told anything: then the list is read again.
FAILED_STREAMS = 2

# --- ledger

# Connections of one process; each thread that decides, looks or writes holds one for some milliseconds.
LEDGER_CONNECTIONS = 16
# The least that libpq knows. A Postgres that needs longer to take a connection is as good as away.
LEDGER_CONNECT_TIMEOUT = 2
# For a connection of the pool. A review may take ten seconds in all, and asks the ledger several times.
LEDGER_WAIT = 2.0
# For the answer to nothing, with which a connection is tried before it is used: less than LEDGER_WAIT.
LEDGER_CHECK_PATIENCE = 1.0
# No statement touches more than some thousand rows; one that takes this long waits for a lock.
LEDGER_STATEMENT_TIMEOUT = 5.0
# For an answer, after which the connection is given up: longer than Postgres itself needs to end a statement.
LEDGER_PATIENCE = 7.0
# A transaction whose process does nothing is ended by Postgres: its locks keep others waiting.
LEDGER_IDLE_TIMEOUT = 30.0
# Between two tries to reach a Postgres that is away.
LEDGER_RETRY = 1.0
# Between two tries to migrate that failed for a reason of their own: each leaves a traceback in the log.
LEDGER_BUG_RETRY = 30.0
# For the lock on a table. While a migration waits for it, so does everybody who comes after.
MIGRATION_LOCK_TIMEOUT = 2.0
# For one statement of a migration: an index on millions of rows takes minutes.
MIGRATION_PATIENCE = 1800.0
# Decisions about one placement that stay, beside the first: one that a full target sends back for weeks has thousands.
DECISIONS_KEPT = 20
# The last so many decisions are looked through for placements with too many: some sweeps' worth at 100 a second.
DECISIONS_LOOKED_AT = 5000
# Rows of up to some megabytes that are deleted, or rid of their templates, in one transaction.
RETIRE_BATCH = 20

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
# Namespaces that did not opt in and are read because somebody looked at them; the longest ago goes first.
SAMPLE_ASKED = 100
# Characters of all names of namespaces together up to which Prometheus is asked for these alone: the query names them
# eight times, and with more it would no longer fit into what proxies take for an address.
NARROW_QUERY = 400

# --- namespaces

# Until a probe that was taken up is made anew, in case the controller has been stopped since.
PROBE_RENEWED_AFTER = 60.0
NAMESPACE_TIMEOUT = 2.0
"""Seconds for the front door to show a namespace or its probe: a target has still to be asked in the same review."""
QUIET_REMEMBERED = 120.0
"""Seconds for which a namespace counts as quiet after its probe has vanished: `argo delete --all` takes it along, and
its successor has to be quiet for a while before it says anything."""
PREPARE_BUDGET = 4.0
"""Seconds in all for what a namespace needs, and for whoever waits for somebody who is at it: six small writes."""
PREPARE_TIMEOUT = 2.0
"""Seconds for one of them."""
PREPARED_REMEMBERED = 300.0
"""Seconds until a namespace's accounts are made sure of anew, in case somebody deleted them. Six writes a namespace."""

# --- admission

REVIEW_TIMEOUT = 10.0
"""Seconds that an apiserver waits for a review, where it does not say: the default of its own."""
REVIEW_LONGEST = 30.0
"""Seconds: more than this no apiserver waits, whatever somebody says."""
REVIEW_MARGIN = 1.5
"""Seconds of it that are not used: the answer has to travel, and the last call may take a second longer to connect."""
OWN_NAME_TIMEOUT = 2.0
"""Seconds for the front door to say under which name Medea talks to it. The first review that needs it waits."""
NAME_TIMEOUT = 2.0
"""Seconds for the front door to say whether a name is free."""
TEMPLATE_TIMEOUT = 3.0
"""Seconds for one WorkflowTemplate. An apiserver that has just begun, on a busy machine, was seen to take two."""
TEMPLATES_BUDGET = 3.0
"""Seconds for all of them together."""
MOST_TEMPLATES = 60
"""WorkflowTemplates that one Workflow may refer to: each is a request to the front door."""
RESERVE_NEEDS = 1.0
"""Seconds that must be left when room is reserved: with fewer the apiserver would no longer hear of it."""
PREFLIGHT_TIMEOUT = 2.0
"""Seconds for a target's dry run."""
PREFLIGHT_BUDGET = 4.0
"""Seconds for all targets that are asked, one after the other."""
PREFLIGHT_NEEDS = 0.5
"""Seconds below which a target is not asked any more."""
RETRY_TIMEOUT = 2.0
"""Seconds for a target to show a run that is to be retried; away, it gets the verb when it is back."""

LONGEST_DECISION = 1000
"""Characters of the annotations that say why: a hundred targets have a lot to say."""

WEIGH_BUDGET = 3.0
"""Seconds to find out what a Workflow needs."""
WEIGH_SUM_SECONDS = 1.0
"""Seconds of them that the walk leaves for the sum of everything, which is taken where the walk is too dear."""
WEIGH_MOST_AT_ONCE = 2
"""Heavy Workflows weighed at once: it is all one interpreter's work, and light reviews go on beside them."""
WEIGH_LIGHT_CALLS = 300
"""Calls of templates up to which a Workflow is light: some milliseconds."""
WEIGH_MOST_CALLS = 5000
"""Calls of templates that are walked through; about a second."""
WEIGH_MOST_SUMMED = 50_000
"""Tasks that are added up; more than an object of 1.5 MB can hold."""
WEIGH_MOST_FLOW = 2_500_000
"""Work of flows, in squares of their tasks: about a second, or 27 flows of 300 tasks. Then bounds above them do."""
WEIGH_MOST_EXACT = 300
"""Tasks of one flow; beyond, a bound above it does."""
WEIGH_DEEPEST = 50
"""Templates that call each other in a row. Each takes several of the interpreter's 1,000 frames."""
WEIGH_MOST_ROUNDS = 100
"""Rounds of a loop that are looked at one by one; those after them count as the largest of these."""
WEIGH_MOST_PODS = 2000
"""A limit on pods beyond this one is none: it would only make the arithmetic long."""
TAGS_LONGEST = 64 * 1024
"""Characters that the tags of one text may be filled with; beyond, what they stand for is unknown."""
INPUTS_LONGEST = 256 * 1024
"""Characters of all inputs of one call of a template; beyond, they are unknown."""

# --- controller

# Placements looked at once at most, and of those of one target: one that hangs leaves the others three quarters.
WORKERS = 16
WORKERS_PER_TARGET = 4
# A target that doesn't answer for so long is away: what no create was tried for goes elsewhere, and what runs there
# says so. An apiserver that is restarted is back sooner.
AWAY_GRACE = 10.0
# How often it is looked whether targets went away or came back.
TICK = 1.0
# Until a target whose quota of objects is full is asked again for the same namespace.
NO_ROOM_PAUSE = 15.0
# Steps for one placement in a row. None needs more; this bounds a plan that goes round in circles.
MOST_STEPS = 12
# Rows that the sweep reads or retires at once, and how often it retires: more than a hundred a second may end.
SWEEP_PAGE = 1000
RETIRE_ROUNDS = 5
# Deletes of one namespace that a sweep waits for in vain: each takes READ_TIMEOUT, and everything else waits for it.
MOST_SILENT = 3
# Until it is said that the first list of a watch is still awaited.
FIRST_LIST = 30.0
# For what is in hand when the process is asked to end: one call to a cluster, or it is cut off.
STOP_PATIENCE = 3.0
# Seconds: many things may free room at once, and looking at the queue once for all of them is enough.
QUEUE_GATHER = 0.1

# --- api

SUBMIT_TIMEOUT = 15.0
"""Seconds for a submission at the front door, which waits for Medea's own review of it."""
ARGO_SERVER_CONNECT = 1.0
ARGO_SERVER_READ = 12.0
"""Seconds: argo-server reads and writes through the apiserver, which waits for Medea's own review."""
SLOT_WAIT = 1.0
"""Seconds to wait for a place among the calls that end in a review of Medea's own."""
LONGEST_IDENTITY = 128
"""Characters of the name of whom a caller submits for."""
LARGEST_BODY = 4 * 1024 * 1024
"""Bytes: an object is at most 1.5 MiB to Kubernetes, and a review may hold it twice."""
MOST_DRAINED = 32 * 1024 * 1024
"""Bytes of a body that is too large that are still read: a client that is cut off while it writes sees no answer."""
TRACK_GOING = 5
"""Seconds until a plugin asks again about a Workflow whose run is about to begin."""
TRACK_QUEUED = 20
"""Seconds, about, until it asks again about one that waits: so old may the message be that says for what."""
TRACK_RUNNING = 60
"""Seconds, about, until it asks again about one that runs: 10,000 of them are 170 questions a second. The end of a run
is written into the origin as it happens, so nothing waits for this."""
TOKENS_TRUSTED = 60.0
"""Seconds for which a token that was right is not asked about again. One that is revoked counts for so long."""
TOKENS_KEPT = 4096
"""Tokens that are remembered: one for each namespace, and while they are replaced two."""

# --- logs

MIRROR_WORKERS = 4
# Until it is said that the first lists are still awaited.
MIRROR_FIRST_LIST = 30.0
# Between two heartbeats of the Nodes. As a kubelet's, one counts as lost NODE_LEASE_SECONDS after the last: when four
# have failed.
NODE_BEAT = 10.0
NODE_LEASE_SECONDS = 40
# A Node's status that says nothing new is written again after this, as kubelets do; the lease tells that it is alive.
NODE_STATUS_EVERY = 240
# For how long a yes about who may read logs counts.
ACCESS_FRESH = 60.0
# For how long a target may say nothing. Whoever follows a log that is silent asks again after that, unless nobody
# listens any more; whoever does not follow one is owed an answer.
LOG_SILENCE = 10.0
LONGEST_LOG_SILENCE = 30.0
# A pod runs a moment before its container does, and `argo logs -f` asks but once.
LONGEST_CONTAINER_START = 60.0
LOG_AGAIN = 0.3
# For how long a reader may read nothing while there is something: a person with a pager may.
READERS_PATIENCE = 600.0
# Bytes of a log that are passed on at once.
LOG_PIECE = 64 * 1024

# --- server

# For a client of the controller's metrics and health to send its request.
HEALTH_TIMEOUT = 5
SERVER_SILENCE = 3.0
"""Seconds: a client that says nothing halfway through a request holds a thread for so long, and no longer."""
SERVER_KEEP_ALIVE = 120
"""Seconds: the apiserver keeps its connections for 90; a server that closes them first makes reviews fail."""
SERVER_CONNECTIONS = 16_384
"""Connections at once, idle ones included; beyond, none is accepted, and no review comes through. Plugins ask once a
minute on a connection that they close again, so 10,000 held Workflows have some ten open; those of an older version
keep theirs, one each. Apiservers and 100 clients of the API are some hundreds. An idle one takes some tens of KB."""
SERVER_FIRST_BYTE = 10.0
"""Seconds in which whoever connects has to say something. Waiting for it costs no thread."""
SERVER_SPARE_FILES = 1024
"""Files and connections to elsewhere that a process needs beside those: they share one limit of the system's."""
SERVER_GRACE = 4
"""Seconds that requests under way have when the process is told to end; it is gone within five."""

# --- admin

# For the ledger and the front door, by a command that a person waits for.
COMMAND_WAIT = 20.0
# Rows of a target that are read at once to be forgotten.
FORGET_PAGE = 500
