{{- define "uploads.labels" -}}
app.kubernetes.io/name: deferred-uploads
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "uploads.selector" -}}
app.kubernetes.io/name: deferred-uploads
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "uploads.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "uploads.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "uploads.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- /* A setting as text. Helm reads a number of a values file as a float, which would become 1.073741824e+10. */ -}}
{{- define "uploads.setting" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) }}{{ int64 . | quote }}{{ else }}{{ quote . }}{{ end }}
{{- end }}

{{- /* The settings of one role: the shared ones, its own, the Secret, and the access file. */ -}}
{{- define "uploads.environment" -}}
envFrom:
  - configMapRef:
      name: {{ .root.Release.Name }}-settings
  {{- with .root.Values.secretName }}
  - secretRef:
      name: {{ . }}
  {{- end }}
env:
  {{- range $name, $value := .settings }}
  - name: {{ $name }}
    value: {{ include "uploads.setting" $value }}
  {{- end }}
  {{- if .root.Values.accessFile.secretName }}
  - name: ACCESS_FILE
    value: /etc/deferred-uploads/access.json
  {{- end }}
{{- end }}

{{- define "uploads.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .Values.storageClaim }}
- name: data
  mountPath: /data
{{- end }}
{{- if .Values.accessFile.secretName }}
- name: access
  mountPath: /etc/deferred-uploads
  readOnly: true
{{- end }}
{{- end }}

{{- define "uploads.volumes" -}}
{{- with .Values.storageClaim }}
- name: data
  persistentVolumeClaim:
    claimName: {{ . }}
{{- end }}
{{- with .Values.accessFile.secretName }}
- name: access
  secret:
    secretName: {{ . }}
{{- end }}
{{- end }}
