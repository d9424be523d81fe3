"""Logs at the front door: the unchanged `argo logs`, Argo's UI and `kubectl logs` show what a run's pods write.

Each target appears at the front door as a virtual Node, and each pod of a run is mirrored onto that Node as a pod that
never runs. To read a pod's log, the front door's apiserver asks the kubelet of its Node; for virtual Nodes that is
Medea.

`names`, `pods`, `node` and `options` are pure. In the controller, `mirror` keeps the mirrored pods up to date (with
`facts` and `index`), and `virtual_nodes` the Nodes. In the service, `endpoint` serves the kubelet's API (with `access`,
`reader` and `streams`).
"""
