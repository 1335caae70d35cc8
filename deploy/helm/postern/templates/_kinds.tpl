{{/* The documents of the CRD files, as a map by "kind/name": the one list of kinds that roles and CRDs come from. */}}
{{- define "postern.crdDocuments" -}}
{{- $documents := dict -}}
{{- range $path, $_ := .Files.Glob "files/crds/*.yaml" -}}
{{- range splitList "\n---\n" ($.Files.Get $path) -}}
{{- $document := fromYaml . -}}
{{- $_ := set $documents (printf "%s/%s" $document.kind $document.metadata.name) $document -}}
{{- end -}}
{{- end -}}
{{ toJson $documents }}
{{- end }}

{{/* Plurals of the kinds of a scope, as a list in JSON. */}}
{{- define "postern.plurals" -}}
{{- $plurals := list -}}
{{- range include "postern.crdDocuments" .root | fromJson -}}
{{- if and (eq .kind "CustomResourceDefinition") (has .spec.scope $.scopes) -}}
{{- $plurals = append $plurals .spec.names.plural -}}
{{- end -}}
{{- end -}}
{{ toJson $plurals }}
{{- end }}

{{/* What an agent does with the kinds: it copies all, reads one again on a conflict, and applies status. */}}
{{- define "postern.kindRules" -}}
{{- $plurals := include "postern.plurals" . | fromJsonArray -}}
- apiGroups: [postern.dev]
  resources: {{ toJson $plurals }}
  verbs: [get, list, watch]
- apiGroups: [postern.dev]
  resources:
    {{- range $plurals }}
    - {{ . }}/status
    {{- end }}
  verbs: [patch]
{{- end }}

{{/* Labels of namespaces, by which grants and baselines select. */}}
{{- define "postern.namespaceRules" -}}
- apiGroups: [""]
  resources: [namespaces]
  {{- with .Values.namespaces }}
  resourceNames: {{ toJson . }}
  {{- end }}
  verbs: [list, watch]
{{- end }}

{{/* The definitions themselves, by name: an agent compares their digest with its own. */}}
{{- define "postern.definitionRules" -}}
{{- $names := list -}}
{{- range include "postern.crdDocuments" . | fromJson -}}
{{- if eq .kind "CustomResourceDefinition" -}}
{{- $names = append $names .metadata.name -}}
{{- end -}}
{{- end -}}
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  resourceNames: {{ toJson $names }}
  verbs: [get]
{{- end }}
