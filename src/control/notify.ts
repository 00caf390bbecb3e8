// NOTIFY (RFC 1996): tells the servers that `transfer` names of zones that changed. A zone of `file` is told of when it is
// first served and whenever its file was read anew, a zone of `kubernetes` when its serial has moved. Each server is asked
// three times at most; what changes while it is asked is told once more.

import { createSocket, type Socket } from 'node:dgram'
import type { Meters } from '../observe/meters.ts'
import type { ThreadLog } from '../observe/thread-log.ts'
import { fileWord } from '../plugin/file/file.ts'
import { sourceKey } from '../plugin/kubernetes/config.ts'
import { kubernetesWord } from '../plugin/kubernetes/kubernetes.ts'
import { isReverseZone } from '../plugin/kubernetes/reverse-zone.ts'
import { type Peer, ruleOf } from '../plugin/transfer/config.ts'
import { transferWord } from '../plugin/transfer/transfer.ts'
import { type BlockSetup, configsOf, type Setup } from '../setup/setup.ts'
import type { Clock, Timer } from '../shared/clock.ts'
import { isSettled } from '../table/serial.ts'
import { FLAG_QR, readU16 } from '../wire/header.ts'
import { MessageWriter } from '../wire/message.ts'
import { name } from '../wire/name.ts'
import { OPCODE, RCODE, rcodeName } from '../wire/rcode.ts'
import { CLASS, TYPE } from '../wire/rrtype.ts'

const LOG_FROM = 'plugin/transfer'
/** As CoreDNS: three attempts of two seconds. */
const ATTEMPTS = 3
const ATTEMPT_MS = 2000
/** Servers asked at a time; others wait. */
const AT_ONCE_MAX = 32
/** How often the serials of clusters are looked at: changes in between are one. */
const CLUSTER_LOOK_MS = 5000

export interface NotifierOptions {
  readonly clock: Clock
  /** 0 ≤ n < 1 */
  readonly random: () => number
  readonly log: ThreadLog
  readonly meters: Meters
  /** The serial of the cluster with that source, or of the services it imports, once all of it is listed. */
  readonly clusterSerial: (key: string, imported: boolean) => number | undefined
}

/** Somebody who is to hear of a zone. */
interface Listener extends Peer {
  readonly zone: string
  readonly source: string | undefined
}

/** A zone of a cluster, and the serial that was told last. */
interface ClusterZone {
  readonly zone: string
  readonly key: string
  /** A zone of imported services. */
  readonly imported: boolean
  told: number | undefined
}

export class Notifier {
  readonly #options: NotifierOptions
  #listeners: readonly Listener[] = []
  #clusters: readonly ClusterZone[] = []
  #timer: Timer | undefined
  /** Who is to be told, by key, in the order of the changes. */
  readonly #waiting = new Map<string, Listener>()
  readonly #asked = new Set<string>()
  readonly #sockets = new Set<Socket>()
  /** Counts configurations: what was begun for one before tells nobody of how it went. */
  #watched = 0
  readonly #writer = new MessageWriter()

  constructor(options: NotifierOptions) {
    this.#options = options
  }

  /** Takes a configuration that serves in place of the one before, and tells of its zones. */
  watch({ blocks }: Pick<Setup, 'blocks'>): void {
    this.stop()
    const fileZones = blocks.flatMap(block =>
      configsOf(block, fileWord).flatMap(({ zones }) => zones.map(({ origin }) => origin)),
    )
    this.#clusters = blocks.flatMap(clusterZones)
    this.#listeners = blocks.flatMap(listeners)
    for (const zone of fileZones) this.changed(zone)
    if (this.#clusters.length > 0) this.#lookLater()
  }

  /** Tells of a zone's change whoever is to hear of it. */
  changed(zone: string): void {
    for (const listener of this.#listeners) {
      if (listener.zone === zone) this.#waiting.set(keyOf(listener), listener)
    }
    this.#work()
  }

  /** Asks nobody any more. */
  stop(): void {
    this.#watched++
    this.#timer?.cancel()
    this.#listeners = []
    this.#clusters = []
    this.#waiting.clear()
    for (const socket of this.#sockets) socket.close()
    this.#sockets.clear()
  }

  #lookLater(): void {
    this.#timer = this.#options.clock.after(CLUSTER_LOOK_MS, () => {
      for (const cluster of this.#clusters) this.#look(cluster)
      this.#lookLater()
    })
  }

  /** A serial of this very second may yet stand for more changes: it is told of later. */
  #look(cluster: ClusterZone): void {
    const serial = this.#options.clusterSerial(cluster.key, cluster.imported)
    if (serial === undefined || serial === cluster.told) return
    if (!isSettled(serial, Math.floor(this.#options.clock.wallMs() / 1000))) return
    cluster.told = serial
    this.changed(cluster.zone)
  }

  #work(): void {
    for (const [key, listener] of this.#waiting) {
      if (this.#asked.size >= AT_ONCE_MAX) return
      if (this.#asked.has(key)) continue
      this.#waiting.delete(key)
      this.#asked.add(key)
      void this.#tell(listener).then(() => {
        this.#asked.delete(key)
        this.#work()
      })
    }
  }

  async #tell(listener: Listener): Promise<void> {
    const watched = this.#watched
    let trouble: string | undefined = ''
    for (let attempt = 0; attempt < ATTEMPTS && trouble !== undefined; attempt++) {
      trouble = await this.#ask(listener)
      if (watched !== this.#watched) return
    }
    this.#options.meters
      .counter('seamark_notifies_total', { result: trouble === undefined ? 'accepted' : 'failed' })
      .add()
    if (trouble === undefined) return
    const { zone, address, port } = listener
    const peer = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
    this.#options.log.write(
      'WARNING',
      LOG_FROM,
      `notify for zone "${zone}" was not accepted by "${peer}": ${trouble}`,
    )
  }

  /** One attempt; resolves to what went wrong. Where nobody listens the time is waited for all the same: it may soon. */
  #ask({ zone, address, port, source }: Listener): Promise<string | undefined> {
    const id = Math.floor(this.#options.random() * 0x10000)
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    this.#sockets.add(socket)
    return new Promise<string | undefined>(resolve => {
      let trouble = 'no answer'
      const timer = this.#options.clock.after(ATTEMPT_MS, () => resolve(trouble))
      const end = (outcome?: string): void => {
        timer.cancel()
        resolve(outcome)
      }
      socket.on('error', error => {
        trouble = error.message
      })
      socket.on('close', () => end())
      socket.on('message', reply => {
        if (reply.length < 12 || readU16(reply, 0) !== id || (reply[2]! & FLAG_QR) === 0) return
        const rcode = reply[3]! & 15
        end(rcode === RCODE.NOERROR ? undefined : `rcode was ${rcodeName(rcode)}`)
      })
      const send = (): void => socket.connect(port, address, () => socket.send(this.#message(id, zone)))
      if (source === undefined) send()
      else socket.bind({ address: source }, send)
    }).finally(() => {
      if (this.#sockets.delete(socket)) socket.close()
    })
  }

  /** RFC 1996 3.7: the question is the zone's SOA; AA is set. */
  #message(id: number, zone: string): Uint8Array {
    const head = {
      id,
      response: false,
      opcode: OPCODE.NOTIFY,
      authoritative: true,
      truncated: false,
      recursionDesired: false,
      recursionAvailable: false,
      authenticData: false,
      checkingDisabled: false,
      rcode: RCODE.NOERROR,
      question: { qname: name(zone), qtype: TYPE.SOA, qclass: CLASS.IN },
    }
    return this.#writer.write(head, { answer: [], authority: [], additional: [] }, undefined, 512).slice()
  }
}

const keyOf = ({ zone, address, port }: Listener): string => `${zone} ${address} ${port}`

const clusterZones = (block: BlockSetup): ClusterZone[] =>
  configsOf(block, kubernetesWord).flatMap(config =>
    config.zones
      .filter(zone => !isReverseZone(zone))
      .map(zone => ({
        zone,
        key: sourceKey(config),
        imported: config.multiclusterZones.includes(zone),
        told: undefined,
      })),
  )

/** Who is to hear of the zones of a block. */
function listeners(block: BlockSetup): Listener[] {
  const [transfer] = configsOf(block, transferWord)
  if (!transfer) return []
  const zones = [
    ...configsOf(block, fileWord).flatMap(config => config.zones.map(({ origin }) => origin)),
    ...clusterZones(block).map(({ zone }) => zone),
  ]
  return zones.flatMap(zone => {
    const rule = ruleOf(transfer, name(zone))
    return rule?.peers.map(peer => ({ ...peer, zone, source: rule.source })) ?? []
  })
}
