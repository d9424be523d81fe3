"""Limits of looking at targets, their tokens and profiles."""

# A target is asked about one namespace each time, or about so many that it was never asked about: with a hundred
# targets and two hundred namespaces that makes a hundred small calls a second at most.
ACCEPTANCE_EVERY = 1.0
ACCEPTANCE_TIMEOUT = 2.0
FIRST_ASKED_AT_ONCE = 20
# How long an answer is trusted. That a namespace is accepted now should be noticed soon, since somebody waits for it;
# that it no longer is, the next create finds out anyway.
REFUSED_TRUSTED = 10.0
ACCEPTED_TRUSTED = 300.0

# Seconds for which a target's token is asked for; a cluster may give less. It is renewed when half of that is over, so
# that Medea may be away for a week.
TOKEN_SECONDS = 14 * 24 * 3600
# Between two looks at a token: often enough for the shortest that Kubernetes gives, ten minutes.
TOKEN_LOOK = 60.0
# A token that a check finds with less than this left was not renewed although it should have been.
TOKEN_SHORT = 2 * 24 * 3600
# Seconds by which the clocks of a target and the front door may differ: tokens and the age of samples depend on them.
# One is lost in rounding.
CLOCKS_APART = 10.0
# An Argo controller that leads renews its lease every few seconds; one that has not for so long does not work.
ARGO_LEASE_FRESH = 60.0
# An Argo controller takes up a new Workflow within a second or two.
CHECK_PROBE_PATIENCE = 10.0
CHECK_POLL = 0.5
# Between two looks at what the front door shows of the targets, and between two writes of one of them.
PROFILE_EVERY = 10.0
# Until it is looked again whether the front door has ClusterProfiles at all.
PROFILE_MISSING = 60.0
# A target's version changes with an upgrade, and an Argo controller takes minutes to be mended.
TARGET_LOOKED_AT = 60.0
# Between two reads of a target's configuration of Argo, which its controller takes up at once.
ARGO_CONFIG_READ = 30.0
# Namespaces whose free room a ClusterProfile shows, and characters of one property, of which the API allows 1,024.
PROFILE_NAMESPACES = 50
LONGEST_PROPERTY = 1000
# Share of the time that reading what is free may take: it asks the ledger about each namespace.
PROFILE_SHARE = 0.1
# The oldest versions, as (major, minor), that Medea is let work with: ValidatingAdmissionPolicies came with Kubernetes
# 1.30, and nobody has looked at what Argo did before 3.6. Then the oldest and the newest that it was run with, see
# docs/versions.md.
OLDEST_KUBERNETES = (1, 30)
OLDEST_ARGO = (3, 6)
KUBERNETES_TRIED = ((1, 35), (1, 35))
ARGO_TRIED = ((3, 7), (3, 7))
