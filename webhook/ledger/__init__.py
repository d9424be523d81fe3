"""Postgres: the one record of placements, their reservations, the queue and every decision.

The only package with SQL and psycopg. It returns frozen values.
"""
