"""`medea uninstall`: takes away what Medea has made since it was installed, so that all that is left can be deleted.

`plan` decides what becomes of each Workflow (pure), `front_door` and `targets` do it, `command` is the order of it
all. What somebody has applied (Deployments, accounts, policies) is for whoever applied it, or for Helm, to delete.
Every step may be repeated: what is gone already is passed over.
"""
