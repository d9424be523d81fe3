{{/*
A pod that runs one command of Medea beside the installation. Arguments: root; name; command, its arguments; account.
*/}}
{{- define "medea.commandPod" -}}
metadata:
  labels: {{- include "medea.selector" (dict "component" .name) | nindent 4 }}
spec:
  serviceAccountName: {{ .account }}
  # Kubernetes would name variables after the Services, and MEDEA_LOGS_PORT among them is a setting.
  enableServiceLinks: false
  restartPolicy: Never
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    seccompProfile: {type: RuntimeDefault}
  {{- with include "medea.placement" .root }}
  {{- . | nindent 2 }}
  {{- end }}
  containers:
    - name: {{ .name }}
      image: {{ .root.Values.image }}
      imagePullPolicy: {{ .root.Values.imagePullPolicy }}
      args: {{ toJson .command }}
      env: {{- include "medea.env" .root | nindent 8 }}
      resources:
        requests: {cpu: 50m, memory: 128Mi}
        limits: {memory: 512Mi}
      securityContext: {{- include "medea.containerSecurity" .root | nindent 8 }}
      volumeMounts: {{- include "medea.mounts" .root | nindent 8 }}
  volumes: {{- include "medea.volumes" .root | nindent 4 }}
{{- end }}
