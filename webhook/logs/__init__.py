"""Pods of runs at the front door: `kubectl get pods`, `argo logs`, Argo's UI and `kubectl logs` show them unchanged.
`kubectl exec`, `attach`, `port-forward` and `cp` lead into them.

Each target appears at the front door as a virtual Node, and each pod of a run is mirrored onto that Node as a pod that
never runs. Whoever deletes it there deletes the pod on the target. To read a pod's log or to enter it, the
front door's apiserver asks the kubelet of its Node; for virtual Nodes that is Medea.

`names`, `pods`, `shape`, `node`, `options` and `session_request` are pure. In the controller, `mirror` keeps the
mirrored pods up to date (with `facts`), and `virtual_nodes` the Nodes. In the service, `endpoint` serves the kubelet's
API (with `access`, `reader` and `streams`), and `sessions` the part of it that leads into pods (with `places` and
`relay`).
"""
