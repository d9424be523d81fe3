"""What Argo will make of an expression, told before the Workflow runs: conditions of steps (`when`), tags (`{{=…}}`)
and conditions of hooks (`expression`).

Argo evaluates the first with govaluate, the others with expr-lang. Both are evaluated here on values that are known,
and only as far as their meaning is certain: all else raises Doubt, and whoever asks counts the larger need.
"""
