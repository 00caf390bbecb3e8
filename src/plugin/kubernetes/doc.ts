// How `kubernetes` is written (docs/coredns.md 4.1), with the defaults and bounds of config.ts, and what Seamark adds.

import type { WordDoc } from '../../corefile/doc.ts'
import {
  SNAPSHOT_AGE_DEFAULT_MS,
  STARTUP_TIMEOUT_DEFAULT_MS,
  TTL_DEFAULT_SECONDS,
  TTL_MAX_SECONDS,
} from './config.ts'

export const kubernetesDoc: WordDoc = {
  usage: 'kubernetes [ZONE…]',
  meaning: 'answers for the Services, endpoints and Pods of a cluster; reverse zones and CIDRs give PTR',
  default: "the block's zones",
  options: [
    {
      usage: 'pods disabled|insecure|verified',
      meaning: 'names of Pods: none, any address, or only those of Pods that run',
      default: 'disabled',
    },
    {
      usage: 'ttl SECONDS',
      meaning: 'the TTL of answers, and of denials',
      default: `${TTL_DEFAULT_SECONDS}`,
      range: `0 to ${TTL_MAX_SECONDS}`,
    },
    {
      usage: 'fallthrough [ZONE…]',
      meaning: 'hands names that do not exist to the next plugin',
      default: 'off; all zones where none is named',
    },
    { usage: 'endpoint_pod_names', meaning: 'names endpoints without a hostname after their Pods' },
    { usage: 'namespaces NAMESPACE…', meaning: 'the namespaces that exist for DNS', default: 'all' },
    { usage: 'namespace_labels SELECTOR', meaning: 'the same by labels; excludes namespaces' },
    { usage: 'labels SELECTOR', meaning: 'serves only objects with these labels' },
    { usage: 'noendpoints', meaning: 'no endpoints: no headless Services, no endpoint names' },
    { usage: 'ignore empty_service', meaning: 'a Service without ready endpoints does not exist' },
    { usage: 'zonal', meaning: 'names for the endpoints of one topology zone: ZONE.pin._zone.SVC.NS.svc' },
    {
      usage: 'topology auto|zone|node [at_least N]',
      meaning:
        "gives clients the endpoints of headless Services that are near: auto those of Services that say so (trafficDistribution, service.kubernetes.io/topology-mode), zone all by the client's zone, node by its node and then its zone; with fewer than N of them nearby, the next circle, in the end all (Seamark only)",
      default: 'off; 1',
    },
    {
      usage: 'startup_timeout DURATION',
      meaning: 'how long a start waits for the first listing',
      default: `${STARTUP_TIMEOUT_DEFAULT_MS / 1000}s`,
      range: 'to 24h',
    },
    { usage: 'multicluster ZONE…', meaning: 'zones that are answered from ServiceImports' },
    {
      usage: 'endpoint URL',
      meaning: 'where the API server is',
      default: 'in the cluster that the Pod runs in',
    },
    { usage: 'tls CERT KEY CA', meaning: 'files for that endpoint' },
    { usage: 'kubeconfig FILE [CONTEXT]', meaning: 'a kubeconfig instead; overrides endpoint' },
    {
      usage: 'manifests DIR [namespace NAME]',
      meaning:
        'the objects come from a folder of YAML files instead of an API server; those without a namespace are in NAME (Seamark only)',
      default: 'NAME is default',
    },
    {
      usage: 'snapshot FILE [MAX_AGE]',
      meaning:
        'keeps the last good state on a volume and serves it after a restart until the API server is back (Seamark only)',
      default: `off; ${SNAPSHOT_AGE_DEFAULT_MS / 3_600_000}h`,
      range: 'MAX_AGE 1s to a year',
    },
    {
      usage: 'local_ips ADDRESS…',
      meaning: 'the addresses that NS and ns.dns name (Seamark only)',
      default: 'the bound ones',
    },
    {
      usage: 'apiserver_qps N',
      meaning: 'accepted, does nothing: one watch a resource is all that is asked',
    },
    { usage: 'apiserver_burst N', meaning: 'accepted, does nothing' },
    { usage: 'apiserver_max_inflight N', meaning: 'accepted, does nothing' },
  ],
  notes: [
    "topology knows where a client is by the podCIDRs and addresses of Nodes; the right to list and watch nodes is needed. Where Pods have addresses of other networks (AWS VPC CNI, Calico's and Cilium's own pools), `pods verified` is needed beside it: then a client is where its Pod's node is. Behind a NAT, and before all Nodes are listed, a client is given all endpoints.",
    'topology takes the zones and nodes of the hints of an endpoint where it has any, else its own; an endpoint in no zone counts for every zone, and a client whose node is in none is given all endpoints, or those on its node. Answers differ from client to client: `cache` stores none of them, nor what leads to one by an alias, but a cache between clients of several zones (not NodeLocal DNSCache) would hand one the answer of another for the TTL.',
    'The labels `kubernetes/client-node` and `kubernetes/client-zone`, for `log`, `view` and `rewrite` in a block with `metadata`, come from Nodes likewise.',
  ],
  example: `
    . {
        kubernetes cluster.local in-addr.arpa ip6.arpa {
            pods verified
            namespaces shop warehouse
            ttl 30
            fallthrough in-addr.arpa ip6.arpa
            snapshot /var/lib/seamark/cluster 1h
        }
        forward . /etc/resolv.conf
    }`,
}
