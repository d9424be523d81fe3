"""Limits of jobs that are counted in power."""

MOST_POWER = 10**12
"""Watt-seconds of one job."""
MOST_JOB_ITEMS = 1000
"""Items of one job: a larger one has items of more power."""
LONGEST_JOB_NAME = 63
LARGEST_JOB_ID = 2**63 - 1
TREE_MOST = 1000
"""Jobs or runs that one answer about a tree has."""
