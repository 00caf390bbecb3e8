// Objects that whoever may write into one namespace can make, from a seed, at a Seamark process that watches a fake API server:
// as large as the API server takes them, equal addresses and ports, nothing where something should be. Whatever comes, another
// namespace's Service is answered, and the process lives.

import { NoAnswer, query } from '../support/dns-client.ts'
import { FakeApiServer } from '../support/fake-api-server.ts'
import type { RawObject } from '../support/fake-cluster.ts'
import { namespace, service, slice } from '../support/fake-objects.ts'
import { Random } from '../support/random.ts'
import { placeIn } from '../support/served-corefile.ts'
import { bugLines } from '../support/target.ts'

const OWN = 'web.default.svc.cluster.local'
/** No more than that is in an object of the API server, which takes 1.5 MiB. */
const ITEMS_MAX = 15_000
const ADDRESSES_MAX = 100
const PORTS_MAX = 2000
const NAMES = 6
const LOOK_EVERY = 3

/** What came of a run. */
export interface ObjectsReport {
  readonly objects: number
  readonly findings: readonly string[]
}

/** Writes objects for so long; `folder` is for the Corefile. */
export async function fuzzObjects(folder: string, seed: number, seconds: number): Promise<ObjectsReport> {
  const random = new Random(seed)
  const api = new FakeApiServer()
  api.cluster.apply('namespaces', namespace('default'))
  api.cluster.apply('namespaces', namespace('evil'))
  api.cluster.apply('services', service('default', 'web'))
  await api.listen()
  const place = await placeIn(
    folder,
    ({ dns }) =>
      `.:${dns} {\n bind 127.0.0.1\n kubernetes cluster.local in-addr.arpa {\n endpoint ${api.url}\n }\n k8s_external ext.test\n}\n`,
  )
  const server = await place.start({ until: 'answer' })
  const findings: string[] = []
  let objects = 0
  for (
    const endMs = performance.now() + seconds * 1000;
    performance.now() < endMs && findings.length === 0;
  ) {
    change(random, api)
    objects++
    if (objects % LOOK_EVERY === 0) findings.push(...(await faults(place.ports.dns, server.child.exitCode)))
  }
  findings.push(...bugLines(server))
  const status = await server.stop()
  if (status !== 0) findings.push(`the server ended with status ${status}`)
  await api.close()
  return { objects, findings }
}

async function faults(port: number, exitCode: number | null): Promise<string[]> {
  if (exitCode !== null) return [`the server ended with status ${exitCode}`]
  try {
    const { rcode } = await query(port, { name: OWN })
    return rcode === 'NOERROR' ? [] : [`a Service of another namespace: ${rcode}`]
  } catch (error) {
    if (error instanceof NoAnswer) return [`a Service of another namespace: ${error.message}`]
    throw error
  }
}

function change(random: Random, { cluster }: FakeApiServer): void {
  const [name, kind] = [`x${random.below(NAMES)}`, random.chance(65) ? 'endpointslices' : 'services'] as const
  if (random.chance(20) && cluster.delete(kind, name, 'evil')) return
  cluster.apply(kind, kind === 'services' ? evilService(random, name) : evilSlice(random, name))
}

const address = (random: Random, i: number, equal: boolean): string =>
  equal
    ? '10.0.0.1'
    : random.chance(99)
      ? `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`
      : random.pick(['', 'x', '10.0.0', '::1', '999.1.1.1', '10.0.0.1/8'])

function ports(random: Random): object[] {
  const equal = random.chance(30)
  const count = random.chance(80) ? random.below(4) : random.below(PORTS_MAX)
  return Array.from({ length: count }, (_, i) => ({
    name: equal ? 'http' : `p${i}`,
    port: equal ? 80 : random.below(70_000),
    protocol: random.pick(['TCP', 'UDP', 'SCTP', 'tcp', '']),
  }))
}

function evilSlice(random: Random, name: string): RawObject {
  const equal = random.chance(30)
  const each = 1 + random.below(random.chance(50) ? 1 : ADDRESSES_MAX)
  const count = random.chance(70) ? random.below(50) : Math.floor(random.below(ITEMS_MAX) / each)
  const host = random.pick([undefined, 'same', 'h'])
  return slice('evil', name, random.pick([name, 'x0', 'nobody', '']), [], {
    ports: ports(random),
    endpoints: Array.from({ length: count }, (_, i) => ({
      addresses: Array.from({ length: each }, (_, j) => address(random, i * each + j, equal)),
      ...(host && { hostname: host === 'same' ? host : `${host}${i}` }),
      ...(random.chance(80) && { conditions: { ready: random.chance(90) } }),
    })),
  })
}

function evilService(random: Random, name: string): RawObject {
  const ip = `10.96.${random.below(4)}.${random.below(256)}`
  const addresses = Array.from({ length: random.chance(80) ? 0 : random.below(ITEMS_MAX) }, (_, i) =>
    address(random, i, random.chance(30)),
  )
  const spec = random.pick<Record<string, unknown>>([
    { clusterIP: 'None', clusterIPs: ['None'] },
    { clusterIP: ip, clusterIPs: [ip, ip, 'fd00::1'] },
    { clusterIP: '' },
    {
      type: 'ExternalName',
      externalName: random.pick([OWN, `${name}.evil.svc.cluster.local`, '.', 'x'.repeat(300)]),
    },
    { externalIPs: addresses },
  ])
  const labels = random.chance(10) ? { big: 'x'.repeat(random.below(200_000)) } : undefined
  return service('evil', name, { ports: ports(random), ...spec }, labels)
}
