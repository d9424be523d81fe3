"""Limits of what is said to RabbitMQ."""

CONNECT = 5.0
"""Seconds to connect and log in."""
HEARTBEAT = 10
"""Seconds. A broker that is silent for some two of them is gone."""
BLOCKED = 10.0
"""Seconds that the broker may refuse to take anything, as it does when its memory or disk is short."""
ANSWER = 20.0
"""Seconds until a call of the broker is answered, its attempts included."""
ATTEMPTS = 3
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
"""Seconds before the next attempt; each pause is twice the one before."""
IDLE = 1.0
"""Seconds between two looks at a connection that has nothing to do."""
