{{/* Values that contradict each other. What one value may be is said by values.schema.json. */}}
{{- define "postern.problems" -}}
{{- $problems := list -}}
{{- if and .Values.tls.clientCA.secretName (not .Values.tls.secretName) -}}
{{- $problems = append $problems "tls.clientCA.secretName needs tls.secretName: without TLS no certificate is seen" -}}
{{- end -}}
{{- if and .Values.http.enabled (not .Values.http.trustedPeers) -}}
{{- $problems = append $problems "http.enabled needs http.trustedPeers: the networks of the proxies, [10.0.0.0/8] say; nobody else is answered" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- $problems = append $problems "autoscaling.minReplicas is above autoscaling.maxReplicas" -}}
{{- end -}}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- $problems = append $problems "serviceAccount.create is false: name the account in serviceAccount.name" -}}
{{- end -}}
{{- if .Values.namespaces -}}
{{- range .Values.secretNamespaces -}}
{{- if not (has . $.Values.namespaces) -}}
{{- $problems = append $problems (printf "secretNamespaces names %q, which is not in namespaces" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.sidecar.enabled -}}
{{- if not .Values.sidecar.namespaces -}}
{{- $problems = append $problems "sidecar.enabled needs sidecar.namespaces: name those whose Pods may have sidecars" -}}
{{- end -}}
{{- if eq .Values.sidecar.className .Values.className -}}
{{- $problems = append $problems "sidecar.className is className: the policies of sidecars are of a class of their own" -}}
{{- end -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "\n\nThese values do not go together:\n  - %s\n" (join "\n  - " $problems)) -}}
{{- end -}}
{{- end }}
