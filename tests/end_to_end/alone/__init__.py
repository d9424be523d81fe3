"""Tests that kill, stop or set up anew what others need: each file has the laboratory to itself.

A test belongs here if another that ran beside it could tell the difference. All others belong into the folder above,
where several files run at once.
"""
