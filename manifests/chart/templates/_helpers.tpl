{{/* The labels of every object. */}}
{{- define "medea.labels" -}}
app.kubernetes.io/name: medea
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{/* The labels by which a part's pods are found. Arguments: component. */}}
{{- define "medea.selector" -}}
app.kubernetes.io/name: medea
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* metadata of an object in Medea's namespace. Arguments: root, name, component (optional). */}}
{{- define "medea.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "medea.labels" .root | nindent 2 }}
  {{- with .component }}
  app.kubernetes.io/component: {{ . }}
  {{- end }}
{{- end }}

{{/* What Pod Security's level `restricted` wants of a container, and a root file system that nobody writes to. */}}
{{- define "medea.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Where Medea's pods may run, and with what their images are pulled. */}}
{{- define "medea.placement" -}}
{{- $spec := dict }}
{{- range .Values.imagePullSecrets }}
{{- $_ := set $spec "imagePullSecrets" (append (default list $spec.imagePullSecrets) (dict "name" .)) }}
{{- end }}
{{- range $field := list "nodeSelector" "tolerations" "affinity" "priorityClassName" }}
{{- with get $.Values $field }}
{{- $_ := set $spec $field . }}
{{- end }}
{{- end }}
{{- with $spec }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{- define "medea.postgresSecret" -}}
{{ .Values.postgres.secret | default "medea-postgres" }}
{{- end }}

{{/* What can't be checked by the schema alone. */}}
{{- define "medea.checked" -}}
{{- if and (not .Values.postgres.embedded) (not .Values.ledger.secret) }}
{{- fail "no ledger: set ledger.secret to the name of a Secret with a DSN, or postgres.embedded to true" }}
{{- end }}
{{- if and .Values.postgres.embedded .Values.ledger.secret }}
{{- fail "two ledgers: ledger.secret is set, so postgres.embedded has to be false" }}
{{- end }}
{{- if .Values.nodes.rabbitmq.host }}
{{- range $name, $value := dict "nodes.namespace" .Values.nodes.namespace "nodes.rabbitmq.queue" .Values.nodes.rabbitmq.queue "nodes.rabbitmq.secret" .Values.nodes.rabbitmq.secret }}
{{- if not $value }}
{{- fail (printf "nodes.rabbitmq.host is set, so %s has to be set" $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.files.enabled }}
{{- range $name, $value := dict "files.namespace" .Values.files.namespace "files.s3.endpoint" .Values.files.s3.endpoint "files.s3.bucket" .Values.files.s3.bucket }}
{{- if not $value }}
{{- fail (printf "files.enabled is true, so %s has to be set" $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.classes }}
{{- if and .enabled (not .namespace) }}
{{- fail "classes.enabled is true, so classes.namespace has to be set" }}
{{- end }}
{{- if and .enabled .s3.endpoint (not .s3.bucket) }}
{{- fail "classes.s3.endpoint is set, so classes.s3.bucket has to be" }}
{{- end }}
{{- if and .enabled (not .rabbitmq.secret) (or .workers (not .config)) }}
{{- fail "classes.enabled is true, so classes.rabbitmq.secret has to be set, unless classes.config has every class run_by: workflow" }}
{{- end }}
{{- end }}
{{- $space := .Values.targets.namespace }}
{{- if eq $space .Release.Namespace }}
{{- fail (printf "targets.namespace is %s, which is Medea's own: the targets' credentials need one with nothing else in it" $space) }}
{{- end }}
{{- /* An older Medea had them in its own. The pods of this one would find no target. */}}
{{- range (lookup "v1" "Secret" .Release.Namespace "").items }}
{{- $target := dig "metadata" "labels" "medea.dev/cluster" "" . }}
{{- if and $target (not (lookup "v1" "Secret" $space .metadata.name)) }}
{{- fail (printf "target %s is registered in %s still; before this upgrade: medea target move" $target .metadata.namespace) }}
{{- end }}
{{- end }}
{{- end }}
