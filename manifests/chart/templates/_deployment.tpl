{{/*
A part of Medea as a Deployment. Arguments: root; component; args; values (the part's own); account; ports, a map of names
to numbers; env and volumes, lists (optional), the latter with name, path and source; grace, in seconds (optional);
image (optional); and scratch, how much it may write (optional). Without `replicas` in its values somebody else scales it.
*/}}
{{- define "medea.deployment" -}}
{{- $root := .root }}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "medea.metadata" (dict "root" $root "name" (printf "medea-%s" .component) "component" .component) | nindent 2 }}
spec:
  {{- if hasKey .values "replicas" }}
  replicas: {{ .values.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  minReadySeconds: {{ $root.Values.minReadySeconds }}
  # A new pod is ready before an old one goes.
  strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  selector:
    matchLabels: {{- include "medea.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "medea.selector" . | nindent 8 }}
        {{- with $root.Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $root.Values.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ .account }}
      # Kubernetes would name variables after the Services, and MEDEA_LOGS_PORT among them is a setting.
      enableServiceLinks: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        seccompProfile: {type: RuntimeDefault}
      terminationGracePeriodSeconds: {{ .grace | default 40 }}
      {{- with include "medea.placement" $root }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- if $root.Values.spread }}
      topologySpreadConstraints:
        {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "medea.selector" $ | nindent 14 }}
        {{- end }}
      {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ .image | default $root.Values.image }}
          imagePullPolicy: {{ $root.Values.imagePullPolicy }}
          args: {{ toJson .args }}
          env:
            {{- include "medea.env" $root | nindent 12 }}
            {{- with .env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            {{- range $name, $port := .ports }}
            - {name: {{ $name }}, containerPort: {{ $port }}}
            {{- end }}
          readinessProbe:
            httpGet: {path: /readyz, port: metrics}
            periodSeconds: 5
            timeoutSeconds: 5
          # To start takes a busy node more than a minute, and a door waits for its first certificate before it answers.
          startupProbe:
            httpGet: {path: /healthz, port: metrics}
            periodSeconds: 2
            timeoutSeconds: 5
            failureThreshold: 300
          # A busy node may need half a minute for an answer; only a process that gives none for two is restarted.
          livenessProbe:
            httpGet: {path: /healthz, port: metrics}
            periodSeconds: 20
            timeoutSeconds: 10
            failureThreshold: 6
          # Endpoints need a moment to forget a pod that is going.
          lifecycle: {preStop: {sleep: {seconds: {{ .linger }}}}}
          resources: {{- toYaml .values.resources | nindent 12 }}
          securityContext: {{- include "medea.containerSecurity" $root | nindent 12 }}
          volumeMounts:
            {{- include "medea.mounts" $root | nindent 12 }}
            {{- range .volumes }}
            - {name: {{ .name }}, mountPath: {{ .path }}, readOnly: true}
            {{- end }}
      volumes:
        {{- include "medea.volumes" $root | replace "sizeLimit: 64Mi" (printf "sizeLimit: %s" (.scratch | default "64Mi")) | nindent 8 }}
        {{- range .volumes }}
        - name: {{ .name }}
          {{- toYaml .source | nindent 10 }}
        {{- end }}
{{- end }}

{{/* The settings that all parts share. */}}
{{- define "medea.env" -}}
- {name: MEDEA_NAMESPACE, value: {{ .Release.Namespace }}}
- {name: MEDEA_TARGETS_NAMESPACE, value: {{ .Values.targets.namespace }}}
- {name: MEDEA_HOLD, value: {{ .Values.hold }}}
- {name: MEDEA_CERTS, value: /run/medea/certs}
- {name: MEDEA_TLS_SECRET, value: {{ eq .Values.certificates.issuer "cert-manager" | ternary "medea-cert-manager-tls" "medea-tls" }}}
- {name: MEDEA_TLS_ISSUER, value: {{ .Values.certificates.issuer }}}
{{- with .Values.certificates.names }}
- {name: MEDEA_TLS_NAMES, value: {{ join "," . | quote }}}
{{- end }}
{{- if .Values.ledger.secret }}
- name: MEDEA_LEDGER_DSN
  valueFrom: {secretKeyRef: {name: {{ .Values.ledger.secret }}, key: {{ .Values.ledger.key }}}}
{{- if .Values.ledger.ca }}
- {name: PGSSLROOTCERT, value: /run/medea/ledger-ca/ca.crt}
{{- end }}
{{- else }}
- {name: POSTGRESQL_URL, value: "medea-postgres.{{ .Release.Namespace }}.svc:5432/medea"}
- {name: POSTGRESQL_USER, value: medea}
- name: POSTGRESQL_PASS
  valueFrom: {secretKeyRef: {name: {{ include "medea.postgresSecret" . }}, key: password}}
{{- end }}
{{- with .Values.prometheus }}
{{- if .url }}
- {name: PROMETHEUS_URL, value: {{ quote .url }}}
- {name: MEDEA_PROMETHEUS_CLUSTER_LABEL, value: {{ .clusterLabel }}}
{{- if .ca }}
- {name: MEDEA_PROMETHEUS_CA, value: /run/medea/prometheus-ca/ca.crt}
{{- end }}
{{- if .token }}
- {name: MEDEA_PROMETHEUS_TOKEN_FILE, value: /run/medea/prometheus-token/token}
{{- end }}
{{- $headers := list }}
{{- range $name, $value := .headers }}
{{- $headers = append $headers (printf "%s=%s" $name (urlquery $value | replace "+" "%20")) }}
{{- end }}
{{- with $headers }}
- {name: MEDEA_PROMETHEUS_HEADERS, value: {{ join "," . | quote }}}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.argo.server }}
- {name: MEDEA_ARGO_SERVER, value: {{ quote . }}}
{{- end }}
{{- if .Values.argo.serverCA }}
- {name: MEDEA_ARGO_SERVER_CA, value: /run/medea/argo-server-ca/ca.crt}
{{- end }}
- {name: MEDEA_ARGO_ACCOUNT, value: "{{ .Values.argo.namespace }}:{{ .Values.argo.serviceAccount }}"}
{{- range $name, $value := .Values.settings }}
- {name: {{ $name }}, value: {{ quote $value }}}
{{- end }}
{{- end }}

{{- define "medea.mounts" -}}
- {name: certs, mountPath: /run/medea/certs}
- {name: tmp, mountPath: /tmp}
{{- if .Values.ledger.ca }}
- {name: ledger-ca, mountPath: /run/medea/ledger-ca, readOnly: true}
{{- end }}
{{- if .Values.prometheus.ca }}
- {name: prometheus-ca, mountPath: /run/medea/prometheus-ca, readOnly: true}
{{- end }}
{{- if .Values.prometheus.token }}
- {name: prometheus-token, mountPath: /run/medea/prometheus-token, readOnly: true}
{{- end }}
{{- if .Values.argo.serverCA }}
- {name: argo-server-ca, mountPath: /run/medea/argo-server-ca, readOnly: true}
{{- end }}
{{- end }}

{{- define "medea.volumes" -}}
# Each process keeps it equal to the Secret with the certificate.
- {name: certs, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
- {name: tmp, emptyDir: {sizeLimit: 64Mi}}
{{- with .Values.ledger.ca }}
- {name: ledger-ca, secret: {secretName: {{ . }}}}
{{- end }}
{{- with .Values.prometheus.ca }}
- {name: prometheus-ca, configMap: {name: {{ . }}}}
{{- end }}
{{- with .Values.prometheus.token }}
- {name: prometheus-token, secret: {secretName: {{ . }}}}
{{- end }}
{{- with .Values.argo.serverCA }}
- {name: argo-server-ca, configMap: {name: {{ . }}}}
{{- end }}
{{- end }}

{{/* How agents run in namespaces that opted in: what the controller prepares there, and what the webhook asks for. */}}
{{- define "medea.agentEnv" -}}
- {name: MEDEA_PLUGIN_IMAGE, value: {{ quote .Values.image }}}
- {name: MEDEA_PLUGIN_URL, value: "https://medea-plugin.{{ .Release.Namespace }}.svc"}
{{- with .Values.agent.imagePullSecrets }}
- {name: MEDEA_AGENT_PULL_SECRETS, value: {{ toJson . | squote }}}
{{- end }}
{{- with .Values.agent.tolerations }}
- {name: MEDEA_AGENT_TOLERATIONS, value: {{ toJson . | squote }}}
{{- end }}
{{- with .Values.agent.nodeSelector }}
- {name: MEDEA_AGENT_NODE_SELECTOR, value: {{ toJson . | squote }}}
{{- end }}
{{- with .Values.agent.priorityClassName }}
- {name: MEDEA_AGENT_PRIORITY_CLASS, value: {{ . }}}
{{- end }}
{{- end }}

{{/* The S3 store of a door, as settings and as volumes. Argument: the door's `s3`. */}}
{{- define "medea.storeEnv" -}}
- {name: MEDEA_S3_ENDPOINT, value: {{ quote .endpoint }}}
- {name: MEDEA_S3_BUCKET, value: {{ quote .bucket }}}
- {name: MEDEA_S3_REGION, value: {{ quote .region }}}
- {name: MEDEA_S3_PREFIX, value: {{ quote .prefix }}}
{{- if .secret }}
- {name: MEDEA_S3_ACCESS_KEY, valueFrom: {secretKeyRef: {name: {{ .secret }}, key: accesskey}}}
- {name: MEDEA_S3_SECRET_KEY, valueFrom: {secretKeyRef: {name: {{ .secret }}, key: secretkey}}}
{{- end }}
{{- if .ca }}
- {name: MEDEA_S3_CA, value: /run/medea/s3-ca/ca.crt}
{{- end }}
{{- end }}

{{- define "medea.storeVolumes" -}}
{{- if .ca }}
- {name: s3-ca, path: /run/medea/s3-ca, source: {configMap: {name: {{ .ca }}}}}
{{- end }}
{{- end }}
