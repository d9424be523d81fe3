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

# --- ledger

# --- scout

# --- namespaces

# --- admission

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
# Rows read at once by the sweep.
SWEEP_PAGE = 1000
# Until it is said that the first list of a watch is still awaited.
FIRST_LIST = 30.0
# For what is in hand when the process is asked to end: one call to a cluster, or it is cut off.
STOP_PATIENCE = 3.0

# --- api

# --- logs

# --- server
