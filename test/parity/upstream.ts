// The scripted upstream of a case (cases.ts), over UDP and TCP or over TLS. It remembers what it was asked.

import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Certificate } from '../support/certificates.ts'
import { type Decoded, decodeMessage } from '../support/dns-message.ts'
import { globPattern, type Rule, type UpstreamScript } from './cases.ts'
import { flagWords, optionWords } from './normalise.ts'
import { readTable, replyOctets, type Table } from './upstream-reply.ts'

/** A question as it came, in the words that a case compares by. */
export interface Seen {
  /** `NAME TYPE CLASS`, the name in lower case. */
  readonly q: string
  readonly proto: 'udp' | 'tcp'
  readonly flags: string
  readonly size: number | undefined
  readonly do: boolean
  readonly options: string
}

/** One upstream, from `start` to `close`. */
export class ScriptedUpstream {
  /** The questions since somebody emptied it; one that went out again as it was, for want of an answer, is there once. */
  seen: Seen[] = []
  /** Called after each question. */
  onSeen: () => void = () => undefined
  readonly #script: UpstreamScript
  readonly #rules: readonly { readonly rule: Rule; readonly pattern: RegExp; count: number }[]
  readonly #table: Table
  readonly #connections = new Set<Socket>()
  /** What came over UDP, by port and octets, with the rule that it met. */
  readonly #met = new Map<string, Rule>()
  #udp: UdpSocket | undefined
  #tcp: Server | undefined

  private constructor(script: UpstreamScript) {
    this.#script = script
    this.#table = readTable(script.records ?? '')
    this.#rules = (script.rules ?? []).map(rule => ({
      rule,
      pattern: globPattern((rule.name ?? '*').toLowerCase()),
      count: 0,
    }))
  }

  /**
   * Listens at the port of 127.0.0.1, or of the host in the script.
   * @param certificate - for a script with `tls`
   */
  static async start(
    script: UpstreamScript,
    port: number,
    certificate: Certificate | undefined,
  ): Promise<ScriptedUpstream> {
    const upstream = new ScriptedUpstream(script)
    const host = script.host ?? '127.0.0.1'
    const accept = (socket: Socket): void => upstream.#accept(socket)
    const server = script.tls ? createTlsServer({ ...certificate }, accept) : createServer(accept)
    upstream.#tcp = server.listen(port, host)
    await once(server, 'listening')
    if (script.tls) return upstream
    const udp = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    upstream.#udp = udp.bind(port, host)
    await once(udp, 'listening')
    udp.on('message', (octets, from) => {
      // Whoever asked may be gone: nobody is told.
      upstream.#takeDatagram(octets, from.port, reply =>
        udp.send(reply, from.port, from.address, () => undefined),
      )
    })
    return upstream
  }

  /** Ends it and its connections. */
  async close(): Promise<void> {
    for (const socket of this.#connections) socket.destroy()
    this.#udp?.close()
    this.#tcp?.close()
    if (this.#tcp) await once(this.#tcp, 'close')
  }

  #accept(socket: Socket): void {
    this.#connections.add(socket)
    let rest = Buffer.alloc(0)
    socket.on('data', octets => {
      rest = Buffer.concat([rest, octets])
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const end = 2 + rest.readUInt16BE(0)
        this.#take(rest.subarray(2, end), 'tcp', reply =>
          socket.write(Buffer.concat([Uint8Array.of(reply.length >> 8, reply.length & 255), reply])),
        )
        rest = rest.subarray(end)
      }
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#connections.delete(socket))
  }

  #takeDatagram(octets: Buffer, port: number, send: (reply: Uint8Array) => void): void {
    const key = `${port} ${octets.toString('latin1')}`
    const known = this.#met.get(key)
    if (known) this.#obey(known, octets, 'udp', send)
    else this.#met.set(key, this.#take(octets, 'udp', send))
  }

  /** A question: what becomes of it is in a rule, which is returned. */
  #take(octets: Buffer, proto: 'udp' | 'tcp', send: (reply: Uint8Array) => void): Rule {
    const asked = decodeMessage(octets)
    const [name = '', , type = ''] = asked.question[0]!.split(' ')
    this.seen.push(seenWords(asked, proto))
    const rule = this.#ruleFor(name.toLowerCase(), type, proto)
    this.#obey(rule, octets, proto, send)
    this.onSeen()
    return rule
  }

  #obey(rule: Rule, octets: Buffer, proto: 'udp' | 'tcp', send: (reply: Uint8Array) => void): void {
    const asked = decodeMessage(octets)
    if (!rule.drop) {
      const reply = replyOctets(asked, octets, { rule, table: this.#table, script: this.#script }, proto)
      if (rule.delay) setTimeout(send, rule.delay * 1000, reply).unref()
      else send(reply)
    }
  }

  #ruleFor(name: string, type: string, proto: 'udp' | 'tcp'): Rule {
    for (const each of this.#rules) {
      const { rule, pattern } = each
      if (!pattern.test(name) || ![undefined, '*', type].includes(rule.type)) continue
      if ((rule.proto ?? proto) !== proto) continue
      each.count++
      if (each.count > (rule.after ?? 0) && each.count <= (rule.times ?? Number.POSITIVE_INFINITY))
        return rule
    }
    return {}
  }
}

function seenWords({ question, flags, edns }: Decoded, proto: 'udp' | 'tcp'): Seen {
  const [name = '', rrclass = '', type = ''] = question[0]!.split(' ')
  return {
    q: `${name.toLowerCase()} ${type} ${rrclass}`,
    proto,
    flags: flagWords(flags),
    size: edns?.udpSize,
    do: edns?.dnssecOk ?? false,
    options: `[${optionWords(edns?.options ?? []).join(', ')}]`,
  }
}
