"""CronWorkflows where no Argo controller works: in namespaces with hold `none`, Medea submits what they schedule.

It does what Argo's controller does elsewhere, to the words in `status`. `calendar` and `schedule` know when ticks are,
as robfig/cron, by which Argo schedules. `spec`, `status` and `workflow` read and make objects, `conditions` evaluates
`when` and `stopStrategy`, and `decide` says which tick is due and whether it runs. All of these are pure. `children` is
an index of the Workflows that have been made, and `reconciler` acts, in the controller that leads.

What may not live here: whether and where a Workflow runs. Each is submitted at the front door as anybody's.
"""
