{{- define "postern.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "postern.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "postern.name" .) .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name (include "postern.name" .) | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{/* Objects that are not in a namespace carry ours: releases of one name in two namespaces have their own. */}}
{{- define "postern.clusterName" -}}
{{ printf "%s-%s" (include "postern.fullname" .) .Release.Namespace }}
{{- end }}

{{- define "postern.serviceAccountName" -}}
{{ default (include "postern.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "postern.selector" -}}
app.kubernetes.io/name: {{ include "postern.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Peer of a NetworkPolicy: the test of this release, which asks as Envoy does and reads whether replicas are ready. */}}
{{- define "postern.ownTest" -}}
- podSelector: {matchLabels: {app.kubernetes.io/name: {{ include "postern.name" . }}-test, app.kubernetes.io/instance: {{ .Release.Name }}}}
{{- end }}

{{- define "postern.labels" -}}
{{ include "postern.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "postern.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end }}

{{/* Pod Security Standards, level "restricted". */}}
{{- define "postern.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "postern.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}
