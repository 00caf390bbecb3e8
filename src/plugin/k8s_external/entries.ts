// What a name of a zone of k8s_external asks for, and how the service that it names is reached (CoreDNS
// plugin/kubernetes/external.go). Labels before the zone, read from the right:
//
//   NS                       a namespace
//   SVC.NS                   a service
//   EP.SVC.NS                an endpoint of a headless service; of any other the label means nothing
//   _PORT._PROTO.SVC.NS      a port; the underscores are optional, a lone one is any
//
// A service is reached once for each pair of an address and a port.

import { FLAG } from '../../table/layout.ts'
import { joinNames, type Name } from '../../wire/name.ts'
import type { Service, ServicePort } from '../kubernetes/service.ts'

/** A label of a name, lower case; '' is any. */
export interface Asked {
  readonly endpoint: string
  readonly port: string
  readonly protocol: string
}

/** One way to a service. */
export type Entry = {
  /** Undefined where the service has no ports. */
  readonly port: number | undefined
  /** How often it counts for the weight; undefined is once. */
  readonly count?: number
} & ({ readonly address: Uint8Array; readonly target: Name } | { readonly host: Name })

/** What the labels before a service's two ask of it, the leftmost first; undefined for more than there is a meaning of. */
export function askedOf(labels: readonly string[]): Asked | undefined {
  const [first = '', second = ''] = labels.map(label => label.replace(/^_/, ''))
  if (labels.length > 2) return undefined
  if (labels.length === 2) return { endpoint: '', port: first, protocol: second }
  return { endpoint: first, port: '', protocol: '' }
}

/** The ways to a service whose name in the zone is `owner`, in the API's order; none: no such name. */
export function entriesOf(service: Service, owner: Name, asked: Asked, headless: boolean): Entry[] {
  const { externals } = service
  if (externals.length > 0) {
    const ports = service.ports.filter(port => isAsked(port, asked))
    return externals.flatMap(external =>
      ports.map(({ number }) => ({ ...external, port: number, target: owner })),
    )
  }
  if (!headless || !(service.has(FLAG.HEADLESS) || asked.endpoint !== '')) return []
  return service.groups.flatMap(({ ports, endpoints }) => {
    const numbers = ports.filter(port => isAsked(port, asked)).map(({ number }) => number)
    return endpoints.flatMap(({ address, label, count }) => {
      const target = joinNames(Uint8Array.of(...label, 0), owner)
      if (target === undefined || (asked.endpoint !== '' && textOf(label) !== asked.endpoint)) return []
      return numbers.map(port => ({ address, target, port, count }))
    })
  })
}

const isAsked = ({ name, protocol }: ServicePort, asked: Asked): boolean =>
  (asked.port === '' || asked.port === name) && (asked.protocol === '' || asked.protocol === protocol)

const textOf = (label: Uint8Array): string => Buffer.from(label.subarray(1)).toString('latin1')
