// Authentication that one transport checks and another does not (CVE-2026-33190, CVE-2026-35579, TSIG over encrypted
// transports): nothing here hangs on a key. Who may have a zone is said by addresses, and on every listener alike.

import t from 'tap'
import { makeAuthority } from '../support/certificates.ts'
import {
  decodeMessage,
  type ExchangeOptions,
  encodeQuestion,
  exchangeTcp,
  exchangeUdp,
  nameOctets,
  type Question,
} from '../support/dns-client.ts'
import { exchangeHttps, exchangeTls } from '../support/encrypted-client.ts'
import { freePort } from '../support/free-port.ts'
import { serve, unharmed } from './one-block.ts'

const OPEN = 'file.test'
const CLOSED = 'closed.test'
/** The address that may have the zone; another one is everybody else. */
const FRIEND = '127.0.0.2'
const STRANGER = '127.0.0.3'
const zone = (origin: string): string =>
  `$ORIGIN ${origin}.\n@ 30 IN SOA ns hostmaster 7 2 3 4 5\n@ 30 IN NS ns\nns 30 IN A 192.0.2.53\nsecret 30 IN A 192.0.2.66\n`

/** A TSIG record of no key that anybody has (RFC 8945 4.2), with a MAC of zeros. */
function signed(packet: Uint8Array): Uint8Array {
  const data = Buffer.concat([
    nameOctets('hmac-sha256'),
    Buffer.alloc(6),
    Buffer.from([1, 44, 0, 32]),
    Buffer.alloc(38),
  ])
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(250, 0)
  fixed.writeUInt16BE(255, 2)
  fixed.writeUInt16BE(data.length, 8)
  const octets = Uint8Array.from(Buffer.concat([packet, nameOctets('transfer-key'), fixed, data]))
  octets[11]!++
  return octets
}

t.test('zones on every listener', async t => {
  const [tls, https] = [await freePort(), await freePort()]
  const { cert, key } = makeAuthority().issue('dns')
  const lines = `file open ${OPEN}\nfile closed ${CLOSED}\ntransfer ${OPEN} {\nto ${FRIEND}\n}`
  const served = await serve(t, lines, {
    files: { open: zone(OPEN), closed: zone(CLOSED), 'tls.crt': cert, 'tls.key': key },
    blocks: () => `tls://.:${tls} https://.:${https} {\nbind 127.0.0.1\ntls tls.crt tls.key\n${lines}\n}`,
  })
  const exchanges = {
    UDP: (packet: Uint8Array, options: ExchangeOptions) => exchangeUdp(served.port, packet, options),
    TCP: (packet: Uint8Array, options: ExchangeOptions) => exchangeTcp(served.port, packet, options),
    TLS: (packet: Uint8Array, options: ExchangeOptions) => exchangeTls(tls, packet, options),
    HTTPS: async (packet: Uint8Array, options: ExchangeOptions) =>
      (await exchangeHttps(https, packet, options)).body,
  }
  const asked: readonly Question[] = [
    { name: OPEN, type: 'AXFR' },
    { name: OPEN, type: 'IXFR', serial: 6 },
    { name: OPEN, type: 'IXFR', serial: 7 },
    { name: CLOSED, type: 'AXFR' },
    { name: CLOSED, type: 'IXFR', serial: 6 },
  ]
  for (const [transport, exchange] of Object.entries(exchanges)) {
    for (const localAddress of [STRANGER, FRIEND]) {
      for (const question of asked) {
        const mayHave = localAddress === FRIEND && question.name === OPEN && /^(TCP|TLS)$/.test(transport)
        for (const packet of [encodeQuestion(question, 7), signed(encodeQuestion(question, 7))]) {
          const { rcode, answer } = decodeMessage(await exchange(packet, { localAddress }))
          const title = `${question.name} ${question.type} over ${transport} from ${localAddress}`
          if (mayHave) t.ok(rcode === 'NOERROR' && answer.length > 0, `${title}: given`)
          else t.strictSame([rcode, answer], ['REFUSED', []], `${title}: refused`)
        }
      }
      // NOTIFY and UPDATE.
      for (const opcode of [4, 5]) {
        const packet = signed(encodeQuestion({ name: OPEN, type: 'SOA', opcode }, 7))
        const title = `opcode ${opcode} over ${transport} from ${localAddress}`
        if (transport === 'HTTPS')
          t.equal((await exchangeHttps(https, packet, { localAddress })).status, 400, title)
        else t.equal(decodeMessage(await exchange(packet, { localAddress })).rcode, 'NOTIMP', title)
      }
    }
  }
  await unharmed(t, served)
})
