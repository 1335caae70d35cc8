{{/* The rules of files/alerts.yaml about this release alone: its job in place of the one that is written there. */}}
{{- define "postern.alertGroups" -}}
{{- $own := printf "job=%q,namespace=%q" (include "postern.fullname" .) .Release.Namespace -}}
{{- $matchers := default $own .Values.alerts.matchers -}}
{{- $groups := list -}}
{{- range (.Files.Get "files/alerts.yaml" | fromYaml).groups -}}
{{- $rules := list -}}
{{- range .rules -}}
{{- if not (has .alert $.Values.alerts.disabled) -}}
{{- $rule := set . "expr" (replace "job=\"postern\"" $matchers .expr) -}}
{{- $rule = set $rule "labels" (merge $rule.labels $.Values.alerts.ruleLabels) -}}
{{- with $.Values.alerts.runbooks -}}
{{- $_ := set $rule.annotations "runbook_url" (printf "%s#%s" . (lower $rule.alert)) -}}
{{- end -}}
{{- $rules = append $rules $rule -}}
{{- end -}}
{{- end -}}
{{- if $rules -}}
{{- $groups = append $groups (dict "name" (printf "%s.%s" (include "postern.clusterName" $) .name) "rules" $rules) -}}
{{- end -}}
{{- end -}}
{{ toYaml $groups }}
{{- end }}
