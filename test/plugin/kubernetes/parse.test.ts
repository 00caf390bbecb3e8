// The directive's text (docs/coredns.md 4.1): what it means, and what is said about what it cannot mean.

import { join } from 'node:path'
import t from 'tap'
import type { KubernetesConfig } from '../../../src/plugin/kubernetes/config.ts'
import { kubernetesWord } from '../../../src/plugin/kubernetes/kubernetes.ts'
import { parseWord } from '../../support/words.ts'

const FOLDER = t.testdir(
  Object.fromEntries(['cert.pem', 'key.pem', 'ca.pem', 'admin.conf', 'a', 'k'].map(name => [name, ''])),
)
const BLOCK = { zones: ['cluster.local.', 'in-addr.arpa.'], directory: FOLDER }

const plain: KubernetesConfig = {
  zones: ['cluster.local.', 'in-addr.arpa.'],
  primaryZone: 'cluster.local.',
  pods: 'disabled',
  ttlSeconds: 5,
  fallthrough: undefined,
  endpointPodNames: false,
  namespaces: [],
  namespaceLabels: '',
  labels: '',
  noEndpoints: false,
  ignoreEmptyService: false,
  zonal: false,
  startupTimeoutMs: 5000,
  multiclusterZones: [],
  multicluster: false,
  topology: undefined,
  nodes: false,
  records: undefined,
  stubs: undefined,
  policies: false,
  labelledNamespaces: false,
  verifiedPods: false,
  source: { kind: 'api' },
  snapshot: undefined,
  clients: undefined,
  localIps: [],
}

/** The line itself, or a line of the directive's block. */
const inBlock = (text: string): string => (text.startsWith('kubernetes') ? text : `kubernetes {\n${text}\n}`)

t.test('what it means', t => {
  const cases: [text: string, expected: Partial<KubernetesConfig>][] = [
    ['kubernetes', {}],
    ['kubernetes Cluster.Local', { zones: ['cluster.local.'] }],
    ['kubernetes in-addr.arpa a.example b.example', { zones: ['in-addr.arpa.', 'a.example.', 'b.example.'], primaryZone: 'a.example.' }],
    ['kubernetes cluster.local cluster.local.', { zones: ['cluster.local.'] }],
    ['kubernetes cluster.local 10.0.0.0/8', { zones: ['cluster.local.', '10.in-addr.arpa.'] }],
    ['kubernetes cluster.local 10.0.0.0/15', { zones: ['cluster.local.', '0.10.in-addr.arpa.', '1.10.in-addr.arpa.'] }],
    ['kubernetes cluster.local fd00::/16', { zones: ['cluster.local.', '0.0.d.f.ip6.arpa.'] }],
    ['pods disabled', {}],
    ['pods insecure', { pods: 'insecure' }],
    ['topology auto', { topology: { of: 'auto', atLeast: 1 }, nodes: true }],
    ['topology node at_least 3', { topology: { of: 'node', atLeast: 3 }, nodes: true }],
    ['pods verified', { pods: 'verified', verifiedPods: true }],
    ['ttl 0', { ttlSeconds: 0 }],
    ['ttl 3600', { ttlSeconds: 3600 }],
    ['fallthrough', { fallthrough: ['.'] }],
    ['fallthrough in-addr.arpa IP6.arpa', { fallthrough: ['in-addr.arpa.', 'ip6.arpa.'] }],
    ['endpoint_pod_names', { endpointPodNames: true }],
    ['namespaces demo kube-system', { namespaces: ['demo', 'kube-system'] }],
    ['namespace_labels istio-injection=enabled', { namespaceLabels: 'istio-injection=enabled' }],
    ['labels environment in (staging, qa),application=nginx', { labels: 'environment in (staging, qa),application=nginx' }],
    ['noendpoints', { noEndpoints: true }],
    ['ignore empty_service', { ignoreEmptyService: true }],
    ['zonal', { zonal: true }],
    ['kubernetes cluster.local clusterset.local {\nmulticluster clusterset.local\n}', { zones: ['cluster.local.', 'clusterset.local.'], multiclusterZones: ['clusterset.local.'], multicluster: true }],
    ['startup_timeout 0s', { startupTimeoutMs: 0 }],
    ['startup_timeout 1m30s', { startupTimeoutMs: 90_000 }],
    ['endpoint https://10.0.0.1:6443', { source: { kind: 'api', endpoint: 'https://10.0.0.1:6443' } }],
    ['endpoint 127.0.0.1:8080', { source: { kind: 'api', endpoint: 'http://127.0.0.1:8080' } }],
    [`endpoint https://k\n tls cert.pem key.pem ${FOLDER}/ca.pem`, { source: { kind: 'api', endpoint: 'https://k', tls: { cert: `${FOLDER}/cert.pem`, key: `${FOLDER}/key.pem`, ca: `${FOLDER}/ca.pem` } } }],
    ['kubeconfig admin.conf', { source: { kind: 'api', kubeconfig: `${FOLDER}/admin.conf` } }],
    [`kubeconfig ${FOLDER}/admin.conf kind`, { source: { kind: 'api', kubeconfig: `${FOLDER}/admin.conf`, context: 'kind' } }],
    ['manifests ../objects namespace shop', { source: { kind: 'manifests', directory: join(FOLDER, '..', 'objects'), namespace: 'shop' } }],
    ['manifests ../objects', { source: { kind: 'manifests', directory: join(FOLDER, '..', 'objects') } }],
    ['snapshot /var/lib/seamark/state', { snapshot: { file: '/var/lib/seamark/state', maxAgeMs: 86_400_000 } }],
    ['snapshot state 1h', { snapshot: { file: `${FOLDER}/state`, maxAgeMs: 3_600_000 } }],
    ['local_ips 10.96.0.10 fd00::a', { localIps: ['10.96.0.10', 'fd00::a'] }],
  ] // biome-ignore format: a table
  for (const [text, expected] of cases) {
    const { config, complaints } = parseWord(kubernetesWord, inBlock(text), BLOCK)
    t.same(complaints, [], text)
    t.strictSame(config, { ...plain, ...expected }, text)
    t.strictSame(structuredClone(config), config, `${text}: as data`)
  }
  t.end()
})

t.test('warned about and otherwise ignored', t => {
  const nothing = 'client-side limits do nothing here: one watch a resource is all that is asked'
  const removed = 'was removed from kubernetes'
  const cases: [text: string, warning: string, expected: Partial<KubernetesConfig>][] = [
    ['upstream', `3:1: warning: upstream ${removed}: delete it; targets outside the zone are resolved without it (found "upstream")`, {}],
    ['upstream /etc/resolv.conf', `3:1: warning: upstream ${removed}: delete it; targets outside the zone are resolved without it (found "upstream")`, {}],
    ['resyncperiod 5m', `3:1: warning: resyncperiod ${removed}: delete it; the watch needs no resync (found "resyncperiod")`, {}],
    ['transfer to *', `3:1: warning: transfer ${removed}: write the directive transfer in the server block (found "transfer")`, {}],
    ['apiserver_qps 50', `3:15: warning: ${nothing}`, {}],
    ['apiserver_burst 100', `3:17: warning: ${nothing}`, {}],
    ['apiserver_max_inflight 10', `3:24: warning: ${nothing}`, {}],
    ['endpoint https://a https://b', '3:20: warning: only the first endpoint is used (found "https://b")', { source: { kind: 'api', endpoint: 'https://a' } }],
    ['endpoint https://a\nkubeconfig k', '2:1: warning: kubeconfig overrides endpoint', { source: { kind: 'api', kubeconfig: `${FOLDER}/k` } }],
    ['kubernetes dns://cluster.local:53', '2:12: warning: the scheme and the port of a zone mean nothing here (found "dns://cluster.local:53")', { zones: ['cluster.local.'] }],
  ] // biome-ignore format: a table
  for (const [text, warning, expected] of cases) {
    const { config, complaints } = parseWord(kubernetesWord, inBlock(text), BLOCK)
    t.same(complaints, [warning], text)
    t.strictSame(config, { ...plain, ...expected }, text)
  }
  t.end()
})

t.test('what it cannot mean', t => {
  const cases: [text: string, ...complaints: string[]][] = [
    ['kubernetes in-addr.arpa 10.0.0.0/8', '2:1: error: only reverse zones: PTR records need a zone to point into (found "in-addr.arpa. 10.in-addr.arpa.")'],
    ['kubernetes a..b', '2:12: error: a zone name holds no empty label (found "a..b")'],
    ['kubernetes cluster.local\nkubernetes other.local', '3:1: error: kubernetes is given twice, first at Corefile:2:1 (found "kubernetes")'],
    ['pods', '3:1: error: pods needs the mode'],
    ['pods verify', '3:6: error: this is not the mode (found "verify"; allowed: disabled, insecure, verified)'],
    ['pods insecure verified', '3:15: error: too many arguments for pods (found "verified")'],
    ['ttl', '3:1: error: ttl needs the TTL in seconds'],
    ['ttl -1', '3:5: error: the TTL in seconds must be an integer from 0 to 3600 (found "-1")'],
    ['ttl 3601', '3:5: error: the TTL in seconds must be an integer from 0 to 3600 (found "3601")'],
    ['ttl 5s', '3:5: error: the TTL in seconds must be an integer from 0 to 3600 (found "5s")'],
    ['endpoint_pod_names yes', '3:20: error: endpoint_pod_names takes no arguments (found "yes")'],
    ['namespaces', '3:1: error: namespaces needs a namespace'],
    ['namespaces a\nnamespace_labels b=c', '2:1: error: namespaces and namespace_labels exclude one another'],
    ['noendpoints\nzonal', '2:1: error: zonal needs the endpoints that noendpoints leaves out'],
    ['noendpoints\ntopology auto', '2:1: error: topology needs the endpoints that noendpoints leaves out'],
    ['topology', '3:1: error: topology needs auto, zone or node'],
    ['topology near', '3:10: error: this is not auto, zone or node (found "near"; allowed: auto, zone, node)'],
    ['topology zone 3', '3:15: error: this is not what can be said of topology (found "3"; allowed: at_least)'],
    ['topology zone at_least 0', '3:24: error: how many endpoints must be an integer from 1 to 1000 (found "0")'],
    ['topology zone\ntopology node', '4:1: error: topology is given twice, first at Corefile:3:1 (found "topology")'],
    ['ignore', '3:1: error: ignore needs what to ignore'],
    ['ignore empty_services', '3:8: error: this is not what to ignore (found "empty_services"; allowed: empty_service; did you mean "empty_service"?)'],
    ['startup_timeout 5', '3:17: error: the time to wait for the API server must be a duration such as 5s or 1m30s (found "5")'],
    ['endpoint', '3:1: error: endpoint needs the URL of the API server'],
    ['tls cert.pem key.pem', '3:1: error: tls needs the CA'],
    ['tls cert.pem gone ca.pem', `3:14: error: cannot read the key: ENOENT: no such file or directory, access '${FOLDER}/gone' (found "gone")`],
    ['kubeconfig gone', `3:12: error: cannot read the kubeconfig file: ENOENT: no such file or directory, access '${FOLDER}/gone' (found "gone")`],
    ['kubeconfig', '3:1: error: kubeconfig needs the kubeconfig file'],
    ['manifests a shop', '3:13: error: this is not what can be said of a folder (found "shop"; allowed: namespace)'],
    ['manifests a namespace', '3:1: error: manifests needs the namespace of objects that name none'],
    ['manifests a namespace a.b', '3:23: error: this is no name of a namespace (found "a.b")'],
    ['kubeconfig a b c', '3:16: error: too many arguments for kubeconfig (found "c")'],
    ['manifests', '3:1: error: manifests needs the folder'],
    ['manifests a\nendpoint https://k', '2:1: error: manifests excludes endpoint and kubeconfig: the objects come from one source'],
    ['snapshot', '3:1: error: snapshot needs the file for the last good state'],
    ['snapshot a 0s', '3:12: error: the age must be at least 1s (found "0s")'],
    ['manifests a\nsnapshot b', '2:1: error: manifests needs no snapshot: the folder is there at every start'],
    ['local_ips', '3:1: error: local_ips needs an address of this server'],
    ['local_ips 10.0.0.1 eth0', '3:20: error: this is not an IP address (found "eth0")'],
    ['apiserver_qps', '3:1: error: apiserver_qps needs a number'],
    ['multicluster', '3:1: error: multicluster needs a zone'],
    ['multicluster clusterset.local', '3:1: error: a multicluster zone must be one of the zones of kubernetes (found "clusterset.local."; allowed: cluster.local., in-addr.arpa.; did you mean "cluster.local."?)'],
  ] // biome-ignore format: a table
  for (const [text, ...expected] of cases) {
    const { config, complaints } = parseWord(kubernetesWord, inBlock(text), BLOCK)
    t.same(complaints, expected, text)
    if (!text.includes('kubernetes other')) t.equal(config, undefined, text)
  }
  t.end()
})

t.test('selectors are judged where they are written', t => {
  for (const option of ['labels', 'namespace_labels']) {
    const { config, complaints } = parseWord(kubernetesWord, inBlock(`${option} a in b`), BLOCK)
    t.equal(config, undefined)
    t.equal(complaints.length, 1)
    t.match(
      complaints[0],
      new RegExp(`^3:${option.length + 2}: error: not a label selector: .+ \\(found "a in b"\\)$`),
    )
  }
  t.end()
})

t.test('an unknown option names those there are, and the likely one', t => {
  const { complaints } = parseWord(kubernetesWord, inBlock('endpoints_pod_names'), BLOCK)
  t.equal(complaints.length, 1)
  t.match(
    complaints[0],
    /^3:1: error: unknown property of kubernetes \(found "endpoints_pod_names"; allowed: /,
  )
  t.match(complaints[0], /did you mean "endpoint_pod_names"\?\)$/)
  t.end()
})

t.test('all mistakes are told at once', t => {
  const { config, complaints } = parseWord(kubernetesWord, inBlock('pods some\nttl x\nzonal 1'), BLOCK)
  t.equal(config, undefined)
  t.same(
    complaints.map(complaint => complaint.split(' ')[0]),
    ['3:6:', '4:5:', '5:7:'],
  )
  t.end()
})
