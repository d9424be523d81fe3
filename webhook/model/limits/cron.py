"""Limits of CronWorkflows."""

# For how many seconds after its time a tick may still become a Workflow where startingDeadlineSeconds doesn't say more:
# what the front door refuses for the moment is tried again, and a controller that takes over loses no tick.
LATE = 30.0
# Argo's own: NAME-1615836720 must be a label's value.
LONGEST_NAME = 52
# Ticks are looked for in the next so many years, as robfig/cron does.
YEARS_AHEAD = 5
# A condition's message is cut to this many characters.
LONGEST_CONDITION = 1000
# For how many seconds a Workflow that was made just now counts though the watch has not shown it yet.
NEWS_LATE = 30.0
# Schedules of one CronWorkflow, each of which may take some ten milliseconds to find its ticks, and characters of each.
MOST_SCHEDULES = 100
LONGEST_SCHEDULE = 500
# Characters of a condition: filling in its tags takes time that grows with the square.
LONGEST_EXPRESSION = 4000
