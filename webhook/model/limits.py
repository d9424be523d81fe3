"""Every timeout, pause, length and number that an operator does not set, with its unit and its reason.

Times are in seconds unless a name says otherwise. What an operator may set is in `webhook.settings`.
"""

# --- kube

# --- ledger

# --- scout

# --- namespaces

# --- admission

# --- controller

# --- api

# --- logs

# --- server
