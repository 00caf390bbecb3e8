// Followers of queries (`seamark tap`), on the control thread: what they ask for becomes filters of the serving threads, and what
// those see goes back to each. A follower that reads too slowly loses lines, which are counted and told to it.

import type { TapBatch, TapFilter, TapLine } from '../observe/tap.ts'
import { parseCidr, parseIp } from '../shared/ip.ts'
import { parseName } from '../wire/name.ts'
import { parseRcode } from '../wire/rcode.ts'
import { parseType } from '../wire/rrtype.ts'

/** Followers at a time. */
export const FOLLOWERS_MAX = 8
/** Addresses of a namespace's Pods that one may be about. */
const CLIENTS_MAX = 10_000

/** Takes a line; false where there is no room for it. */
export type WriteLine = (line: object) => boolean

export interface TapsOptions {
  /** Tells all serving threads what is to be seen, from now on. */
  readonly tell: (filters: readonly TapFilter[]) => void
  /** The Pods that have these addresses. */
  readonly podsOf: (addresses: ReadonlySet<string>) => ReadonlyMap<string, string>
  /** The addresses of Pods: of one, `NAMESPACE/NAME`, or of a namespace; undefined where no Pods are watched. */
  readonly addressesOf: (pods: string) => readonly string[] | undefined
}

interface Follower {
  readonly filter: TapFilter
  readonly write: WriteLine
  dropped: number
}

type Request = Readonly<Record<string, unknown>>

export class Taps {
  readonly #options: TapsOptions
  readonly #followers = new Map<number, Follower>()
  #next = 1

  constructor(options: TapsOptions) {
    this.#options = options
  }

  /** For threads that start later. */
  get filters(): readonly TapFilter[] {
    return [...this.#followers.values()].map(({ filter }) => filter)
  }

  /** Follows; what it gives ends that. A text is what is wrong. */
  follow(request: Request, write: WriteLine): (() => void) | string {
    if (this.#followers.size >= FOLLOWERS_MAX) return `more than ${FOLLOWERS_MAX} follow already`
    const id = this.#next++
    const filter = this.#filterOf(id, request)
    if (typeof filter === 'string') return filter
    this.#followers.set(id, { filter, write, dropped: 0 })
    this.#options.tell(this.filters)
    return () => {
      if (this.#followers.delete(id)) this.#options.tell(this.filters)
    }
  }

  /** Takes what a thread has seen. */
  take(batches: readonly TapBatch[]): void {
    const clients = new Set(batches.flatMap(({ lines }) => lines.map(({ client }) => client)))
    const pods = this.#options.podsOf(clients)
    for (const { id, lines, dropped } of batches) {
      const follower = this.#followers.get(id)
      if (follower === undefined) continue
      follower.dropped += dropped
      for (const line of lines) if (!follower.write(withPod(line, pods))) follower.dropped++
      if (follower.dropped > 0 && follower.write({ dropped: follower.dropped })) follower.dropped = 0
    }
  }

  #filterOf(id: number, request: Request): TapFilter | string {
    const text = (key: string): string | undefined => {
      const value = request[key]
      return typeof value === 'string' && value !== '' ? value : undefined
    }
    const filter: { -readonly [K in keyof TapFilter]: TapFilter[K] } = { id, every: 1 }
    const client = text('client')
    if (client !== undefined) {
      if (parseIp(client)) filter.clients = [parseIp(client)!.text]
      else if (parseCidr(client)) filter.networks = [client]
      else return `${client} is neither an address nor a network`
    }
    for (const which of ['pod', 'namespace'] as const) {
      const pods = text(which)
      if (pods === undefined) continue
      if ((which === 'pod') !== pods.includes('/')) return `--${which} ${pods}: write ${SHAPES[which]}`
      const addresses = this.#options.addressesOf(pods)
      if (addresses === undefined) return 'no Pods are watched: write `pods verified` in kubernetes'
      if (addresses.length === 0) return `no Pod of ${pods} has an address`
      filter.clients = addresses.slice(0, CLIENTS_MAX)
    }
    const name = text('name')
    if (name !== undefined && parseName(name) === undefined) return `${name} is no domain name`
    if (name !== undefined) filter.name = name
    const [type, rcode, plugin] = [text('type'), text('rcode'), text('plugin')]
    const qtype = type && parseType(type.toUpperCase())
    if (type !== undefined && typeof qtype !== 'number') return `${type} is no record type`
    if (typeof qtype === 'number') filter.qtype = qtype
    const code = rcode && parseRcode(rcode)
    if (rcode !== undefined && typeof code !== 'number') return `${rcode} is no response code`
    if (typeof code === 'number') filter.rcode = code
    if (plugin !== undefined) filter.plugin = plugin
    for (const [key, min] of [
      ['minMs', 0],
      ['every', 1],
    ] as const) {
      const given = text(key)
      if (given === undefined) continue
      const number = Number(given)
      if (!(number >= min) || (key === 'every' && !Number.isSafeInteger(number)))
        return `${given} is no number, at least ${min}`
      filter[key] = number
    }
    return filter
  }
}

const SHAPES = { pod: 'NAMESPACE/NAME', namespace: 'NAMESPACE' } as const

function withPod(line: TapLine, pods: ReadonlyMap<string, string>): TapLine {
  const pod = pods.get(line.client)
  return pod === undefined ? line : { ...line, pod }
}
