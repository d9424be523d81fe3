"""Limits of samples, decisions and the queue."""

# Characters of a reason: it is an annotation read by people, and with a hundred targets the full text is far longer.
REASON_LENGTH = 1000
# This many placements at the head of a queue show what each target lacks; the others only how many are before them.
REASONS_KEPT = 20
# Who comes to a long queue is told its place as the last few in it were; not all of these have been told theirs.
LATEST_IN_LINE = 20
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
# Samples that are less than this apart are one, read twice; nobody scrapes more often.
SAMPLE_SAME = 0.5
# Bytes of a file with a password or token for Prometheus; one with more is no such file.
SECRET_FILE = 64 * 1024
# What the watches of a target's quotas say is good for this long after one of them has broken; a restarting apiserver
# is back sooner.
LIVE_AGE = 30.0
# A namespace's snapshot is made anew after LIVE_AFTER_CHANGE if anything has changed there, and after LIVE_REMADE in
# any case: what our own runs use of it is worked out each time, from thousands of rows in a busy namespace.
LIVE_AFTER_CHANGE = 0.2
LIVE_REMADE = 1.0
# The share of the time that this may take: with ten thousand pods in a namespace it is made less often.
LIVE_SHARE = 0.05
# Namespaces whose snapshots are kept between two questions: anybody may ask about any name. With more, all are dropped.
LIVE_NAMESPACES = 2000
# Between two looks at the queue because quotas or pods have changed; a busy target has a hundred changes a second.
LIVE_TELL = 1.0
# Answers that are kept to what a Workflow with certain demands needs of a certain limit: some 100 bytes each.
LIMIT_PEAKS = 20_000
# Seconds after which the volume claims of a new run exist, and are in a quota's use: Argo makes them first of all.
CLAIMS_MADE = 5.0
