"""Postgres: the one record of placements, their reservations, the queue and every decision.

The only room that imports psycopg, and the only one that knows SQL. What it hands out are frozen values.
"""
