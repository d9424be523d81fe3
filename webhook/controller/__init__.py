"""The controller: binds, creates, tracks, finishes and removes, until the clusters match the ledger.

`process` starts and ends it all. `watches` tell which placement to look at, and `sweep` finds what they have missed: it
alone would do. `loop` looks at one placement after the other: `facts` gathers what is known, `plan` decides on a step,
purely, and `target_steps`, `origin_steps` or `verbs` take it, until nothing is left to do; every step may be repeated.
`origin_status` says, purely, what an origin shows. `targets` knows who is away, `resting` who waits for that.
"""
