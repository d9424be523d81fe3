"""Faults, drawn at random and judged from outside."""
