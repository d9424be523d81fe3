"""What a Workflow refers to besides templates: ConfigMaps, Secrets, claims, accounts, priority classes.

`model` has the values. `collect` finds them in a spec, with `pods` for what a pod names, after its `patches`; `sources`
finds parameters whose values are in ConfigMaps; `taken` makes the copies of ConfigMaps that go along with a run. These
are pure.
`presence` knows which target has what, and asks with `look`. What is missing is for the scout to filter by.
"""
