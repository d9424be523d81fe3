"""The service's processes: WSGI applications under gunicorn, and the sockets they listen on.

Nothing is decided here: a request is decoded, handed to the room it is for, and its answer encoded.
"""
