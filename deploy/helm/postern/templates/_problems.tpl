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
{{- if regexMatch ":[^/]*$" .Values.image.repository -}}
{{- $problems = append $problems (printf "image.repository %q ends with a tag: the tag belongs into image.tag" .Values.image.repository) -}}
{{- end -}}
{{- if eq (int .Values.service.port) 9193 -}}
{{- $problems = append $problems "service.port is 9193, where the Service has metrics: write another" -}}
{{- end -}}
{{- if .Values.http.enabled -}}
{{- if eq (int .Values.http.port) 9193 -}}
{{- $problems = append $problems "http.port is 9193, where the Service has metrics: write another" -}}
{{- end -}}
{{- if eq (int .Values.http.port) (int .Values.service.port) -}}
{{- $problems = append $problems (printf "service.port and http.port are both %d: give one of them another" (int .Values.http.port)) -}}
{{- end -}}
{{- end -}}
{{- $workers := toString (default 1 .Values.options.workers) -}}
{{- if and (eq $workers "auto") (not (dig "limits" "cpu" "" .Values.resources)) -}}
{{- $problems = append $problems "options.workers is auto, which without resources.limits.cpu is a process for each core of the node: give that limit, or a number" -}}
{{- end -}}
{{- $memory := dig "limits" "memory" "" .Values.resources -}}
{{- if and (not (has $workers (list "auto" "1"))) $memory -}}
{{- $needed := mulf 134217728.0 (add1 (int $workers)) -}}
{{- if gt $needed (include "postern.quantity" $memory | float64) -}}
{{- $problems = append $problems (printf "options.workers is %s: with the main process that is %d processes, of 128Mi at least, and resources.limits.memory is %v" $workers (add1 (int $workers)) $memory) -}}
{{- end -}}
{{- end -}}
{{- with .Values.options.drainDelay -}}
{{- if gt (trimSuffix "s" . | int) (int $.Values.shutdown.drainSeconds) -}}
{{- $problems = append $problems (printf "options.drainDelay is %s, longer than shutdown.drainSeconds, of which it is a part" .) -}}
{{- end -}}
{{- end -}}
{{- with .Values.sidecar.options.drainDelay -}}
{{- if gt (trimSuffix "s" . | int) 5 -}}
{{- $problems = append $problems (printf "sidecar.options.drainDelay is %s: sidecars end within 5s, of which it is a part" .) -}}
{{- end -}}
{{- end -}}
{{- range $path, $resources := dict "resources" .Values.resources "sidecar.resources" .Values.sidecar.resources -}}
{{- range $name, $limit := $resources.limits -}}
{{- $request := get ($resources.requests | default dict) $name -}}
{{- if and $request $limit (gt (include "postern.quantity" $request | float64) (include "postern.quantity" $limit | float64)) -}}
{{- $problems = append $problems (printf "%s.requests.%s, %v, is above %s.limits.%s, %v: no Pod starts so" $path $name $request $path $name $limit) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range include "postern.missingNamespaces" . | fromJsonArray -}}
{{- $problems = append $problems (printf "there is no namespace %q yet, and Roles go there: kubectl create namespace %s" . .) -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "\n\nThese values do not go together:\n  - %s\n" (join "\n  - " $problems)) -}}
{{- end -}}
{{- end }}

{{/* What a quantity of Kubernetes counts, as a number that float64 reads: "1Gi", "250m", 2. */}}
{{- define "postern.quantity" -}}
{{- $text := toString . -}}
{{- $suffix := regexFind "[A-Za-z]*$" $text -}}
{{- $scales := dict "" 1.0 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 -}}
{{- mulf (trimSuffix $suffix $text | float64) (get $scales $suffix) -}}
{{- end }}

{{/* Those that get a Role and are not there, in JSON. Without a cluster nobody knows; the release's own may still be made. */}}
{{- define "postern.missingNamespaces" -}}
{{- $missing := list -}}
{{- if and .Values.rbac.create (lookup "v1" "Namespace" "" "default") -}}
{{- $named := concat .Values.namespaces .Values.secretNamespaces (ternary .Values.sidecar.namespaces list .Values.sidecar.enabled) -}}
{{- range without (uniq $named) .Release.Namespace -}}
{{- if not (lookup "v1" "Namespace" "" .) -}}
{{- $missing = append $missing . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $missing -}}
{{- end }}
