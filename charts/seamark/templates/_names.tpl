{{/*
Names and labels. They are those of CoreDNS's chart, whose name stands in for this chart's: a release of that chart is upgraded
to this one with the same objects and the same immutable selectors.
*/}}

{{- define "seamark.name" -}}
{{- default "coredns" .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* RELEASE-NAME, or just RELEASE where it says the name already. */}}
{{- define "seamark.fullname" -}}
{{- $name := include "seamark.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "seamark.k8sApp" -}}
{{- default "coredns" .Values.k8sAppLabelOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "seamark.serviceName" -}}
{{- default (include "seamark.fullname" .) .Values.service.name -}}
{{- end -}}

{{- define "seamark.workloadName" -}}
{{- default (include "seamark.fullname" .) .Values.deployment.name -}}
{{- end -}}

{{- define "seamark.daemonsetName" -}}
{{- default (include "seamark.fullname" .) .Values.daemonset.name -}}
{{- end -}}

{{- define "seamark.autoscalerName" -}}
{{- include "seamark.fullname" . }}-autoscaler
{{- end -}}

{{- define "seamark.clusterRoleName" -}}
{{- default (include "seamark.fullname" .) .Values.clusterRole.nameOverride -}}
{{- end -}}

{{/* Whether a ServiceAccount is made: as told, and if nothing is told, unless one is named. */}}
{{- define "seamark.serviceAccountCreate" -}}
{{- $account := .Values.serviceAccount -}}
{{- if hasKey $account "create" }}{{ if $account.create }}true{{ end }}{{ else if not $account.name }}true{{ end -}}
{{- end -}}

{{- define "seamark.serviceAccountName" -}}
{{- if include "seamark.serviceAccountCreate" . -}}
{{- default (include "seamark.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* What every object carries; (dict "root" $ "suffix" "-autoscaler") for the autoscaler's. */}}
{{- define "seamark.commonLabels" -}}
{{- $root := .root -}}
{{- $suffix := default "" .suffix -}}
app.kubernetes.io/managed-by: {{ $root.Release.Service | quote }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/name: {{ printf "%s%s" (include "seamark.name" $root) $suffix | quote }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | quote }}
{{- if $root.Values.isClusterService }}
k8s-app: {{ printf "%s%s" (include "seamark.k8sApp" $root) $suffix | quote }}
kubernetes.io/cluster-service: "true"
kubernetes.io/name: CoreDNS
{{- end }}
{{- end -}}

{{/* What Pods are selected by. */}}
{{- define "seamark.selectorLabels" -}}
{{- $root := .root -}}
{{- $suffix := default "" .suffix -}}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/name: {{ printf "%s%s" (include "seamark.name" $root) $suffix | quote }}
{{- if $root.Values.isClusterService }}
k8s-app: {{ printf "%s%s" (include "seamark.k8sApp" $root) $suffix | quote }}
{{- end }}
{{- end -}}

{{/*
The metadata of an object below `metadata:`, its name left out: namespace, labels, annotations. Later maps win over earlier ones.
  root         the chart's context
  cluster      true for objects without a namespace
  namespace    another than the release's
  suffix       of the autoscaler's labels
  labels       a list of further maps
  annotations  a list of further maps
*/}}
{{- define "seamark.metadata" -}}
{{- $labels := include "seamark.commonLabels" . | fromYaml -}}
{{- range .labels }}{{ $labels = mergeOverwrite $labels (deepCopy (default dict .)) }}{{ end -}}
{{- $annotations := dict -}}
{{- range prepend (default list .annotations) .root.Values.customAnnotations -}}
{{- $annotations = mergeOverwrite $annotations (deepCopy (default dict .)) -}}
{{- end -}}
{{- if .cluster -}}
labels:
{{- else -}}
namespace: {{ default .root.Release.Namespace .namespace }}
labels:
{{- end }}
  {{- toYaml $labels | nindent 2 }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Whether there is a server of this release's own; without one, only the autoscalers of another's are left. */}}
{{- define "seamark.enabled" -}}
{{- if or .Values.deployment.enabled .Values.daemonset.enabled }}true{{ end -}}
{{- end -}}
