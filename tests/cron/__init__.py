"""CronWorkflows where no Argo controller works."""
