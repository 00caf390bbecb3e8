// One address and port of a Corefile at work on one serving thread: its listeners, the certificates they read again, and
// what of them may change while they serve.

import type { CountListen } from '../listen/events.ts'
import { listenHttps } from '../listen/https.ts'
import type { Listener, ListenResult, PassedSocket } from '../listen/listener.ts'
import type { StreamSettings } from '../listen/stream-connections.ts'
import { STREAM_LIMITS, type StreamLimits } from '../listen/stream-limits.ts'
import type { StreamListener } from '../listen/stream-listener.ts'
import type { StreamMemory } from '../listen/stream-memory.ts'
import { listenTcp } from '../listen/tcp.ts'
import { listenTls } from '../listen/tls.ts'
import { TlsFiles, type TlsTexts } from '../listen/tls-files.ts'
import type { TlsSettings } from '../listen/tls-gate.ts'
import { listenUdp } from '../listen/udp.ts'
import type { Counter, Meters } from '../observe/meters.ts'
import type { ThreadLog } from '../observe/thread-log.ts'
import { HTTPS_CONNECTIONS_MAX } from '../plugin/https.ts'
import type { TlsConfig } from '../plugin/tls.ts'
import type { ListenSetup } from '../setup/setup.ts'
import type { Clock } from '../shared/clock.ts'
import type { SwitchResponder } from './switch.ts'

/** What a serving thread lends to its sites. */
export interface SiteContext {
  readonly clock: Clock
  readonly memory: StreamMemory
  readonly count: CountListen
  readonly meters: Meters
  readonly log: ThreadLog
  readonly ticketSecret: Uint8Array
  /** Which thread this is: what all of them see alike, the first one tells. */
  readonly thread: number
  /** How many there are: a limit on the whole process is divided by it. */
  readonly threads: number
  /** Sockets that were opened before the server was. */
  readonly passed: readonly PassedSocket[]
}

export class Site {
  readonly responder: SwitchResponder
  readonly #context: SiteContext
  readonly #udp: Listener | undefined
  readonly #stream: StreamListener
  #files: TlsFiles | undefined

  private constructor(
    responder: SwitchResponder,
    context: SiteContext,
    stream: StreamListener,
    udp: Listener | undefined,
  ) {
    this.responder = responder
    this.#context = context
    this.#stream = stream
    this.#udp = udp
  }

  /** Opens what the scheme wants at the address, or says in words why that cannot be. */
  static async open(
    listen: ListenSetup,
    responder: SwitchResponder,
    context: SiteContext,
  ): Promise<Site | string> {
    const { address, port, scheme, place } = listen
    const { clock, memory, count, passed } = context
    const options = { address, port, responder, clock, memory, count, passed }
    const udp = scheme === 'dns' ? await listenUdp(options) : undefined
    if (udp && !udp.ok) return `${udp.error.message}, which ${place} asks for`
    const stream = await openStream(listen, context, options)
    if (!stream.ok) {
      await udp?.listener.close()
      return `${stream.error.message}, which ${place} asks for`
    }
    const site = new Site(responder, context, stream.listener, udp?.listener)
    site.#watch(listen)
    return site
  }

  get listeners(): readonly Listener[] {
    return this.#udp ? [this.#udp, this.#stream] : [this.#stream]
  }

  /** Takes the timeouts and certificates of a new configuration; connections go on. */
  adjust(listen: ListenSetup): void {
    this.#stream.adjust(settingsOf(listen, this.#context.threads))
    this.#watch(listen)
  }

  /** Answers what is in flight, then closes. */
  async drain(): Promise<void> {
    this.#files?.stop()
    await Promise.all(this.listeners.map(listener => listener.drain()))
  }

  /** Closes at once. */
  async close(): Promise<void> {
    this.#files?.stop()
    await Promise.all(this.listeners.map(listener => listener.close()))
  }

  #watch(listen: ListenSetup): void {
    this.#files?.stop()
    this.#files = undefined
    const { tls, server } = listen
    if (tls === undefined) return
    const { count, clock } = this.#context
    this.#files = new TlsFiles({
      paths: filesOf(tls, 'path'),
      texts: filesOf(tls, 'text'),
      clock,
      changed: texts => {
        this.#stream.adjust(settingsOf(listen, this.#context.threads, texts))
        count('tls-files-changed')
        this.#tell('INFO', `${tls.cert.path} has changed: new connections to ${server} get it`)
      },
      unusable: reason => {
        count('tls-files-unusable')
        this.#tell(
          'WARNING',
          `${tls.cert.path} or what belongs to it cannot be used: ${reason}; ${server} keeps the former`,
        )
      },
    })
  }

  #tell(level: 'INFO' | 'WARNING', text: string): void {
    if (this.#context.thread === 0) this.#context.log.write(level, 'plugin/tls', text)
  }
}

function openStream(
  listen: ListenSetup,
  { meters, threads, ticketSecret }: SiteContext,
  base: Parameters<typeof listenTcp>[0],
): Promise<ListenResult<StreamListener>> {
  const options = { ...base, ...settingsOf(listen, threads), ticketSecret }
  const { scheme, server } = listen
  if (scheme === 'dns') return listenTcp(options)
  if (scheme === 'tls') return listenTls(options)
  const counters = new Map<number, Counter>()
  const answered = (status: number): void => {
    let counter = counters.get(status)
    if (counter === undefined) {
      counter = meters.counter('coredns_dns_https_responses_total', { server, status: `${status}` })
      counters.set(status, counter)
    }
    counter.add()
  }
  return listenHttps({ ...options, answered })
}

/** What of a listener's setup may change while it serves; `texts` are the certificates as read last. */
function settingsOf(listen: ListenSetup, threads: number, texts?: TlsTexts): StreamSettings {
  const { tls, timeouts, scheme, connectionsMax = HTTPS_CONNECTIONS_MAX } = listen
  const bounds = scheme === 'https' ? connectionBounds(connectionsMax, threads) : {}
  return { limits: { ...timeouts, ...bounds }, tls: tls && tlsSettings(tls, texts ?? filesOf(tls, 'text')) }
}

/** A thread's share of the connections. One client may have them all: it may be a proxy, which all others stand behind. */
function connectionBounds(connectionsMax: number, threads: number): Partial<StreamLimits> {
  const share = connectionsMax === 0 ? STREAM_LIMITS.connectionsMax : Math.ceil(connectionsMax / threads)
  return { connectionsMax: share, connectionsPerClientMax: Number.POSITIVE_INFINITY }
}

const tlsSettings = ({ clientAuth, keylog }: TlsConfig, texts: TlsTexts): TlsSettings => ({
  ...texts,
  clientAuth,
  keylog,
})

const filesOf = ({ cert, key, ca }: TlsConfig, what: 'path' | 'text'): TlsTexts => ({
  cert: cert[what],
  key: key[what],
  ...(ca && { ca: ca[what] }),
})
