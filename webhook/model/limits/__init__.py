"""Every timeout, pause, size and count that operators can't set, with its unit and reason: a file for each room.

Times are in seconds unless a comment says otherwise. What operators can set is in `webhook.settings`.
"""
