"""Which nodes of a target a step goes to: the target's node pools, and the smallest that fits. Pure.

A pool is a selector of nodes, and what each of these nodes has at least. Medea reads no nodes: a pool is what an
administrator of the target has said, by `medea target add --node-pools` or by hand, in the target's Secret.
"""
