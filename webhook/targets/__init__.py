"""The targets themselves, whatever runs on them: how one is added and checked, which namespaces it accepts, how its
token is renewed, and how it is shown at the front door.

Nothing here knows of placements. What is found out in the background is for the scout to ask, without waiting.
"""
