"""The documentation says what the source says."""
