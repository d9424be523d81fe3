"""Limits of reading logs, of sessions in pods, and of mirrored pods."""

# Threads that keep mirrored pods, and how many of them for one target: originals are read and deleted there.
MIRROR_WORKERS = 4
MIRROR_WORKERS_PER_TARGET = 3
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

# How long a target may take until somebody is in a pod; it asks the pod's kubelet, and that the container runtime.
LONGEST_SESSION_START = 15.0
# After this long without a byte either way a session ends, as with kubelets. kubectl sends one every few seconds.
SESSION_SILENCE = 4 * 3600.0
# Once one side has closed, the other may take nothing of what is left for so long, since a person may be using a pager;
# after that it would hold a place for nobody.
SESSION_PARTING = 600.0
# Bytes passed on at once, each way.
SESSION_PIECE = 64 * 1024
# Seconds, seconds and tries of TCP's keepalive: a peer that is gone without a word is noticed within 40 s.
SESSION_KEEPALIVE = {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4}
