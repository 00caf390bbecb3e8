// Whose queries come from an address: Pods by their address, and a block for each (layout.ts) that autopath and metadata
// read. Only what is certain is published: an address that Pods of two namespaces have says nothing, or that it is a node's, one
// that several Pods of a namespace have (the network of their node) says the namespace alone.

import type { SlimPod } from '../objects/objects.ts'
import type { ClientOptions } from '../objects/options.ts'
import { parseIp } from '../shared/ip.ts'
import { CLIENT_HOST_NETWORK, KEY, KIND } from './layout.ts'
import { Octets } from './octets.ts'
import type { TableWriter } from './writer.ts'

/** The Pods that run, by their addresses. */
export class Clients {
  readonly #options: ClientOptions
  readonly #pods = new Map<string, Set<SlimPod>>()
  readonly #touch: (ip: string) => void

  /** `touch` notes that an address is to be published. */
  constructor(options: ClientOptions, touch: (ip: string) => void) {
    this.#options = options
    this.#touch = touch
  }

  add(pod: SlimPod): void {
    for (const ip of ipsOf(pod)) {
      const pods = this.#pods.get(ip)
      if (pods) pods.add(pod)
      else this.#pods.set(ip, new Set([pod]))
      this.#touch(ip)
    }
  }

  remove(pod: SlimPod): void {
    for (const ip of ipsOf(pod)) {
      const pods = this.#pods.get(ip)
      pods?.delete(pod)
      if (pods?.size === 0) this.#pods.delete(ip)
      this.#touch(ip)
    }
  }

  /** Publishes what is known of an address. Returns whether anything changed; throws TableFullError, having changed nothing. */
  publish(ip: string, writer: TableWriter): boolean {
    const key = clientKey(ip)
    if (!key) return false
    const block = buildClient(key, [...(this.#pods.get(ip) ?? [])], this.#options)
    const isChanged = block ? writer.publish(key, block) : writer.remove(key)
    if (isChanged) writer.clientsChanged()
    return isChanged
  }
}

const ipsOf = ({ ip, otherIps }: SlimPod): readonly string[] => (otherIps ? [ip, ...otherIps] : [ip])

/** The key of whoever has the address; undefined for a text that is none. */
export function clientKey(ip: string): Uint8Array | undefined {
  const address = parseIp(ip)
  return address && Uint8Array.of(KEY.CLIENT, address.family, ...address.bytes)
}

const NO_HOST = new Uint8Array(0)

/** The octets of the address of the node that all of the Pods are on. */
function hostOf(pods: readonly SlimPod[]): Uint8Array {
  const [first] = pods
  const isOne = first?.hostIp !== undefined && pods.every(({ hostIp }) => hostIp === first.hostIp)
  return (isOne && parseIp(first.hostIp)?.bytes) || NO_HOST
}

/**
 * The block of the Pods with one address; undefined where they are of several namespaces, and nobody can tell whose it is. All with
 * the network of their node it is the node's, whatever their namespaces.
 */
function buildClient(
  key: Uint8Array,
  pods: readonly SlimPod[],
  options: ClientOptions,
): Uint8Array | undefined {
  const [first] = pods
  if (first === undefined) return undefined
  const isOfOne = pods.every(({ namespace }) => namespace === first.namespace)
  if (!isOfOne && !pods.every(({ hostNetwork }) => hostNetwork)) return undefined
  const only = pods.length === 1 ? first : undefined
  const out = new Octets()
  out.head(KIND.CLIENT, 0, key.length, 0, 0)
  out.bytes(key)
  const detail = out.length
  out.u8(pods.some(({ hostNetwork }) => hostNetwork) ? CLIENT_HOST_NETWORK : 0)
  out.text(isOfOne ? first.namespace : '')
  out.text(options.podNames && only ? only.name : '')
  const host = hostOf(pods)
  out.u8(host.length)
  out.bytes(host)
  for (let i = 0; i < options.labels.length; i++) out.text(only?.labels?.[i] ?? '')
  return out.finish(detail)
}
