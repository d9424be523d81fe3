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

# --- api

# --- logs

# --- server
