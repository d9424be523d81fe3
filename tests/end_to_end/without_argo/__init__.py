"""Where no Argo controller works at the front door, as with the hold `none`: these tests run beside each other only.

Beside what shows this hold, tests are here for which it does not matter who holds an origin: no agents cost less.
"""
