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

# --- scout

# --- namespaces

# --- admission

# --- controller

# --- api

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
