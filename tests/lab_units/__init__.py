"""The laboratory's own pure parts: nothing here starts a cluster."""
