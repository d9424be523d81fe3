"""The schema's history, one file per step, in SQL. A released step is never edited."""
