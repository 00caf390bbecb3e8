{{/*
The Pod of the Deployment and of the DaemonSet.
*/}}

{{/*
REPOSITORY:TAG, REPOSITORY:TAG@DIGEST or REPOSITORY@DIGEST; the tag is the app's version where there is neither. CoreDNS's own
image, which values written for its chart may name, is refused: it would not start with this chart's arguments.
*/}}
{{- define "seamark.image" -}}
{{- if regexMatch `(^|/)coredns/coredns$` .image.repository -}}
{{- fail (printf "image.repository %s is CoreDNS's image: set image.repository and image.tag to Seamark's" .image.repository) -}}
{{- end -}}
{{- $tag := .image.tag -}}
{{- if not (or $tag .image.digest) }}{{ $tag = .appVersion }}{{ end -}}
{{- .image.repository }}{{ with $tag }}:{{ include "seamark.word" . }}{{ end }}{{ with .image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/* imagePullSecrets as names, or as objects with a name. */}}
{{- define "seamark.pullSecrets" -}}
{{- range . }}
- name: {{ if kindIs "map" . }}{{ .name }}{{ else }}{{ . }}{{ end }}
{{- end }}
{{- end -}}

{{/*
The container's security context. Defaults that the API server or the kubelet would refuse beside what was asked for give way:
runAsNonRoot beside the user 0, allowPrivilegeEscalation: false beside a privileged container.
*/}}
{{- define "seamark.securityContext" -}}
{{- $context := deepCopy .Values.securityContext -}}
{{- if and (hasKey $context "runAsUser") (eq (int $context.runAsUser) 0) }}{{ $_ := set $context "runAsNonRoot" false }}{{ end -}}
{{- $added := dig "capabilities" "add" list $context -}}
{{- if or $context.privileged (has "SYS_ADMIN" $added) (has "CAP_SYS_ADMIN" $added) -}}
{{- $_ := set $context "allowPrivilegeEscalation" true -}}
{{- end -}}
{{- toYaml $context -}}
{{- end -}}

{{/* Requests and limits; `cpu: null` takes away a limit that CoreDNS's chart has and this one has not. */}}
{{- define "seamark.resources" -}}
{{- $kept := dict -}}
{{- range $kind, $amounts := . -}}
{{- $some := dict -}}
{{- range $name, $amount := $amounts }}{{ if not (kindIs "invalid" $amount) }}{{ $_ := set $some $name $amount }}{{ end }}{{ end -}}
{{- if $some }}{{ $_ := set $kept $kind $some }}{{ end -}}
{{- end -}}
{{- toYaml $kept -}}
{{- end -}}

{{- define "seamark.priorityClassName" -}}
{{- $own := and .Values.isClusterService (eq .Release.Namespace "kube-system") -}}
{{- default (ternary "system-cluster-critical" "" $own) .Values.priorityClassName -}}
{{- end -}}

{{/* (dict "root" $ "probe" .Values.livenessProbe "path" "/health" "port" "8080"); what else a probe says is kept. */}}
{{- define "seamark.probe" -}}
{{- $probe := omit .probe "enabled" -}}
{{- if not (or $probe.httpGet $probe.tcpSocket $probe.exec $probe.grpc) -}}
{{- $_ := set $probe "httpGet" (dict "path" .path "port" (int .port) "scheme" "HTTP") -}}
{{- end -}}
{{- toYaml $probe -}}
{{- end -}}

{{- define "seamark.podTemplate" -}}
{{- $root := . -}}
{{- $labels := include "seamark.selectorLabels" (dict "root" .) | fromYaml -}}
{{- $labels = mergeOverwrite $labels (deepCopy (default dict .Values.customLabels)) (deepCopy (default dict .Values.podLabels)) -}}
{{- $state := .Values.state -}}
metadata:
  labels:
    {{- toYaml $labels | nindent 4 }}
  annotations:
    checksum/config: {{ include "seamark.configData" . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- with .Values.podSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.terminationGracePeriodSeconds }}
  terminationGracePeriodSeconds: {{ . }}
  {{- end }}
  serviceAccountName: {{ include "seamark.serviceAccountName" . }}
  {{- with include "seamark.priorityClassName" . }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  {{- if .Values.hostNetwork }}
  hostNetwork: true
  {{- end }}
  {{- if .Values.shareProcessNamespace }}
  shareProcessNamespace: true
  {{- end }}
  {{- $dnsConfig := default .Values.dnsConfig .Values.deployment.dnsConfig }}
  {{- $dnsPolicy := default (ternary "Default" "" .Values.isClusterService) .Values.deployment.dnsPolicy }}
  {{- with ternary "None" $dnsPolicy (not (empty .Values.dnsConfig)) }}
  dnsPolicy: {{ . }}
  {{- end }}
  {{- with $dnsConfig }}
  dnsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- tpl (toYaml .) $root | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- tpl (toYaml .) $root | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- include "seamark.pullSecrets" . | nindent 4 }}
  {{- end }}
  {{- with .Values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: coredns
      image: {{ include "seamark.image" (dict "image" .Values.image "appVersion" .Chart.AppVersion) | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - -conf
        - /etc/coredns/Corefile
        {{- if and $state.enabled $state.lastGood }}
        - -last-good
        - {{ printf "%s/Corefile.last-good" $state.mountPath }}
        {{- end }}
        {{- if .Values.events.enabled }}
        - -events
        {{- end }}
        {{- with .Values.extraArgs }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- if or .Values.events.enabled .Values.env }}
      env:
        {{- if .Values.events.enabled }}
        {{- range $name, $field := dict "POD_NAME" "metadata.name" "POD_NAMESPACE" "metadata.namespace" "POD_UID" "metadata.uid" }}
        - name: {{ $name }}
          valueFrom:
            fieldRef:
              fieldPath: {{ $field }}
        {{- end }}
        {{- end }}
        {{- with .Values.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      resources:
        {{- include "seamark.resources" .Values.resources | nindent 8 }}
      ports:
        {{- include "seamark.containerPorts" . | nindent 8 }}
      {{- if .Values.livenessProbe.enabled }}
      livenessProbe:
        {{- $port := include "seamark.pluginPort" (dict "root" . "plugin" "health" "default" 8080) }}
        {{- include "seamark.probe" (dict "probe" .Values.livenessProbe "path" "/health" "port" $port) | nindent 8 }}
      {{- end }}
      {{- if .Values.readinessProbe.enabled }}
      readinessProbe:
        {{- $port := include "seamark.pluginPort" (dict "root" . "plugin" "ready" "default" 8181) }}
        {{- include "seamark.probe" (dict "probe" .Values.readinessProbe "path" "/ready" "port" $port) | nindent 8 }}
      {{- end }}
      {{- with .Values.preStopSleep }}
      lifecycle:
        preStop:
          sleep:
            seconds: {{ . }}
      {{- end }}
      {{- if .Values.securityContext }}
      securityContext:
        {{- include "seamark.securityContext" . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - name: config-volume
          mountPath: /etc/coredns
          readOnly: true
        {{- if $state.enabled }}
        - name: state
          mountPath: {{ $state.mountPath }}
        {{- end }}
        {{- range .Values.extraSecrets }}
        - name: {{ .name }}
          mountPath: {{ .mountPath }}
          readOnly: true
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    - name: config-volume
      configMap:
        name: {{ include "seamark.fullname" . }}
        items:
          - key: Corefile
            path: Corefile
          {{- range .Values.zoneFiles }}
          - key: {{ .filename }}
            path: {{ .filename }}
          {{- end }}
    {{- if $state.enabled }}
    - name: state
      {{- /* The default is merged with a volume of one's own, which takes its place. */}}
      {{- toYaml (gt (len $state.volume) 1 | ternary (omit $state.volume "emptyDir") $state.volume) | nindent 6 }}
    {{- end }}
    {{- range .Values.extraSecrets }}
    - name: {{ .name }}
      secret:
        secretName: {{ .name }}
        defaultMode: {{ default 420 .defaultMode | int }}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* The selector of a workload: its own, or the release's labels; an empty map counts as none. */}}
{{- define "seamark.workloadSelector" -}}
{{- if .selector -}}
{{- toYaml .selector -}}
{{- else -}}
matchLabels:
  {{- include "seamark.selectorLabels" .labels | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* The data of the ConfigMap, whose sum makes Pods start again where it changes. */}}
{{- define "seamark.configData" -}}
Corefile: |-
  {{- include "seamark.corefile" . | trim | nindent 2 }}
{{- range .Values.zoneFiles }}
{{ .filename }}: {{ .contents | toYaml | indent 2 | trim }}
{{- end }}
{{- end -}}
