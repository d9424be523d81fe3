"""What an origin shows of its run, for either hold. Pure.

`by_hold` is the entry point. `stub` and `graft` are for hold `plugin`, `full` and `ttl` for hold `none`; `merge` makes
the patches. `made` adds to a run the Workflows that it has made.
"""
