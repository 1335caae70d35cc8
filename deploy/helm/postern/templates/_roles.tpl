{{- define "postern.subject" -}}
- kind: ServiceAccount
  name: {{ include "postern.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* Who writes statuses, and what each replica serves. Their names are not known before they are made; watches name none. */}}
{{- define "postern.leaseRules" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, list, watch, create, update, delete]
{{- end }}

{{/* A Role of one namespace, bound to the agent: root, namespace, suffix, rules. */}}
{{- define "postern.role" }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ include "postern.clusterName" .root }}-{{ .suffix }}
  namespace: {{ .namespace }}
  labels:
    {{- include "postern.labels" .root | nindent 4 }}
rules:
  {{- .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ include "postern.clusterName" .root }}-{{ .suffix }}
  namespace: {{ .namespace }}
  labels:
    {{- include "postern.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ include "postern.clusterName" .root }}-{{ .suffix }}
subjects:
  {{- include "postern.subject" .root | nindent 2 }}
{{- end }}
