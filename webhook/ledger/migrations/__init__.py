"""The schema's history, one file a step, in SQL. A step that has landed is never edited."""
