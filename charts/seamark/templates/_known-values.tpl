{{/*
The names of values.schema.json, `*` those of the first level, for NOTES.txt: values of CoreDNS's chart are kept, so that one that
is misspelt is not refused. Maps that are rendered whole are left out: what is wrong in them the API server says.
*/}}
{{- define "seamark.knownValues" -}}
{
  "*": [
    "image", "nameOverride", "fullnameOverride", "replicaCount", "resources", "rollingUpdate",
    "terminationGracePeriodSeconds", "preStopSleep", "podAnnotations", "podLabels", "dnsConfig",
    "serviceType", "service", "prometheus", "serviceAccount", "rbac", "clusterRole", "isClusterService",
    "k8sAppLabelOverride", "priorityClassName", "podSecurityContext", "securityContext", "servers",
    "extraConfig", "zoneFiles", "livenessProbe", "readinessProbe", "affinity", "topologySpreadConstraints",
    "nodeSelector", "tolerations", "podDisruptionBudget", "extraContainers", "initContainers", "extraVolumes",
    "extraVolumeMounts", "extraSecrets", "env", "customLabels", "customAnnotations", "hpa", "autoscaler",
    "deployment", "daemonset", "cilium", "state", "events", "extraArgs", "hostNetwork",
    "shareProcessNamespace", "revisionHistoryLimit", "grafana"
  ],
  "image": [
    "repository", "tag", "digest", "pullPolicy", "pullSecrets"
  ],
  "service": [
    "name", "annotations", "selector", "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy",
    "externalIPs", "externalTrafficPolicy", "internalTrafficPolicy", "loadBalancerIP", "loadBalancerClass",
    "loadBalancerSourceRanges", "trafficDistribution", "kubeadmPorts"
  ],
  "prometheus": [
    "service", "monitor", "rules"
  ],
  "serviceAccount": [
    "create", "name", "annotations"
  ],
  "rbac": [
    "create", "pspEnable", "multiclusterEnable", "extraRules", "tenants"
  ],
  "clusterRole": [
    "nameOverride"
  ],
  "hpa": [
    "enabled", "name", "minReplicas", "maxReplicas", "metrics", "behavior"
  ],
  "autoscaler": [
    "enabled", "coresPerReplica", "nodesPerReplica", "min", "max", "includeUnschedulableNodes",
    "preventSinglePointFailure", "replicaCount", "image", "customFlags", "inheritCustomLabels",
    "customLabels", "podLabels", "podAnnotations", "selector", "podDisruptionBudget", "priorityClassName",
    "affinity", "nodeSelector", "tolerations", "resources", "podSecurityContext", "securityContext",
    "configmap", "livenessProbe", "extraContainers", "additionalClusterRoleRules"
  ],
  "deployment": [
    "enabled", "skipConfig", "name", "annotations", "selector", "dnsPolicy", "dnsConfig"
  ],
  "daemonset": [
    "enabled", "skipConfig", "name", "annotations", "selector"
  ],
  "cilium": [
    "localRedirectPolicy"
  ],
  "grafana": [
    "dashboard"
  ]
}
{{- end -}}

{{/* The values that do nothing, as a JSON list of their paths. */}}
{{- define "seamark.unknownValues" -}}
{{- $known := include "seamark.knownValues" . | fromJson -}}
{{- $unknown := list -}}
{{- range $key := keys .Values | sortAlpha -}}
{{- $value := get $.Values $key -}}
{{- if not (has $key (append (get $known "*") "global")) -}}
{{- $unknown = append $unknown $key -}}
{{- else if and (hasKey $known $key) (kindIs "map" $value) -}}
{{- range $name := keys $value | sortAlpha -}}
{{- if not (has $name (get $known $key)) }}{{ $unknown = append $unknown (printf "%s.%s" $key $name) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $unknown -}}
{{- end -}}
