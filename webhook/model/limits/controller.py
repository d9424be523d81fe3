"""Limits of reconciling, sweeping and showing."""

# Placements handled at once, and of these how many of one target: one that hangs leaves the others three quarters. One
# namespace has at most one less than that of a target, so that one in which creates hang leaves the others some of it.
WORKERS = 16
WORKERS_PER_TARGET = 4
# When a target has been away for this long, placements with no create tried there go elsewhere, and those running there
# show it. A restarting apiserver is back sooner.
AWAY_GRACE = 10.0
# How often to check whether targets went away or came back.
TICK = 1.0
# How long a target whose object quota was full is left out for that namespace.
NO_ROOM_PAUSE = 15.0
# Likewise one that did not allow what a run needs there before it is created: only a person there changes that.
CLOSED_PAUSE = 60.0
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
# What each part of a sweep waits for calls about one namespace, in all: two or three that hang. The rest of that
# namespace waits for the next sweep, and the others for no more than this.
SWEEP_PATIENCE = 10.0
# After this long, the log says that the first list of a watch is still missing.
FIRST_LIST = 30.0
# Time to finish what is under way when the process is told to end: one call to a cluster.
STOP_PATIENCE = 3.0
# Room that comes free within this time leads to one look at the queue: many runs may end at once.
QUEUE_GATHER = 0.1

# Seconds until Argo's controller on a target has certainly heard of a template that was copied there: its watch takes
# milliseconds, and longer where it is busy.
COPY_HEARD = 1.0
# Copies of templates on targets are removed when nothing has used them for COPY_UNUSED. Each namespace of each target
# is looked at once in COPY_LOOK_EVERY, COPY_LOOKS of them per sweep, and at most COPIES_REMOVED at once in each: a look
# reads all copies and, if some are old, all Workflows there.
COPY_UNUSED = 7 * 24 * 3600.0
COPY_LOOK_EVERY = 3600.0
COPY_LOOKS = 10
COPIES_REMOVED = 50
# Workflows that a run has made on its target, of which its origin shows a node each.
MADE_SHOWN = 100
