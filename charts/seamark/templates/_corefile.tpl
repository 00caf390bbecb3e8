{{/*
The Corefile of `servers` and `extraConfig`. The data of plugins are written as they are and never run as templates: the plugin
`template` has braces of its own.
*/}}

{{/* A value of the Corefile; YAML's numbers come as floats, and %v would write 1000000 as 1e+06. */}}
{{- define "seamark.word" -}}
{{- if kindIs "float64" . }}{{ toJson . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{/* The keys of a server block: each zone with its scheme and the block's port. */}}
{{- define "seamark.serverKeys" -}}
{{- $port := ternary (printf ":%s" (include "seamark.word" .port)) "" (ne (toString (default "" .port)) "") -}}
{{- $keys := list -}}
{{- range .zones }}{{ $keys = append $keys (printf "%s%s%s" (default "" .scheme) (default "." .zone) $port) }}{{ end -}}
{{- default (printf ".%s" $port) (join " " $keys) -}}
{{- end -}}

{{- define "seamark.corefile" -}}
{{- $state := .Values.state -}}
{{- $snapshots := 0 -}}
{{- range $name, $conf := .Values.extraConfig }}
{{ $name }}{{ with $conf }}{{ with .parameters }} {{ include "seamark.word" . }}{{ end }}{{ end }}
{{- end }}
{{- range .Values.servers }}
{{ include "seamark.serverKeys" . }} {
{{- range .plugins }}
{{- $block := default "" .configBlock -}}
{{- if and (eq .name "kubernetes") $state.enabled $state.snapshot (not (regexMatch `(?m)^\s*snapshot\s` $block)) -}}
{{- $file := printf "%s/snapshot%s" $state.mountPath (ternary "" (printf "-%d" $snapshots) (eq $snapshots 0)) -}}
{{- $block = printf "%s\nsnapshot %s" (trimSuffix "\n" $block) $file | trimPrefix "\n" -}}
{{- $snapshots = add1 $snapshots -}}
{{- end }}
    {{ .name }}{{ if not (kindIs "invalid" .parameters) }}{{ with include "seamark.word" .parameters }} {{ . }}{{ end }}{{ end }}
    {{- if $block }} {
{{ $block | trimSuffix "\n" | indent 8 }}
    }
    {{- end }}
{{- end }}
}
{{- end }}
{{- end -}}

{{/*
The ports that the server blocks want, as a map in JSON: PORT → udp, tcp, servicePort, nodePort, hostPort.
A zone of dns:// is served over UDP and TCP; `use_tcp: false` leaves TCP out of the Service, and behind a load balancer, where
both together are often refused, TCP has to be asked for. tls://, grpc:// and https:// are TCP, quic:// is UDP.
*/}}
{{- define "seamark.ports" -}}
{{- $ports := dict -}}
{{- $tcp := ne (default "ClusterIP" .Values.serviceType) "LoadBalancer" -}}
{{- range .Values.servers -}}
{{- $server := . -}}
{{- range default (list (dict)) .zones -}}
{{- $scheme := default "dns://" .scheme -}}
{{- $dns := eq $scheme "dns://" -}}
{{- $stream := has $scheme (list "tls://" "grpc://" "https://") -}}
{{- $standard := ternary 53 (ternary 443 853 (has $scheme (list "https://" "grpc://"))) $dns -}}
{{- $port := include "seamark.word" (default $standard $server.port) -}}
{{- $entry := default (dict "udp" false "tcp" false) (get $ports $port) -}}
{{- if not $stream }}{{ $_ := set $entry "udp" true }}{{ end -}}
{{- if or $stream (and $dns (ternary .use_tcp $tcp (hasKey . "use_tcp"))) }}{{ $_ := set $entry "tcp" true }}{{ end -}}
{{- if $dns }}{{ $_ := set $entry "dns" true }}{{ end -}}
{{- with $server.servicePort }}{{ $_ := set $entry "servicePort" . }}{{ end -}}
{{- with $server.nodePort }}{{ $_ := set $entry "nodePort" . }}{{ end -}}
{{- with $server.hostPort }}{{ $_ := set $entry "hostPort" . }}{{ end -}}
{{- $_ := set $ports $port $entry -}}
{{- end -}}
{{- end -}}
{{- toJson $ports -}}
{{- end -}}

{{/* The name of a port: udp-53 and tcp-53, or as kubeadm's manifests call port 53. */}}
{{- define "seamark.portName" -}}
{{- if and .kubeadm (eq .port "53") -}}
{{- ternary "dns" "dns-tcp" (eq .protocol "udp") -}}
{{- else -}}
{{- printf "%s-%s" .protocol .port -}}
{{- end -}}
{{- end -}}

{{/* The port after the last colon of a plugin's first argument; (dict "root" $ "plugin" "health" "default" 8080). */}}
{{- define "seamark.pluginPort" -}}
{{- $port := toString .default -}}
{{- $plugin := .plugin -}}
{{- range .root.Values.servers }}{{ range .plugins }}{{ if and (eq .name $plugin) .parameters -}}
{{- $given := regexFind `[0-9]+$` (first (splitList " " (toString .parameters))) -}}
{{- if $given }}{{ $port = $given }}{{ end -}}
{{- end }}{{ end }}{{ end -}}
{{- $port -}}
{{- end -}}

{{/* Whether a server block has the plugin. */}}
{{- define "seamark.hasPlugin" -}}
{{- $plugin := .plugin -}}
{{- range .root.Values.servers }}{{ range .plugins }}{{ if eq .name $plugin }}true{{ end }}{{ end }}{{ end -}}
{{- end -}}

{{/* Whether the block of a plugin has a word: (dict "root" $ "plugin" "kubernetes" "word" "multicluster"). */}}
{{- define "seamark.saysIn" -}}
{{- $plugin := .plugin -}}
{{- $word := printf `(?m)^[^#]*\b%s\b` .word -}}
{{- range .root.Values.servers }}{{ range .plugins }}{{ if and (eq .name $plugin) (regexMatch $word (default "" .configBlock)) }}true{{ end }}{{ end }}{{ end -}}
{{- end -}}

{{- define "seamark.containerPorts" -}}
{{- $kubeadm := .Values.service.kubeadmPorts -}}
{{- $list := list -}}
{{- range $port, $entry := include "seamark.ports" . | fromJson -}}
{{- range list "udp" "tcp" -}}
{{- if or (get $entry .) (and (eq . "tcp") $entry.dns) -}}
{{- $name := include "seamark.portName" (dict "kubeadm" $kubeadm "port" $port "protocol" .) -}}
{{- $item := dict "containerPort" (int $port) "protocol" (upper .) "name" $name -}}
{{- with $entry.hostPort }}{{ $_ := set $item "hostPort" (int .) }}{{ end -}}
{{- $list = append $list $item -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if include "seamark.hasPlugin" (dict "root" . "plugin" "prometheus") -}}
{{- $port := include "seamark.pluginPort" (dict "root" . "plugin" "prometheus" "default" 9153) -}}
{{- $name := ternary "metrics" (printf "tcp-%s" $port) (eq $kubeadm true) -}}
{{- $list = append $list (dict "containerPort" (int $port) "protocol" "TCP" "name" $name) -}}
{{- end -}}
{{- toYaml $list -}}
{{- end -}}

{{- define "seamark.servicePorts" -}}
{{- $kubeadm := .Values.service.kubeadmPorts -}}
{{- $list := list -}}
{{- range $port, $entry := include "seamark.ports" . | fromJson -}}
{{- range list "udp" "tcp" -}}
{{- if get $entry . -}}
{{- $name := include "seamark.portName" (dict "kubeadm" $kubeadm "port" $port "protocol" .) -}}
{{- $item := dict "port" (int (default $port $entry.servicePort)) "targetPort" (int $port) "protocol" (upper .) "name" $name -}}
{{- with $entry.nodePort }}{{ $_ := set $item "nodePort" (int .) }}{{ end -}}
{{- $list = append $list $item -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $kubeadm (include "seamark.hasPlugin" (dict "root" . "plugin" "prometheus")) -}}
{{- $port := int (include "seamark.pluginPort" (dict "root" . "plugin" "prometheus" "default" 9153)) -}}
{{- $list = append $list (dict "port" $port "targetPort" $port "protocol" "TCP" "name" "metrics") -}}
{{- end -}}
{{- toYaml $list -}}
{{- end -}}
