// Padding (RFC 7830, RFC 8467): over TLS and HTTPS the length of a reply says no more than its block of 468 octets.

import t from 'tap'
import type { Transport } from '../../src/query/sockaddr.ts'
import { decodeMessage } from '../support/dns-message.ts'
import { encodeQuestion } from '../support/dns-question.ts'
import { ServerBlock } from '../support/server-block.ts'

const PADDING = 12
const block = new ServerBlock('nsid abc\nkubernetes cluster.local')
t.teardown(() => block.stop())

const WEB = 'web.demo.svc.cluster.local'
const query = (name: string, type: string, codes: readonly number[]): Uint8Array =>
  encodeQuestion(
    {
      name,
      type,
      edns: { options: codes.map(code => ({ code, data: new Uint8Array(code === 10 ? 8 : 0) })) },
    },
    7,
  )

const PATHS: readonly [name: string, type: string, codes: readonly number[]][] = [
  [WEB, 'A', [PADDING]],
  [WEB, 'AAAA', [PADDING]],
  [`nope.${WEB}`, 'A', [PADDING]],
  ['hl.demo.svc.cluster.local', 'SRV', [PADDING]],
  ['www.test', 'A', [PADDING]],
  [WEB, 'A', [3, PADDING, 10]],
  ['www.test', 'A', [10, PADDING, 3]],
]

t.test('whoever asks for it over an encrypted transport gets it, whole blocks of it', async t => {
  for (const [name, type, codes] of PATHS) {
    const octets = query(name, type, codes)
    for (const transport of ['udp', 'tcp', 'tls', 'https'] satisfies Transport[]) {
      const bytes = await block.late(octets, { transport })
      const reply = decodeMessage(bytes!)
      const padding = reply.edns?.options.find(({ code }) => code === PADDING)
      const encrypted = transport === 'tls' || transport === 'https'
      t.equal(padding !== undefined, encrypted, `${name} ${type} ${codes} over ${transport}`)
      if (!padding) continue
      t.equal(bytes!.length % 468, 0, `${bytes!.length} octets`)
      t.ok(padding.data.every(octet => octet === 0))
      t.equal(reply.edns!.options.at(-1)?.code, PADDING, 'behind all others')
    }
  }
})

t.test('nobody else gets any', async t => {
  for (const codes of [[], [3]]) {
    const bytes = await block.late(query(WEB, 'A', codes), { transport: 'tls' })
    t.notOk(decodeMessage(bytes!).edns?.options.some(({ code }) => code === PADDING))
  }
})

t.test('a reply that fills its room stays within it', async t => {
  const octets = query(WEB, 'A', [PADDING])
  const bare = (await block.late(query(WEB, 'A', [])))!.length
  for (let slotOctets = bare; slotOctets < bare + 20; slotOctets++) {
    const bytes = await block.late(octets, { transport: 'tls', slotOctets })
    t.equal(bytes!.length, slotOctets < bare + 4 ? bare : slotOctets, `${slotOctets} octets`)
    t.equal(decodeMessage(bytes!).rcode, 'NOERROR')
  }
})
