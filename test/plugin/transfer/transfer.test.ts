import t from 'tap'
import type { Handler } from '../../../src/plugin/plugin.ts'
import { TRANSFER_MAX_MS, TRANSFERS_MAX } from '../../../src/plugin/transfer/outgoing.ts'
import { transferWord } from '../../../src/plugin/transfer/transfer.ts'
import type { ZoneCopy } from '../../../src/query/zone-copy.ts'
import { equalNames, name } from '../../../src/wire/name.ts'
import type { Query } from '../../support/query.ts'
import type { Outcome, Reply } from '../../support/reply.ts'
import { askHandler } from '../../support/road.ts'
import { parseWord, query, record, reply, testThread } from '../../support/words.ts'
import { lines } from '../file/zone-texts.ts'

const parse = (text: string, zones: readonly string[] = ['example.org.']) =>
  parseWord(transferWord, text, { zones })

t.test('the directive', async t => {
  const rules = (text: string, zones?: readonly string[]) => parse(text, zones).config?.rules
  const peer = (address: string, port = 53) => ({ address, port })
  t.same(rules('transfer {\nto *\n}'), [
    { zones: ['example.org.'], anyone: true, peers: [], source: undefined },
  ])
  t.same(
    rules('transfer A.test b.test {\nto 10.0.0.1 10.0.0.2:5353\nto ::1 [FD00::0:2]:53 *\nsource 10.0.0.9\n}'),
    [
      {
        zones: ['a.test.', 'b.test.'],
        anyone: true,
        peers: [peer('10.0.0.1'), peer('10.0.0.2', 5353), peer('::1'), peer('fd00::2')],
        source: '10.0.0.9',
      },
    ],
  )
  t.same(
    rules('transfer {\nto FE80::0:1%lo [fe80::2%eth0.7]:5353\n}')?.[0]?.peers,
    [peer('fe80::1%lo'), peer('fe80::2%eth0.7', 5353)],
    'as the kernel names a client that is on the same link',
  )
  t.equal(rules('transfer a.test {\nto *\n}\ntransfer b.test {\nto ::1\n}')?.length, 2)
  t.doesNotThrow(() => structuredClone(parse('transfer {\nto * 10.0.0.1\n}').config))
  const complaints: readonly (readonly [text: string, complaint: RegExp])[] = [
    ['transfer', /^2:1: error: transfer needs the option to/],
    ['transfer {\n}', /^2:1: error: transfer needs the option to/],
    ['transfer {\nto\n}', /^3:1: error: to needs an address or \*/],
    [
      'transfer {\nto ns.example.org\n}',
      /^3:4: error: this is neither \* nor an IP address with or without a port \(found "ns.example.org"\)/,
    ],
    ['transfer {\nto 10.0.0.0/8\n}', /^3:4: error: this is neither/],
    ['transfer {\nto 10.0.0.1:0x\n}', /^3:4: error: this is neither/],
    ['transfer {\nto *\nsource x\n}', /^4:8: error: this is not an IP address/],
    ['transfer {\nto *\nsource ::1\nsource ::1\n}', /^5:1: error: source is given twice/],
    [
      'transfer {\nto *\nfrom x\n}',
      /^4:1: error: unknown property of transfer \(found "from"; allowed: source, to/,
    ],
    [`transfer {\nto ${'10.0.0.1 '.repeat(257)}\n}`, /^3:1: error: more than 256 addresses/],
  ]
  for (const [text, complaint] of complaints) t.match(parse(text).complaints[0], complaint, text.slice(0, 60))
})

const SOA = record('example.org. 60 SOA ns.example.org. host.example.org.')
const OPENING = record('example.org. 60 SOA ns.example.org. opening.example.org.')

/** A handler with zones for `transfer …`, as if a plugin behind it had them; what it logs and counts. */
function serving(
  text: string,
  zones: Record<string, ZoneCopy | 'not-ready'> = { 'example.org.': zone(3) },
  threads = 1,
) {
  const { config, complaints } = parse(text)
  if (!config || complaints.length > 0) throw new TypeError(complaints.join('\n'))
  const thread = testThread()
  const owner: Handler = {
    handle: packet => packet.fail(0),
    copyOf: asked => Object.entries(zones).find(([origin]) => equalNames(name(origin), asked))?.[1],
  }
  const handlers: Handler[] = []
  const handler = transferWord.create(config, { ...thread.context, threads, handlers })
  handlers.push(handler, owner)
  const ask = async (question: string, rest: Partial<Query> = {}): Promise<Outcome> =>
    await askHandler(handler, query(question, { transport: 'tcp', ...rest }), () => reply({ plugin: 'next' }))
  const got = async (question: string, rest: Partial<Query> = {}): Promise<string> =>
    said(await ask(question, rest))
  return { ...thread, handler, ask, got }
}

/** A zone of `count` records, serial 7. */
const zone = (count: number): ZoneCopy => ({
  soa: SOA,
  serial: 7,
  opening: OPENING,
  records: () => Array.from({ length: count }, (_, i) => record(`h${i}.example.org. 5 A 10.0.0.1`)).values(),
})

/** `next`, `REFUSED`, or what a transfer gives. */
function said(outcome: Outcome): string {
  const { rcode, plugin, transfer, answer } = outcome as Reply
  if (plugin === 'next') return 'next'
  if (rcode !== 0) return String(rcode)
  return transfer ? 'transfer' : lines(answer).join()
}

t.test('who may have a zone', async t => {
  const { got } = serving('transfer {\nto 10.0.0.7 ::1\n}')
  t.equal(await got('example.org. A'), 'next')
  t.equal(await got('example.org. AXFR'), 'transfer')
  t.equal(await got('Example.ORG. AXFR'), 'transfer')
  t.equal(await got('example.org. AXFR', { transport: 'tls' }), 'transfer')
  t.equal(await got('example.org. AXFR', { transport: 'udp' }), '5', 'never over UDP')
  t.equal(
    await got('example.org. IXFR', { transport: 'udp', ixfrSerial: 7 }),
    '5',
    'not even to say that it is the same',
  )
  t.equal(await got('example.org. AXFR', { transport: 'https' }), '5')
  t.equal(await got('example.org. AXFR', { client: { address: '10.0.0.8', port: 7, family: 4 } }), '5')
  t.equal(await got('example.org. AXFR', { client: { address: '::1', port: 7, family: 6 } }), 'transfer')
  t.equal(await got('www.example.org. AXFR'), 'next', 'no zone of that name')
  t.equal(await got('example.com. AXFR'), 'next', 'no rule is about it')
  const open = serving('transfer {\nto *\n}')
  t.equal(
    await open.got('example.org. AXFR', { client: { address: '192.0.2.1', port: 7, family: 4 } }),
    'transfer',
  )
})

t.test('the rule of the longest zone counts', async t => {
  const { got } = serving('transfer org {\nto *\n}\ntransfer example.org {\nto ::1\n}\ntransfer . {\nto *\n}')
  t.equal(await got('example.org. AXFR'), '5')
})

t.test('a zone that is not complete yet', async t => {
  const { got } = serving('transfer {\nto *\n}', { 'example.org.': 'not-ready' })
  t.equal(await got('example.org. AXFR'), '2')
})

t.test('IXFR', async t => {
  const { got, lines: logged } = serving('transfer {\nto *\n}')
  t.equal(await got('example.org. IXFR', { ixfrSerial: 6 }), 'transfer')
  t.equal(await got('example.org. IXFR', { ixfrSerial: 8 }), 'transfer', 'as CoreDNS: equal or everything')
  t.match(await got('example.org. IXFR', { ixfrSerial: 7 }), /^example.org. 60 SOA [^,]*$/, 'the lone SOA')
  t.same(logged.splice(0), [
    '[INFO] plugin/transfer: Outgoing noop, incremental transfer for up to date zone "example.org." to 10.0.0.7 for 7 SOA serial',
  ])
  t.equal(await got('example.org. IXFR'), '2', 'without the SOA of the client')
  const zero = serving('transfer {\nto *\n}', { 'example.org.': { ...zone(1), serial: 0 } })
  t.match(await zero.got('example.org. IXFR', { ixfrSerial: 0 }), /SOA/)
})

/** Draws a whole transfer. */
async function drawn(outcome: Promise<Outcome>): Promise<string[]> {
  const { transfer } = (await outcome) as Reply
  const records: string[] = []
  for (let next = transfer!.next(); next; next = transfer!.next()) records.push(lines([next])[0]!)
  transfer!.end()
  return records
}

t.test('the records, their count and their end', async t => {
  const { ask, lines: logged, counted } = serving('transfer {\nto *\n}')
  const records = await drawn(ask('example.org. AXFR'))
  t.same(records, [
    lines([OPENING])[0],
    'h0.example.org. 5 A 10.0.0.1',
    'h1.example.org. 5 A 10.0.0.1',
    'h2.example.org. 5 A 10.0.0.1',
    lines([OPENING])[0],
  ])
  t.same(logged, [
    '[INFO] plugin/transfer: Outgoing transfer of 5 records of zone "example.org." to 10.0.0.7 for 7 SOA serial',
  ])
  t.equal(counted.get('seamark_transfers_total{result=complete}'), 1)
  t.equal((await drawn(ask('example.org. IXFR', { ixfrSerial: 1 }))).length, 5)
})

t.test('one that ends early', async t => {
  const { ask, lines: logged, counted, clock } = serving('transfer {\nto *\n}')
  const { transfer } = (await ask('example.org. AXFR')) as Reply
  transfer!.next()
  transfer!.end()
  transfer!.end()
  t.same(logged.splice(0), [
    '[WARNING] plugin/transfer: Outgoing transfer cut off, of 1 records of zone "example.org." to 10.0.0.7 for 7 SOA serial is all that was sent',
  ])
  const late = (await ask('example.org. AXFR')) as Reply
  late.transfer!.next()
  clock.advance(TRANSFER_MAX_MS + 1)
  t.equal(late.transfer!.next(), undefined, 'it has taken too long')
  t.notOk(late.transfer!.complete)
  late.transfer!.end()
  t.equal(counted.get('seamark_transfers_total{result=cut}'), 2)
})

t.test('a bounded number at once', async t => {
  const { ask, counted } = serving('transfer {\nto *\n}')
  const client = (n: number): Partial<Query> => ({ client: { address: `10.0.0.${n}`, port: 7, family: 4 } })
  const running: Reply[] = []
  for (let i = 0; i < TRANSFERS_MAX; i++) {
    const outcome = (await ask('example.org. AXFR', client(1))) as Reply
    if (outcome.transfer) running.push(outcome)
  }
  t.equal(running.length, TRANSFERS_MAX / 2, 'one client gets half')
  const other = (await ask('example.org. AXFR', client(2))) as Reply
  t.ok(other.transfer, 'and leaves room for another')
  t.equal(((await ask('example.org. AXFR', client(1))) as Reply).rcode, 2)
  t.equal(counted.get('seamark_transfers_total{result=refused}'), TRANSFERS_MAX / 2 + 1)
  for (const { transfer } of [...running, other]) transfer!.end()
  t.ok(((await ask('example.org. AXFR', client(1))) as Reply).transfer, 'places are given back')
  const shared = serving('transfer {\nto *\n}', undefined, 4)
  let places = 0
  for (let n = 1; n <= TRANSFERS_MAX; n++) {
    for (;;) {
      const outcome = (await shared.ask('example.org. AXFR', client(n))) as Reply
      if (!outcome.transfer) break
      places++
    }
  }
  t.equal(places, TRANSFERS_MAX / 4, 'the threads share them')
})
