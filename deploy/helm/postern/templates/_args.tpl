{{/* The arguments of the container: what the chart decides, then the options as they were given. */}}
{{- define "postern.args" -}}
- serve
- --kube
- --class={{ .Values.className }}
{{- with .Values.namespaces }}
- --namespace={{ join "," . }}
{{- end }}
- --grpc-addr=:9191
- --admin-addr=:9193
- --drain-timeout={{ .Values.shutdown.drainSeconds }}s
{{- if .Values.http.enabled }}
- --http-addr=:9192
- --http-trusted-peers={{ join "," .Values.http.trustedPeers }}
{{- with .Values.http.carriedHeaders }}
- --http-carried-headers={{ join "," . }}
{{- end }}
{{- end }}
{{- if .Values.tls.secretName }}
- --tls-cert=/etc/postern/tls/tls.crt
- --tls-key=/etc/postern/tls/tls.key
{{- if .Values.tls.clientCA.secretName }}
- --client-ca=/etc/postern/client-ca/ca.crt
{{- end }}
{{- end }}
{{- range $name, $value := .Values.options }}
{{- if kindIs "slice" $value }}
{{- $value = join "," $value }}
{{- else if kindIs "float64" $value }}
{{- $value = int64 $value }}
{{- end }}
- {{ printf "--%s=%v" (kebabcase $name) $value | quote }}
{{- end }}
{{- end }}
