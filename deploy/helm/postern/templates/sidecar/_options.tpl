{{/* Options of the sidecars as further arguments, in JSON, each behind a comma. */}}
{{- define "postern.sidecar.options" -}}
{{- range $name, $value := .Values.sidecar.options -}}
{{- if kindIs "slice" $value -}}
{{- $value = join "," $value -}}
{{- else if kindIs "float64" $value -}}
{{- $value = int64 $value -}}
{{- end -}}
, {{ printf "--%s=%v" (kebabcase $name) $value | toJson }}
{{- end -}}
{{- end }}

{{/* The same in a list, for containers that the chart makes. */}}
{{- define "postern.sidecar.optionList" -}}
[{{ include "postern.sidecar.options" . | trim | trimPrefix "," }}]
{{- end }}

{{/* All that the chart would inject otherwise than `postern inject` does by itself, as its flags. */}}
{{- define "postern.sidecar.injectOptions" -}}
{{- if ne (int .Values.sidecar.adminPort) 9193 }} --admin-port {{ .Values.sidecar.adminPort }}{{ end -}}
{{- if ne .Values.image.pullPolicy "IfNotPresent" }} --image-pull-policy {{ .Values.image.pullPolicy }}{{ end -}}
{{- $resources := dict "requests" (dict "cpu" "50m" "memory" "128Mi") "limits" (dict "memory" "512Mi") -}}
{{- if ne (toJson .Values.sidecar.resources) (toJson $resources) }} --resources {{ include "postern.quoted" (toJson .Values.sidecar.resources) }}{{ end -}}
{{- with .Values.sidecar.env }} --env {{ include "postern.quoted" (toJson .) }}{{ end -}}
{{- range include "postern.sidecar.optionList" . | fromJsonArray }} --option {{ include "postern.quoted" (trimPrefix "--" .) }}{{ end -}}
{{- end }}

{{/* One word of a shell. */}}
{{- define "postern.quoted" -}}
'{{ replace "'" "'\\''" . }}'
{{- end }}

{{/* Of the instance that writes the status of the class. */}}
{{- define "postern.sidecar.fullname" -}}
{{ include "postern.fullname" . | trunc 41 | trimSuffix "-" }}-sidecars
{{- end }}

{{- define "postern.sidecar.selector" -}}
app.kubernetes.io/name: {{ include "postern.name" . }}-sidecars
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Roles tell the class that they are for: so a second release of one class is found. */}}
{{- define "postern.sidecar.roleLabels" -}}
{{ include "postern.labels" . }}
postern.dev/class: {{ .Values.sidecar.className }}
{{- end }}

{{- define "postern.sidecar.isServed" -}}
{{- if .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" }}true{{ end }}
{{- end }}

{{/* A value in CEL. Its literals hold members of one type: each is made dynamic. */}}
{{- define "postern.cel" -}}
{{- if kindIs "map" . -}}
{ {{- $comma := "" }}{{ range $key, $value := . }}{{ $comma }}{{ toJson $key }}: dyn({{ include "postern.cel" $value }}){{ $comma = ", " }}{{ end -}} }
{{- else if kindIs "slice" . -}}
[ {{- range $index, $value := . }}{{ if $index }}, {{ end }}dyn({{ include "postern.cel" $value }}){{ end -}} ]
{{- else -}}
{{ toJson . }}
{{- end -}}
{{- end }}
