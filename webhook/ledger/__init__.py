"""Postgres: the one record of placements, their reservations, the queue and every decision.

The only package that contains SQL. It returns frozen values.
"""
