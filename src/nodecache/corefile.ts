// From node-cache's template (Corefile.base, of the ConfigMap node-local-dns) to the Corefile that is served, as
// kubernetes/dns, cmd/node-cache/app/configmap.go does it.

import type { KubeDnsConfig } from './config-map.ts'

const UPSTREAM_SERVERS = '__PILLAR__UPSTREAM__SERVERS__'
const CLUSTER_DNS = '__PILLAR__CLUSTER__DNS__'
const LOCAL_DNS = '__PILLAR__LOCAL__DNS__'
/** The addresses that are in LOCAL_DNS already. */
const DNS_SERVER = '__PILLAR__DNS__SERVER__'
const STUB_CACHE_SECONDS = 30

/** Upstreams of one's own are asked over UDP: `force_tcp` is there for a VPC's resolver that /etc/resolv.conf names. */
const FORCED_TCP = new RegExp(
  `(forward[ \\t]+\\.[ \\t]+${UPSTREAM_SERVERS})[ \\t]*\\{\\s*force_tcp\\s*\\}`,
  'g',
)

export interface TemplateFacts {
  readonly localIps: readonly string[]
  readonly port: number
  /** The cluster IP of the upstream Service; undefined where nobody knows it: then its placeholder stays, and is an error. */
  readonly clusterDns: string | undefined
  readonly kubeDns: KubeDnsConfig
}

/** The Corefile of a template. */
export function fillTemplate(
  template: string,
  { localIps, port, clusterDns, kubeDns }: TemplateFacts,
): string {
  const { stubDomains, upstreamNameservers } = kubeDns
  const listen = localIps.join(' ')
  let text = template
  if (upstreamNameservers.length > 0) text = text.replaceAll(FORCED_TCP, '$1')
  text = text
    .replaceAll(UPSTREAM_SERVERS, upstreamNameservers.join(' ') || '/etc/resolv.conf')
    .replaceAll(LOCAL_DNS, listen)
    .replaceAll(DNS_SERVER, '')
  if (clusterDns !== undefined) text = text.replaceAll(CLUSTER_DNS, clusterDns)
  const stubs = [...stubDomains].map(
    ([zone, servers]) => `
${zone}:${port} {
    errors
    cache ${STUB_CACHE_SECONDS}
    bind ${listen}
    forward . ${servers.join(' ')}
}
`,
  )
  return text + stubs.join('')
}

/** The variable in which the kubelet puts the cluster IP of a Service of the Pod's namespace. */
export const serviceVariable = (service: string): string =>
  `${service.replaceAll('-', '_').toUpperCase()}_SERVICE_HOST`
