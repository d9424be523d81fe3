"""A simulation of edges: targets that "run" Workflows by power and time, for trying Medea without clusters.

    power      what an edge can give, and how far that takes a Workflow (pure)
    store      the objects of some edges, in a file: what is written is there after a kill
    selectors  which objects a request is about (pure)
    rest       as much of the Kubernetes API as Medea asks of a target
    server     that over TLS, and watches
    agent      stands for Argo: takes Workflows forward
    join       registers edges as targets at a front door
    busy       asks for jobs, at a rate
    commands   `medea edges` and `medea jobs`

It is no part of Medea's service, and no door: nothing of the service imports it. An edge is reached as any target is,
by a kubeconfig, and knows nothing of Medea.
"""
