"""Medea on the real laboratory, through what its users use: argo, kubectl, argo-server, curl."""
