{{- define "seedloom.image" -}}
{{- if .Values.image.digest -}}
{{ printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else -}}
{{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end -}}
{{- end -}}

{{- define "seedloom.arguments" -}}
{{- with .Values.namespaces -}}
- --namespaces={{ join "," . }}
- --metrics-secure=false
- --metrics-bind-address=127.0.0.1:8080
{{ end -}}
{{- if .Values.webhook.enabled -}}
{{- if .Values.namespaces }}{{ fail "webhook.enabled needs namespaces to be empty: an API server asks one webhook for the whole cluster" }}{{ end -}}
- --webhook-bind-address=:9443
{{ if .Values.webhook.certManager -}}
- --webhook-cert-path=/etc/seedloom-webhook
{{ end -}}
{{- end -}}
{{- with .Values.extraArgs -}}
{{ toYaml . }}
{{- end -}}
{{- end -}}

{{- define "seedloom.pod" -}}
{{- range $name := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" "priorityClassName" -}}
{{- with index $.Values $name -}}
{{ dict $name . | toYaml }}
{{ end -}}
{{- end -}}
{{- end -}}
