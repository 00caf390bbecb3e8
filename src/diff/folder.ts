// All names of a folder of manifests, or of what `kubectl get -o yaml` saved of a cluster: the Services, their ports and
// endpoints, the addresses of all of them, and names that are not there.

import { unpackEndpoints } from '../objects/endpoints.ts'
import type { SlimService } from '../objects/objects.ts'
import { reverseName } from '../shared/ip.ts'
import type { Asked } from './questions.ts'

/** Nobody has a Service of that name. */
const MISSING = 'seamark-diff-missing'

/** The questions, or why there are none, in words. */
export async function folderQuestions(directory: string, zone: string): Promise<Asked[] | string> {
  const { ManifestSource } = await import('../manifest/source.ts')
  const problems: string[] = []
  const source = new ManifestSource({
    directory,
    sink: { replace() {}, upsert() {}, remove() {} },
    report: ({ severity, file, line, column, message }) => {
      if (severity === 'error') problems.push(`${file}:${line}:${column}: ${message}`)
    },
  })
  try {
    await source.start()
    return problems[0] ?? questionsIn(source.state, zone)
  } finally {
    await source.stop()
  }
}

type State = InstanceType<typeof import('../manifest/source.ts').ManifestSource>['state']

function questionsIn({ Service, EndpointSlice, Namespace }: State, zone: string): Asked[] {
  const asked = new Map<string, Asked>()
  const ask = (name: string, ...types: string[]): void => {
    for (const type of types) asked.set(`${name} ${type}`, { name, type })
  }
  const svc = `svc.${zone}.`
  ask(`${zone}.`, 'SOA', 'NS')
  for (const { name } of Namespace.values()) {
    ask(`${name}.${svc}`, 'A')
    ask(`${MISSING}.${name}.${svc}`, 'A', 'AAAA')
  }
  for (const service of Service.values()) {
    const name = nameOf(service, svc)
    ask(name, 'A', 'AAAA', 'SRV')
    for (const { name: port, protocol } of service.ports)
      if (port !== '') ask(`_${port}._${protocol}.${name}`, 'SRV')
    for (const address of service.clusterIPs) ask(reverseName(address), 'PTR')
  }
  for (const { namespace, serviceName, endpoints } of EndpointSlice.values()) {
    const service = Service.get(`${namespace}/${serviceName}`)
    if (service === undefined) continue
    for (const { address, hostname } of unpackEndpoints(endpoints)) {
      ask(reverseName(address), 'PTR')
      if (service.headless && hostname !== '') ask(`${hostname}.${nameOf(service, svc)}`, 'A', 'AAAA')
    }
  }
  return [...asked.values()]
}

const nameOf = ({ name, namespace }: SlimService, svc: string): string => `${name}.${namespace}.${svc}`
