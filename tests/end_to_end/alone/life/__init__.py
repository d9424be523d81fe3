"""The whole life of Medea at a front door, from the first installation to when it has gone.

The tests of this folder follow each other: the laboratory's own Medea goes first, and comes back after the last one.
"""
