// A headless Service whose addresses a row changes as it likes, and the reading of its answers without decoding: all records of
// an answer are A records whose owner is a pointer, 16 octets each.

import { service } from '../../support/fake-objects.ts'
import { asStored, endpointSlice } from '../common/cluster.ts'
import type { FakeWorld } from '../common/cluster-source.ts'

const NAMESPACE = 'ns-0'
const RECORD_OCTETS = 16
const ADDRESS_AT = 12

export class ProbeService {
  readonly fqdn: string
  readonly #world: FakeWorld
  readonly #name: string

  /** Creates it, without endpoints. */
  constructor(world: FakeWorld, name: string) {
    this.#world = world
    this.#name = name
    this.fqdn = `${name}.${NAMESPACE}.svc.cluster.local`
    world.api.cluster.apply(
      'services',
      asStored(service(NAMESPACE, name, { clusterIP: 'None', clusterIPs: ['None'] })),
    )
  }

  /** Gives it these addresses and no others: when this returns, the event is on its way. */
  point(addresses: readonly string[]): void {
    const slice = endpointSlice(NAMESPACE, `${this.#name}-0`, this.#name, addresses)
    this.#world.api.cluster.apply('endpointslices', asStored(slice))
  }

  delete(): void {
    this.#world.api.cluster.delete('endpointslices', `${this.#name}-0`, NAMESPACE)
    this.#world.api.cluster.delete('services', this.#name, NAMESPACE)
  }
}

/** The addresses in a reply to a question for them, each as a number; undefined for any other reply. */
export function addressesOf(reply: Buffer): number[] | undefined {
  if ((reply[3]! & 15) !== 0) return undefined
  let at = 12
  while (reply[at]) at += reply[at]! + 1
  at += 5
  const count = reply.readUInt16BE(6)
  if (at + count * RECORD_OCTETS > reply.length) return undefined
  return Array.from({ length: count }, (_, n) => reply.readUInt32BE(at + n * RECORD_OCTETS + ADDRESS_AT))
}
