"""Limits of showing Argo's Events of runs."""

# Living Events of one run that are shown: those of the Workflow itself first, then the oldest. Argo's controller makes
# at most ten and one of a reason in ten minutes, and combines all others in the last, by its count.
MOST_EVENTS = 200
# Events of one run among which those are looked for: somebody on the target may make any number in a run's name, and
# each costs some 20 µs at every change.
EVENTS_LOOKED_AT = 1000
# Annotations of an Event that are shown; Argo's has four.
MOST_NOTES = 8
# Changes to one run's Events within this time are written together: of a loop over thousands, one Event changes often.
EVENTS_MOMENT = 0.5
# Writes for one run before another's turn.
EVENTS_AT_ONCE = 20
# Threads that write, and how many of them for one target.
EVENT_WORKERS = 4
EVENT_WORKERS_PER_TARGET = 3
# Events kept of one namespace, about half a kilobyte each. Argo's controller makes some eight of a small Workflow, and
# they live for an hour.
EVENTS_KEPT = 50_000
# Namespaces watched on one target, each with a connection and a thread; further ones wait until one rests. A watch ends
# when nothing has been under way there for EVENTS_REST.
EVENT_WATCHES = 100
EVENTS_REST = 600.0
# Between two looks at which namespaces of a target are to be watched, and between two questions whether Medea may.
EVENTS_LOOK = 1.0
EVENTS_ASK = 60.0
