// Fifteen outages as people have them, on a fake API server with an upstream beside it, and the command that explains each:
// what docs/why.md shows.

import { join } from 'node:path'
import type { Test } from 'tap'
import { askServer } from '../../src/explain/ask-server.ts'
import type { Report } from '../../src/explain/report.ts'
import { parseAdminAddress } from '../../src/shared/admin-socket.ts'
import { FakeApiServer } from '../support/fake-api-server.ts'
import type { FakeCluster, RawObject } from '../support/fake-cluster.ts'
import { namespace, service, slice } from '../support/fake-objects.ts'
import type { Seamark } from '../support/seamark.ts'
import { makePlace, type Place } from '../support/served-corefile.ts'
import { until } from '../support/until.ts'
import { replyTo, UpstreamStub } from '../support/upstream-stub.ts'

/** What an outage is made of. */
export interface Scene {
  readonly api: FakeApiServer
  readonly cluster: FakeCluster
  readonly upstream: UpstreamStub
  readonly place: Place
  /** The server that runs, where there is one. */
  server: Seamark | undefined
}

export interface Outage {
  readonly title: string
  /** What happened, in a sentence. */
  readonly what: string
  /** Behind `seamark explain`. */
  readonly args: readonly string[]
  readonly status: 0 | 1 | 2
  readonly cause: RegExp
  readonly advice: RegExp
  /** Further lines of the server block. */
  readonly lines?: string
  /** How long the start waits for the cluster, where it is not to be had. */
  readonly startup?: string
  /** Before the server starts, or is asked. */
  readonly before?: (scene: Scene) => unknown
  /** Once it serves; an outage without it is looked at without a server. */
  readonly serving?: (scene: Scene) => Promise<unknown>
}

const NXDOMAIN = 3
const REFUSED = 5
/** Namespaces, Services, EndpointSlices. */
const WATCHES = 3

const workload = (name: string, ip: string, ready: boolean, waiting = ''): RawObject => ({
  metadata: { namespace: 'shop', name, labels: { app: name.replace(/-\d+$/, '') } },
  spec: {},
  status: {
    phase: 'Running',
    podIP: ip,
    podIPs: [{ ip }],
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    ...(waiting !== '' && { containerStatuses: [{ state: { waiting: { reason: waiting } } }] }),
  },
})

const HEADLESS = { clusterIP: 'None', clusterIPs: ['None'] }

/** A shop with a web server, its peers, a database outside, and a Pod that asks. */
function stock(cluster: FakeCluster): void {
  for (const name of ['default', 'kube-system', 'shop']) cluster.apply('namespaces', namespace(name))
  cluster.apply('services', service('shop', 'web', { selector: { app: 'web' } }))
  cluster.apply('pods', workload('web-1', '10.244.1.10', true))
  cluster.apply('endpointslices', slice('shop', 'web-x', 'web', ['10.244.1.10']))
  cluster.apply('services', service('shop', 'peers', { ...HEADLESS, selector: { app: 'peers' } }))
  cluster.apply(
    'services',
    service('shop', 'db', { type: 'ExternalName', externalName: 'db.example.net', clusterIP: '' }),
  )
  cluster.apply('pods', workload('curl', '10.244.1.20', true))
}

const FROM = ['--from', 'shop/curl']

/** Every watch has found that nobody answers. */
async function troubled({ place }: Scene): Promise<void> {
  const address = parseAdminAddress(socketOf(place))!
  const request = { command: 'explain', name: 'web.shop.svc.cluster.local.' }
  await until('the watches', async () => {
    const report = (await askServer(address, request)) as unknown as Report
    return report.about?.freshness.filter(line => line.includes('ECONNREFUSED')).length === WATCHES
  })
}

export const OUTAGES: readonly Outage[] = [
  {
    title: 'A Service is misspelt',
    what: 'Somebody asks for `wbe` in place of `web`.',
    args: ['wbe', ...FROM],
    status: 1,
    cause: /^There is no Service wbe in namespace shop\.$/,
    advice: /^Ask for web\.shop\.svc\.cluster\.local\.$/,
  },
  {
    title: 'The Service is in another namespace',
    what: 'A Pod of the namespace `default` asks for `web`, which is in `shop`.',
    args: ['web'],
    status: 1,
    cause: /^There is no Service web in namespace default\.$/,
    advice: /^Ask for web\.shop\.svc\.cluster\.local\.$/,
  },
  {
    title: 'The search path captures a name of the Internet',
    what: 'The namespace has a headless Service called `com`, one of whose Pods is called `example`.',
    args: ['example.com', ...FROM],
    status: 0,
    cause:
      /^The search path captures example\.com: because of Service com in namespace shop it is answered as example\.com\.shop\.svc\.cluster\.local\.$/,
    advice: /^Ask for example\.com\. with a dot at the end/,
    before({ cluster }) {
      cluster.apply('services', service('shop', 'com', HEADLESS))
      const endpoints = [{ addresses: ['10.244.1.30'], hostname: 'example', conditions: { ready: true } }]
      cluster.apply('endpointslices', slice('shop', 'com-x', 'com', [], { endpoints }))
    },
  },
  {
    title: 'No Pod is ready',
    what: 'The Pods of a headless Service crash as they start.',
    args: ['peers', ...FROM],
    status: 1,
    cause:
      /^Headless Service peers in namespace shop has no ready endpoints: none of its 2 Pods is ready \(peers-0: CrashLoopBackOff\)\.$/,
    advice: /^See why the Pod is not ready: kubectl -n shop describe pod peers-0\.$/,
    before({ cluster }) {
      cluster.apply('pods', workload('peers-0', '10.244.1.40', false, 'CrashLoopBackOff'))
      cluster.apply('pods', workload('peers-1', '10.244.1.41', false, 'CrashLoopBackOff'))
    },
  },
  {
    title: 'The selector matches no Pod',
    what: 'The label of the Pods was changed, and the Service was not.',
    args: ['peers.shop', ...FROM],
    status: 1,
    cause:
      /^Headless Service peers in namespace shop has no ready endpoints: its selector app=peers matches no Pod\.$/,
    advice: /^Make its selector and the labels of its Pods equal: kubectl -n shop get pods --show-labels\.$/,
  },
  {
    title: 'The port of an SRV name is wrong',
    what: 'A client looks for the port `https`, which the Service does not have.',
    args: ['_https._tcp.web.shop.svc', 'SRV', ...FROM],
    status: 1,
    cause: /^Service web in namespace shop has no tcp port called https; it has http\/tcp\.$/,
    advice: /^Ask for _http\._tcp\.web\.shop\.svc\.cluster\.local\.$/,
  },
  {
    title: 'An ExternalName leads nowhere',
    what: 'The host behind the Service `db` is gone.',
    args: ['db', ...FROM],
    status: 1,
    cause:
      /^Service shop\/db is an ExternalName to db\.example\.net, which has no A record: \S+ says NXDOMAIN\.$/,
    advice: /^Change spec\.externalName, or see why db\.example\.net is not there\.$/,
  },
  {
    title: 'The upstream is down',
    what: 'Nobody listens at the address behind `forward`.',
    args: ['www.example.org.', ...FROM],
    status: 1,
    cause: /^No upstream answers for www\.example\.org: \S+ does not answer \(connection refused\)\.$/,
    advice: /^See whether the addresses behind forward are right/,
    before: ({ upstream }) => upstream.pause(),
  },
  {
    title: 'The upstream refuses',
    what: 'The resolver of the company does not serve the network of the Pods.',
    args: ['www.example.org.', ...FROM],
    status: 1,
    cause: /^The upstream gives no answer for www\.example\.org: \S+ says REFUSED\.$/,
    advice: /^Let the upstream serve this client, or name another one behind forward\.$/,
    before: ({ upstream }) => {
      upstream.script = (asked, back) => back.send(replyTo(asked, { rcode: REFUSED }))
    },
  },
  {
    title: 'acl keeps the client out',
    what: 'A line of `acl` is about the network that the Pod is in.',
    args: ['www.example.org.', ...FROM],
    status: 1,
    lines: 'acl {\n    block net 10.244.0.0/16\n  }',
    cause: /^acl refuses the client 10\.244\.1\.20: \S+Corefile:\d+: block net 10\.244\.0\.0\/16\.$/,
    advice: /^Let the client ask by a line in front of that one: allow net 10\.244\.1\.20\/32\.$/,
  },
  {
    title: 'A rewrite rule stands in the way',
    what: 'A rule that was meant for an old name takes the new one, too.',
    args: ['www.example.org.', ...FROM],
    status: 1,
    lines: 'rewrite name suffix .example.org .old.example.net',
    cause:
      /^A rewrite rule turns www\.example\.org into www\.old\.example\.net, and \S+ says NXDOMAIN \(\S+Corefile:\d+: name suffix .*\)\.$/,
    advice: /^Change that rule, or take the name out of what it matches\.$/,
  },
  {
    title: 'The Corefile is broken since its last change',
    what: 'A stub domain was added with a slip, and the server goes on with what it had.',
    args: ['db.corp.example.', ...FROM],
    status: 1,
    cause:
      /^The Corefile is refused, and an older one is served, in which db\.corp\.example has no answer: \S+Corefile:\d+:\d+: error: .*$/,
    advice: /^Mend that line of the Corefile: `seamark check` says what else is wrong with it\.$/,
    async serving(scene) {
      const { place, server } = scene
      place.write(`${corefileOf(scene, '')}corp.example {\n  frward . 10.0.0.2\n}\n`)
      server!.child.kill('SIGUSR1')
      await server!.printed(/Corefile changed but reload failed/)
    },
  },
  {
    title: 'The permission to read EndpointSlices was withdrawn',
    what: 'The ClusterRole was replaced by one that is too small, and later a Pod became ready.',
    args: ['peers', ...FROM],
    status: 1,
    cause:
      /^As far as this server knows, headless service peers in namespace shop has no ready endpoints; but it has heard nothing new of endpointslices for \d+ s: 403 forbidden: cannot (?:list|watch) endpointslices .*\.$/,
    advice:
      /^Add to the ClusterRole of the server: \{.*"endpointslices".*\}; another replica may know more\.$/,
    async serving({ api, cluster, server }) {
      api.forbid('endpointslices')
      for (const watch of api.watches('endpointslices')) watch.kill()
      cluster.apply('pods', workload('peers-0', '10.244.1.40', true))
      cluster.apply('endpointslices', slice('shop', 'peers-x', 'peers', ['10.244.1.40']))
      await server!.printed(/endpointslices.*forbidden/i)
    },
  },
  {
    title: 'The API server is away',
    what: 'The server was started while the API server could not be reached.',
    args: ['web.shop', '--from', '10.244.1.20'],
    status: 1,
    cause:
      /^The cluster is not listed yet, so nothing is known of web\.shop\.svc\.cluster\.local: \w+: .*connect.*\.$/,
    advice:
      /^See whether the API server answers \(kubectl get --raw \/readyz\) and is reached from this Pod\.$/,
    startup: '1s',
    before: ({ api }) => api.kill(),
    serving: troubled,
  },
  {
    title: 'One replica is behind',
    what: 'This replica lost the API server an hour ago; the Service is newer.',
    args: ['brandnew.shop', '--from', '10.244.1.20'],
    status: 1,
    cause:
      /^As far as this server knows, there is no Service brandnew in namespace shop; but it has heard nothing new of \w+ for \d+ s: .*ECONNREFUSED.*\.$/,
    advice: /^See whether the API server answers .*; another replica may know more\.$/,
    async serving(scene) {
      const { api, cluster } = scene
      await api.kill()
      cluster.apply('services', service('shop', 'brandnew'))
      await troubled(scene)
    },
  },
]

const corefileOf = (
  { api, upstream, place }: Pick<Scene, 'api' | 'upstream' | 'place'>,
  lines: string,
  startup = '30s',
): string =>
  `.:${place.ports.dns} {
  bind 127.0.0.1
  errors
  admin ${socketOf(place)}
  kubernetes cluster.local in-addr.arpa {
    endpoint ${api.url}
    startup_timeout ${startup}
  }
${lines === '' ? '' : `  ${lines}\n`}  forward . 127.0.0.1:${upstream.port} {
    max_connect_attempts 1
  }
}
`

/** Loopback: the paths of test folders are too long for a Unix socket. */
const socketOf = ({ ports }: Place): string => `127.0.0.1:${ports.health}`

/** What the command is given besides, and the scene behind it. */
export async function stage(
  t: Test,
  outage: Outage,
): Promise<{ readonly scene: Scene; readonly flags: readonly string[] }> {
  const api = await new FakeApiServer().listen()
  t.teardown(() => api.close())
  const upstream = await UpstreamStub.start((asked, back) => back.send(replyTo(asked, { rcode: NXDOMAIN })))
  t.teardown(() => upstream.pause())
  stock(api.cluster)
  const place = await makePlace(t, '')
  const scene: Scene = { api, cluster: api.cluster, upstream, place, server: undefined }
  place.write(corefileOf(scene, outage.lines ?? '', outage.startup))
  await outage.before?.(scene)
  if (!outage.serving) return { scene, flags: ['-conf', join(place.folder, 'Corefile')] }
  scene.server = await place.start()
  await outage.serving(scene)
  return { scene, flags: ['--server', socketOf(place)] }
}
