"""Logs at the front door: the unchanged `argo logs`, Argo's UI and `kubectl logs` show what a run's pods write.

Each target is a Node at the front door that is none, and each pod of a run is mirrored onto it as a pod that nothing
runs. The front door's apiserver asks the kubelet of a pod's Node for its log, and the kubelet of these is Medea.

`names`, `pods` and `node` say what these objects look like, purely. `mirror` keeps the pods true and `keeper` the
Nodes, both in the controller; `endpoint` is the kubelet, in the service, with `access` and `streams`. What belongs here
is what a log needs on its way from a target to the front door; what a run does is none of this room's business.
"""
