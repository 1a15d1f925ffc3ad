{{- define "kecs.selector" -}}
app.kubernetes.io/name: kecs
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "kecs.labels" -}}
{{ include "kecs.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: control-plane
{{- end }}
