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
{{ end -}}
{{- with .Values.extraArgs -}}
{{ toYaml . }}
{{- end -}}
{{- end -}}

{{- define "seedloom.pod" -}}
{{- range $name := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "priorityClassName" -}}
{{- with index $.Values $name -}}
{{ dict $name . | toYaml }}
{{ end -}}
{{- end -}}
{{- end -}}
