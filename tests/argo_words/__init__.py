"""What Argo itself does to a Workflow, recorded from each version, and what Medea makes of it. Needs no laboratory."""
