"""Limits of clusters: calls, watches, the work queue, the lease."""

# A key that failed is retried after RETRY_FIRST, then after twice as long each time, up to RETRY_LONGEST: a cluster
# that comes back is noticed within five seconds. Up to RETRY_JITTER of the pause is added at random, so that thousands
# of keys that failed together are not retried together.
RETRY_FIRST = 0.2
RETRY_LONGEST = 5.0
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
# How soon background work begins for a target that was added, or has a new client.
TARGETS_LOOKED_AT_EVERY = 1.0
# How often a probe also asks a target for its identity, in case its address leads to another cluster now. Whoever is
# about to conclude that a run is gone asks anyway.
IDENTIFY_EVERY = 60.0
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

# Up to which a key's pause grows while only a person can help, such as by giving a right.
RETRY_LONGEST_BLOCKED = 60.0
