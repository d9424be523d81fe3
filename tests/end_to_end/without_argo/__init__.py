"""Tests for which no Argo controller works at the front door, as with the hold `none`: they run beside each other only.

A test belongs here if it needs that, or if it needs no such controller and would be in the way elsewhere.
"""
