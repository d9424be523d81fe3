"""The service's process: WSGI applications under gunicorn, and the sockets they listen on.

It only decodes requests, passes them on, and encodes the answers.
"""
