"""Medea's doors: one plain gunicorn each, in a process of its own, with its own ports, threads, limits and TLS.

`doors` says what each door serves and where, `server` runs one of them, `supervisor` runs several as children of one
process. `apps` and `tls` are what gunicorn is given. Everything here only decodes requests, passes them on, and encodes
the answers. gunicorn is configured by its documented settings only.
"""
