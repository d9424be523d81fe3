"""Every timeout, pause, size and count that operators can't set, with its unit and reason.

Times are in seconds unless a comment says otherwise. What operators can set is in `webhook.settings`.
"""

# --- kube

# A key that failed is retried after RETRY_FIRST, then after twice as long each time, up to RETRY_LONGEST: a cluster
# that comes back is noticed within five seconds. Up to RETRY_JITTER of the pause is added at random, so that thousands
# of keys that failed together are not retried together.
RETRY_FIRST = 0.2
RETRY_LONGEST = 5.0
RETRY_DOUBLINGS = 5
RETRY_JITTER = 0.2
# Changes to one key within this time are handled together: runs change in bursts.
MOMENT = 0.1

# Pause of a thread after an unexpected exception, so that one that keeps coming back costs little.
PAUSE_AFTER_A_BUG = 1.0

# A call counts as unanswered if the connection takes longer than a second, or the whole answer longer than five.
CONNECT_TIMEOUT = 1.0
READ_TIMEOUT = 5.0
# One page of a list may have megabytes; PAGE is the number of objects, few enough for the memory of both sides.
LIST_TIMEOUT = 30.0
PAGE = 500
# The server ends a watch after WATCH_SECONDS, and it is begun again. The client gives up a little later, so that it
# notices a dead connection.
WATCH_SECONDS = 20
WATCH_READ_TIMEOUT = WATCH_SECONDS + 5.0
# A cluster counts as away after this many unanswered calls in a row: any network may lose a single one.
UNANSWERED_CALLS = 2
# How often each target is probed; more often while it is away, since work waits for it.
PROBE_EVERY = 5.0
PROBE_EVERY_WHILE_AWAY = 1.0
PROBE_TIMEOUT = 2.0
# Levels of nesting kept of an answer that is too deep for Python's recursion limit of a thousand.
DEEPEST_ANSWER = 200
# Characters kept of an apiserver's refusal: a validation error may repeat a whole object.
LONGEST_STATUS = 4000
# When a controller is killed, the next one takes over within LEASE_SECONDS, well within the 30 s that a recovery may
# take. One that can't renew its lease ends RENEW_WITHIN after the start of its last successful renewal, which leaves
# some seconds in case the process stalls just then.
LEASE_SECONDS = 8
RENEW_WITHIN = 5.0
RENEW_EVERY = 1.0
LEASE_TIMEOUT = 1.5
# Time for a controller to finish its work when it is told to end; Kubernetes gives a pod 30 s.
LEADER_PATIENCE = 10.0
# Each placement makes three Events, a hundred placements a second are expected, and a thread sends some 100 Events a
# second. When WAITING_EVENTS are waiting, further ones are dropped, with a log line at most every EVENT_WARNING_EVERY.
# LONGEST_EVENT is in characters; Kubernetes allows 1,024.
EVENT_THREADS = 4
WAITING_EVENTS = 1000
EVENT_WARNING_EVERY = 60.0
LONGEST_EVENT = 1000
# Open connections kept to one cluster.
CONNECTIONS = 32
# Pauses of a watch between failures; they double. A watch that ends empty within SHORTEST_WATCH has failed too.
WATCH_FIRST_PAUSE = 0.2
WATCH_LONGEST_PAUSE = 5.0
SHORTEST_WATCH = 1.0
# After this many streams in a row that were refused, or broke before the first event, everything is listed again.
FAILED_STREAMS = 2

# --- certificates

# The leader looks at the certificates at every change of theirs, and at the latest after this time; when certificates
# live for a short time, as in tests, this many times in one life. After a failure it looks again sooner.
CERTIFICATE_LOOK = 30.0
CERTIFICATE_LOOKS_PER_LIFE = 30
CERTIFICATE_RETRY = 5.0
# An authority of which nothing has been in use for this long is trusted no longer. A process that is cut off from the
# front door may show an older certificate for a while.
CERTIFICATE_RETIRED_AFTER = 3600.0
# How often each process compares its folder with the Secret, beside every change of it.
CERTIFICATE_DELIVERY = 10.0
# Between two looks for the first certificate; how often the log says that it is still missing.
CERTIFICATE_WAIT = 1.0
CERTIFICATE_WAIT_TOLD = 30.0

# --- ledger

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
# Between two attempts to migrate that failed although Postgres answered: each logs a traceback.
LEDGER_BUG_RETRY = 30.0
# For a migration to get the lock on a table. While it waits, all later statements wait behind it.
MIGRATION_LOCK_TIMEOUT = 2.0
# For one statement of a migration: an index on millions of rows takes minutes.
MIGRATION_PATIENCE = 1800.0
# Decisions kept per placement, beside the first: one that full targets send back for weeks has thousands.
DECISIONS_KEPT = 20
# Placements with too many decisions are looked for among this many latest ones: a few sweeps' worth at 100 a second.
DECISIONS_LOOKED_AT = 5000
# Rows, of up to some megabytes each, that one transaction deletes or strips of their templates.
RETIRE_BATCH = 20

# --- scout

# Characters of a reason: it is an annotation read by people, and with a hundred targets the full text is far longer.
REASON_LENGTH = 1000
# This many placements at the head of a queue show what each target lacks; the others only how many are before them.
REASONS_KEPT = 20
# Between two updates of those others, since each goes through the whole queue.
QUEUE_TELL_EVERY = 10.0
# Queued Workflows handled in one transaction: a submit waits for at most one such batch while the queue is served.
QUEUE_BATCH = 50
# A queue that nothing can leave is skipped for this long while nothing relevant changes. Looking again after that is
# only a safety net.
QUEUE_LOOK_AGAIN = 60.0
# Placements of one namespace that may hold room before their origin has been seen. Creates that fail after admission
# hold room until they expire. Further ones are queued, and get room once their origin is there. A busy namespace has a
# hundred creates a second, each seen within a second.
UNBOUND_RESERVATIONS = 200
# Placements without an origin that the ledger keeps at all, waiting or with room, of one user in one namespace, and in
# it of all users. Each is a row with a whole Workflow until it expires. A burst of 1,000 submits in ten seconds needs
# some hundreds, since an origin is seen within a second; 4,000 is that pace for 40 seconds without any controller.
UNBOUND_PER_USER = 4000
UNBOUND_PER_NAMESPACE = 12_000
# To wait for a turn in a namespace: as long as for a connection to the ledger. A review has ten seconds in all.
NAMESPACE_TURN = 2.0
# Prometheus may be silent for SAMPLE_READ_TIMEOUT, and its whole answer may take SAMPLE_DEADLINE; the answer for 100
# targets and 200 namespaces, 41 MB, took 3.3 s on a busy machine. SAMPLE_BYTES limits the memory for one answer.
# SAMPLE_SHARE is the share of the time that reading may take: if answers are slow, Prometheus is asked less often, and
# samples still stay much younger than the age that excludes a target.
SAMPLE_READ_TIMEOUT = 5
SAMPLE_DEADLINE = 10.0
SAMPLE_BYTES = 256 << 20
SAMPLE_SHARE = 0.25
# The shortest time between two reads, also while Prometheus refuses them or a namespace waits for its first sample.
SAMPLE_SOONEST = 0.5
# Seconds for which a snapshot that Prometheus no longer shows stays known: old samples exclude a target with a reason
# that people understand.
SAMPLE_KEPT = 3600.0
# Namespaces that did not opt in but are read because somebody asked about them; the oldest question is dropped first.
SAMPLE_ASKED = 100
# Up to this many characters of names in total, Prometheus is asked for just these namespaces. The query repeats them
# eight times, and a longer one would exceed the URL length that proxies allow.
NARROW_QUERY = 400

# How old a sample may become, unless MEDEA_SAMPLE_MAX_AGE says it: SAMPLE_INTERVALS times the interval at which samples
# are seen to get newer, so that one lost scrape is no loss, but at least SAMPLE_SHORTEST_AGE, since a busy Prometheus
# is late at times, and at most SAMPLE_OLDEST, the time for which Prometheus shows what is no longer scraped.
# SAMPLE_FIRST_AGE counts until two samples have been seen; the interval is the median of the last INTERVALS_KEPT.
SAMPLE_INTERVALS = 2.5
SAMPLE_SHORTEST_AGE = 15.0
SAMPLE_OLDEST = 300.0
SAMPLE_FIRST_AGE = 60.0
INTERVALS_KEPT = 5
# Bytes of a file with a password or token for Prometheus; one with more is no such file.
SECRET_FILE = 64 * 1024
# What the watches of a target's quotas say is good for this long after one of them has broken; a restarting apiserver
# is back sooner.
LIVE_AGE = 30.0
# A namespace's snapshot is made anew after LIVE_AFTER_CHANGE if anything has changed there, and after LIVE_REMADE in
# any case: what our own runs use of it is worked out each time, from thousands of rows in a busy namespace.
LIVE_AFTER_CHANGE = 0.2
LIVE_REMADE = 1.0
# Namespaces whose snapshots are kept between two questions: anybody may ask about any name. With more, all are dropped.
LIVE_NAMESPACES = 2000
# Between two looks at the queue because quotas or pods have changed; a busy target has a hundred changes a second.
LIVE_TELL = 1.0

# --- namespaces

# How long an answered probe is trusted before a new one is made, in case Argo's controller has been stopped since.
PROBE_RENEWED_AFTER = 60.0
NAMESPACE_TIMEOUT = 2.0
"""Seconds to read a namespace or its probe at the front door: the same review must still ask a target."""
NAMESPACE_LAG = 1.0
"""Seconds that a review waits for the informer to hear of its namespace: the label may be younger than the last event.
Only forged reviews and those that come with the label wait at all."""
NAMESPACE_WAITERS = 8
"""Reviews that wait so at once: each holds a thread, and forged ones would hold all of them."""
QUIET_REMEMBERED = 120.0
"""Seconds for which a namespace counts as quiet after its probe has vanished: `argo delete --all` deletes it too, and a
new probe tells nothing until it has been left alone for a while."""
PREPARE_BUDGET = 6.0
"""Seconds to prepare a namespace, which takes six small writes."""
PREPARED_PATIENCE = 4.0
"""Seconds for which the first submissions to a namespace wait until the controller has prepared it."""
PREPARED_LOOK = 0.1
"""Seconds between two looks of that wait; one review looks for all that wait."""
PREPARE_TIMEOUT = 2.0
"""Seconds for one of these writes."""
PREPARED_REMEMBERED = 300.0
"""Seconds until a namespace is prepared again, in case somebody deleted its accounts."""

# --- admission

REVIEW_TIMEOUT = 10.0
"""Seconds that an apiserver waits for a review if the request does not say: the apiserver's own default."""
REVIEW_LONGEST = 30.0
"""Seconds that an apiserver waits at most, whatever the request says."""
REVIEW_MARGIN = 1.5
"""Seconds of these that stay unused: the answer must travel, and the last call may need a second more to connect."""
OWN_NAME_TIMEOUT = 2.0
"""Seconds to ask the front door for Medea's own user name there. The first review that needs it waits."""
NAME_TIMEOUT = 2.0
"""Seconds to ask the front door whether a name is free."""
TEMPLATE_TIMEOUT = 3.0
"""Seconds to read one WorkflowTemplate. A freshly started apiserver on a busy machine took two."""
TEMPLATES_BUDGET = 3.0
"""Seconds to read all WorkflowTemplates of one Workflow."""
MOST_TEMPLATES = 60
"""WorkflowTemplates that one Workflow may refer to: each takes a request to the front door."""
RESERVE_NEEDS = 1.0
"""Seconds that must be left to reserve room: with fewer, the answer would reach the apiserver too late."""
PREFLIGHT_TIMEOUT = 2.0
"""Seconds for a dry run on one target."""
PREFLIGHT_BUDGET = 4.0
"""Seconds for the dry runs on all targets, which are asked one after another."""
PREFLIGHT_NEEDS = 0.5
"""Seconds that must be left to ask another target."""
RETRY_TIMEOUT = 2.0
"""Seconds to read a run that is to be retried; if its target is away, the verb waits until it is back."""

LONGEST_DECISION = 1000
"""Characters of the annotations that explain a decision: with a hundred targets the full text is far longer."""

WEIGH_BUDGET = 3.0
"""Seconds to compute what a Workflow needs."""
WEIGH_SUM_SECONDS = 1.0
"""Seconds of these that the walk leaves for the sum of everything, the fallback when the walk is too expensive."""
WEIGH_MOST_AT_ONCE = 2
"""Heavy Workflows weighed at once: they share one interpreter with all light reviews."""
WEIGH_LIGHT_CALLS = 300
"""Up to this many calls of templates a Workflow is light: they take some milliseconds."""
WEIGH_MOST_CALLS = 5000
"""Calls of templates in one walk: about a second."""
WEIGH_MOST_SUMMED = 50_000
"""Calls of templates in one sum: more than an object of 1.5 MB can have."""
WEIGH_MOST_FLOW = 2_500_000
"""Work in maximum flows, as the sum of tasks squared: about a second, or 27 flows of 300 tasks. Beyond that, upper
bounds are used."""
WEIGH_MOST_EXACT = 300
"""Tasks in one maximum flow; with more, an upper bound is used."""
WEIGH_DEEPEST = 50
"""Depth of templates that call each other. Each level takes several of the interpreter's 1,000 frames."""
WEIGH_MOST_ROUNDS = 100
"""Rounds of a loop that are looked at one by one; later ones count as the largest of these."""
WEIGH_MOST_PODS = 2000
"""A higher limit on pods is ignored: it would only make the computation slow."""
TAGS_LONGEST = 64 * 1024
"""Characters that the tags of one text may expand to; further tags count as unknown."""
INPUTS_LONGEST = 256 * 1024
"""Characters of all inputs of one template call; further inputs count as unknown."""

# --- controller

# Placements handled at once, and of these how many of one target: one that hangs leaves the others three quarters.
WORKERS = 16
WORKERS_PER_TARGET = 4
# When a target has been away for this long, placements with no create tried there go elsewhere, and those running there
# show it. A restarting apiserver is back sooner.
AWAY_GRACE = 10.0
# How often to check whether targets went away or came back.
TICK = 1.0
# How long a target whose object quota was full is left out for that namespace.
NO_ROOM_PAUSE = 15.0
# What changes about a run is gathered for MOMENT, and as long again for each MOMENT_NODES nodes: showing 2,000 takes
# 150 ms. An origin shows within a second what its run does. PACKED_NODE is about the characters of one when packed.
MOMENT_NODES = 250
LONGEST_MOMENT = 0.8
PACKED_NODE = 100
# Steps for one placement in a row. None needs more; this bounds a plan that goes round in circles.
MOST_STEPS = 12
# Rows that the sweep reads or retires at once, and how many times it retires per sweep, so that it keeps up with more
# than a hundred ends a second.
SWEEP_PAGE = 1000
RETIRE_ROUNDS = 5
# Deletes of one namespace that a sweep waits for in vain: each takes READ_TIMEOUT, and everything else waits for it.
MOST_SILENT = 3
# After this long, the log says that the first list of a watch is still missing.
FIRST_LIST = 30.0
# Time to finish what is under way when the process is told to end: one call to a cluster.
STOP_PATIENCE = 3.0
# Room that comes free within this time leads to one look at the queue: many runs may end at once.
QUEUE_GATHER = 0.1

# Copies of templates on targets are removed when nothing has used them for COPY_UNUSED. Each namespace of each target
# is looked at once in COPY_LOOK_EVERY, COPY_LOOKS of them per sweep, and at most COPIES_REMOVED at once in each: a look
# reads all copies and, if some are old, all Workflows there.
COPY_UNUSED = 7 * 24 * 3600.0
COPY_LOOK_EVERY = 3600.0
COPY_LOOKS = 10
COPIES_REMOVED = 50

# --- api

SAMPLES_PATIENCE = 2.0
"""Seconds for which a question to the scout waits until the quotas of a namespace have been read for the first time."""
SUBMIT_TIMEOUT = 15.0
"""Seconds for a submission to the front door, which includes Medea's own review of it."""
ARGO_SERVER_CONNECT = 1.0
ARGO_SERVER_READ = 12.0
"""Seconds for argo-server's answer: it writes through the apiserver, which waits for Medea's own review."""
SLOT_WAIT = 1.0
"""Seconds to wait for a slot among the calls that lead to a review by Medea itself."""
LONGEST_IDENTITY = 128
"""Characters of the name on whose behalf a caller submits."""
LARGEST_BODY = 4 * 1024 * 1024
"""Bytes: Kubernetes' objects have at most 1.5 MiB, and a review may contain one twice."""
MOST_DRAINED = 32 * 1024 * 1024
"""Bytes that are read of a body that is too large: a client that is cut off while it writes never sees the answer."""
TRACK_GOING = 5
"""Seconds until a plugin asks again about a Workflow whose run is about to start."""
TRACK_QUEUED = 20
"""Seconds, roughly, until it asks again about a queued one: the message that says what it waits for may be this old."""
TRACK_RUNNING = 60
"""Seconds, roughly, until it asks again about a running one: 10,000 of them make 170 requests a second. The end of a
run is written into the origin at once, so nothing waits for this."""
TOKENS_TRUSTED = 60.0
"""Seconds for which a token that was valid is trusted without asking again, even if it is revoked meanwhile."""
TOKENS_KEPT = 4096
"""Tokens that are remembered: one per namespace, or two while they are rotated."""

# --- logs

MIRROR_WORKERS = 4
# After this long, the log says that the first lists are still missing.
MIRROR_FIRST_LIST = 30.0
# Between two heartbeats of the virtual Nodes. As with kubelets, a Node counts as lost NODE_LEASE_SECONDS after the last
# one, that is, when four have failed.
NODE_BEAT = 10.0
NODE_LEASE_SECONDS = 40
# An unchanged Node status is written again after this, as kubelets do; in between, the lease shows that it is alive.
NODE_STATUS_EVERY = 240
# How long a permission to read logs is trusted without asking again.
ACCESS_FRESH = 60.0
# How long a target may send nothing. A followed log that is silent is asked for again after LOG_SILENCE, unless the
# reader is gone; one that is not followed must end within LONGEST_LOG_SILENCE.
LOG_SILENCE = 10.0
LONGEST_LOG_SILENCE = 30.0
# A pod is running some time before its container is, and `argo logs -f` asks only once.
LONGEST_CONTAINER_START = 60.0
LOG_AGAIN = 0.3
# How long a reader may pause while there is something to read: a person may be using a pager.
READERS_PATIENCE = 600.0
# Bytes of a log passed on at once.
LOG_PIECE = 64 * 1024

# --- server

# For a client of the controller's metrics and health endpoints to send its request.
HEALTH_TIMEOUT = 5
SERVER_SILENCE = 3.0
"""Seconds for which a client that stops sending halfway through a request may hold a thread."""
SERVER_REQUEST = 15.0
"""Seconds for a request to arrive as a whole: as long as a submission may take in all."""
SERVER_KEEP_ALIVE = 120
"""Seconds: the apiserver keeps idle connections for 90; if the server closed them first, reviews would fail."""
SERVER_CONNECTIONS = 16_384
"""Connections at once, idle ones included; beyond that none is accepted, and no review gets through. Plugins ask once a
minute and close their connection again, so 10,000 held Workflows have about ten open; plugins of older versions keep
one open each. Apiservers and 100 API clients have some hundreds. An idle connection takes some tens of KB."""
SERVER_SPARE_FILES = 1024
"""Files and outgoing connections that a process needs beside these, under the same system limit."""
SERVER_SPARE_THREADS = 64
"""Threads of the door for logs beside those of its readers. A connection that sends nothing holds one for five seconds,
after which gunicorn puts it aside."""
SERVER_GRACE = 4
"""Seconds for requests under way when the process is told to end; it is gone within five."""
SERVER_END = 4.8
"""Seconds for all processes of `medea serve` to end: a little longer than for the requests of one."""

# --- admin

# How long a command waits for the API: a person is waiting.
ASK_TIMEOUT = 10
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
