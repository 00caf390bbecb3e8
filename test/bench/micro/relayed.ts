// A forward as a whole, without a socket: a client's octets become a question to an upstream, the upstream's reply is judged and
// relayed. The upstream is a function that answers at once, where sockets would be opened.

import { forwardWord } from '../../../src/plugin/forward/forward.ts'
import { ForwardHandler } from '../../../src/plugin/forward/handler.ts'
import type { OpenUdp, UdpAsker, UdpSocketOwner } from '../../../src/plugin/forward/udp.ts'
import type { Origin } from '../../../src/query/packet.ts'
import { writeU16 } from '../../../src/wire/header.ts'
import { encodeQuestion } from '../../support/dns-client.ts'
import { ServerBlock } from '../../support/server-block.ts'
import { shuffled } from '../common/queries.ts'
import { cycle, type MicroCase } from './case.ts'
import { thread } from './road.ts'

const NAMES = 2000
const MESSAGE_MAX_OCTETS = 512
/** QR, RD, RA; one question, one answer. */
const HEAD = Uint8Array.of(0, 0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0)
/** An address of the name that was asked. */
const ADDRESS = Uint8Array.of(0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1)

/** An upstream that has an address for every name; `answer` says so to whoever asked last. */
class Upstream {
  readonly #octets = new Uint8Array(MESSAGE_MAX_OCTETS)
  #asker: UdpAsker | undefined
  #owner: UdpSocketOwner | undefined

  readonly open: OpenUdp = (_remote, _source, owner) => ({
    local: undefined,
    send: asker => {
      this.#asker = asker
      this.#owner = owner
    },
    close: () => undefined,
  })

  answer(): void {
    const { question, questionEnd } = this.#asker!.question
    const octets = this.#octets
    octets.set(HEAD)
    writeU16(octets, 0, this.#asker!.id)
    for (let i = HEAD.length; i < questionEnd; i++) octets[i] = question[i]!
    octets.set(ADDRESS, questionEnd)
    this.#owner!.received(octets, 0, questionEnd + ADDRESS.length)
  }
}

/** A block that forwards to the upstream. */
function blockOf({ open }: Upstream): ServerBlock {
  const { create } = forwardWord
  forwardWord.create = (config, context) => new ForwardHandler(config, context, { open })
  try {
    return new ServerBlock('prometheus\nforward . 192.0.2.53', undefined, undefined, thread())
  } finally {
    forwardWord.create = create
  }
}

export function relayedCases(): MicroCase[] {
  const upstream = new Upstream()
  let relayed = 0
  const origin: Origin = {
    transport: 'udp',
    localOf: () => ({ address: '10.96.0.10', port: 53, family: 4 }),
    parked: () => undefined,
    reply: (_packet, octets) => {
      relayed = octets
    },
  }
  const ask = blockOf(upstream).repeater(undefined, origin)
  const names = Array.from({ length: NAMES }, (_, n) => ({ name: `www-${n}.example.org`, edns: true }))
  const next = cycle(shuffled(names.map(question => Uint8Array.from(encodeQuestion(question, 4711)))))
  const run = (): number => {
    ask(next())
    upstream.answer()
    return relayed
  }
  if (run() <= HEAD.length) throw new TypeError('the reply is not relayed')
  const budget = { file: 'plugin/forward/handler.ts', what: 'relayed' }
  return [{ title: 'forward: a question asked and its reply relayed', run, budget, octetsMax: 800 }]
}
