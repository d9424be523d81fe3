"""Limits of CronWorkflows."""

# For how many seconds after its time a tick is tried again that the front door refuses for the moment, and may become a
# Workflow of a controller that takes over, where startingDeadlineSeconds doesn't say more.
LATE = 30.0
# Argo's own: NAME-1615836720 must be a label's value.
LONGEST_NAME = 52
# Schedules of one CronWorkflow, and characters of each: a look takes up to 10 ms for each, and Argo's annotation has
# to hold them all.
MOST_SCHEDULES = 50
LONGEST_SCHEDULE = 1000
# Ticks are looked for in the next so many years, as robfig/cron does.
YEARS_AHEAD = 5
# A condition's message is cut to this many characters.
LONGEST_CONDITION = 1000
# For how many seconds a Workflow that was made just now counts though the watch has not shown it yet.
NEWS_LATE = 30.0
# Of what a status calls active and the watch does not show, so many are asked for at each look: anybody may write it.
MOST_UNHEARD = 10
