"""What an origin shows of its run, for either hold. Pure.

`by_hold` is the way in. `stub` and `graft` serve the plugin hold, `full` the hold `none`; `merge` makes the patches.
"""
