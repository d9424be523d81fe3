"""Builds what each process consists of, from the settings: `parts`, `certificates`, `doors`, `controller`.

The only place that knows all rooms. It decides nothing and does no I/O but what building needs.
"""
