// HOT while somebody follows queries (`seamark tap`): each query of the thread is held against what the followers want to see, and
// lines of those that match go to the control thread ten times a second. While nobody does there is no such object
// (sampler.ts).

import type { Counter, Meters } from '../observe/meters.ts'
import { pluginName } from '../observe/query-meters.ts'
import { SILENT } from '../observe/samples.ts'
import type { TapBatch, TapFilter, TapLine } from '../observe/tap.ts'
import type { Packet } from '../query/packet.ts'
import { addressKey, isIn, sockaddr } from '../query/sockaddr.ts'
import type { Clock } from '../shared/clock.ts'
import { parseCidr } from '../shared/ip.ts'
import { Networks } from '../shared/networks.ts'
import { countLabels, foldName, formatName, type Name, parseName } from '../wire/name.ts'
import { rcodeName } from '../wire/rcode.ts'
import { typeName } from '../wire/rrtype.ts'
import { zoneInScan } from '../wire/scan.ts'

/** How often lines are sent. */
const SEND_EVERY_MS = 100
/** Lines of one follower in that time; beyond it they are dropped, and counted. */
export const LINES_MAX = 500

interface Follower {
  readonly filter: TapFilter
  readonly keys: ReadonlySet<string | number> | undefined
  readonly networks: Networks | undefined
  readonly name: Name | undefined
  readonly labels: number
  matched: number
  lines: TapLine[]
  dropped: number
}

export interface TapOptions {
  readonly clock: Clock
  readonly meters: Meters
  readonly send: (batches: readonly TapBatch[]) => void
}

export class Tap {
  readonly #options: TapOptions
  readonly #dropped: Counter
  readonly #followers: readonly Follower[]
  #isWaiting = false

  constructor(filters: readonly TapFilter[], options: TapOptions) {
    this.#options = options
    this.#dropped = options.meters.counter('seamark_tap_dropped_lines_total')
    this.#followers = filters.map(followerOf)
  }

  /** A query has its reply, of that code, or SILENT: none. */
  see(packet: Packet, rcode: number): void {
    const durationMs = this.#options.clock.nowMs() - packet.receivedAtMs
    for (let i = 0; i < this.#followers.length; i++) {
      const follower = this.#followers[i]!
      if (!matches(follower, packet, rcode, durationMs)) continue
      if (++follower.matched % follower.filter.every !== 0) continue
      if (follower.lines.length < LINES_MAX) follower.lines.push(this.#line(packet, rcode, durationMs))
      else {
        follower.dropped++
        this.#dropped.add()
      }
      if (this.#isWaiting) continue
      this.#isWaiting = true
      this.#options.clock.after(SEND_EVERY_MS, () => this.#flush())
    }
  }

  #flush(): void {
    this.#isWaiting = false
    const batches = this.#followers
      .filter(({ lines, dropped }) => lines.length + dropped > 0)
      .map(({ filter, lines, dropped }) => ({ id: filter.id, lines, dropped }))
    for (const follower of this.#followers) {
      follower.lines = []
      follower.dropped = 0
    }
    this.#options.send(batches)
  }

  #line(packet: Packet, rcode: number, durationMs: number): TapLine {
    const { asked, client, transport, plugin } = packet
    const isSilent = rcode === SILENT
    return {
      time: new Date(this.#options.clock.wallMs()).toISOString(),
      client: client.address,
      port: client.port,
      name: formatName(asked.folded.slice(0, asked.foldedLength)),
      type: typeName(asked.qtype),
      proto: transport,
      rcode: isSilent ? '-' : rcodeName(rcode),
      plugin: pluginName(plugin),
      durationMs: Math.round(durationMs * 1000) / 1000,
      octets: isSilent ? 0 : packet.length,
    }
  }
}

function followerOf(filter: TapFilter): Follower {
  const name = filter.name === undefined ? undefined : parseName(filter.name)
  const cidrs = filter.networks?.flatMap(text => parseCidr(text) ?? [])
  const keys = filter.clients?.flatMap(text => {
    const octets = sockaddr(text, 0)
    return octets ? [addressKey(octets, 0)] : []
  })
  return {
    filter,
    keys: keys && new Set(keys),
    networks: cidrs && new Networks(cidrs),
    name: name && foldName(name),
    labels: name ? countLabels(name) : 0,
    matched: 0,
    lines: [],
    dropped: 0,
  }
}

function matches(
  { filter, keys, networks, name, labels }: Follower,
  packet: Packet,
  rcode: number,
  durationMs: number,
): boolean {
  const { asked } = packet
  if (filter.qtype !== undefined && asked.qtype !== filter.qtype) return false
  if (filter.rcode !== undefined && rcode !== filter.rcode) return false
  if (filter.minMs !== undefined && durationMs < filter.minMs) return false
  if (name !== undefined && zoneInScan(asked, name, labels) < 0) return false
  if (filter.plugin !== undefined && pluginName(packet.plugin) !== filter.plugin) return false
  if (networks !== undefined && !isIn(networks, packet.from, packet.fromAt)) return false
  return keys === undefined || keys.has(packet.clientKey)
}
