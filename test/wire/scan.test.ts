// The verdict on every kind of packet (the header, name and EDNS probes of test/spec), and what the scan notes of it.

import t from 'tap'
import { formatName } from '../../src/wire/name.ts'
import { OPTION, Scan, type Verdict } from '../../src/wire/scan.ts'
import fc, { runs } from '../support/properties.ts'

const QUESTION = '0377656200 0001 0001'
const ENDED = '00 0029 04d0 0000 0000'

/** A packet out of hexadecimal parts: id and flags, the four counts, everything else. */
const packet = (flags: string, counts: string, ...rest: string[]): string =>
  `1234${flags}${counts
    .split(' ')
    .map(count => Number(count).toString(16).padStart(4, '0'))
    .join('')}${rest.join('')}`.replaceAll(' ', '')
/** A query for web. A with an OPT record that has these options. */
const withOptions = (options: string): string =>
  packet('0100', '1 0 0 1', QUESTION, ENDED, (options.length / 2).toString(16).padStart(4, '0'), options)
const option = (code: number, data: string): string =>
  code.toString(16).padStart(4, '0') + (data.length / 2).toString(16).padStart(4, '0') + data
const octetsOf = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const opt = (payload: string, ttl = '00000000'): string => `00 0029 ${payload} ${ttl} 0000`

const good = packet('0100', '1 0 0 0', QUESTION)
const longLabels = `${`3f${'61'.repeat(63)}`.repeat(3)}`

t.test('verdicts', async t => {
  const cases: [what: string, message: string, verdict: Verdict][] = [
    ['a query', good, 'ok'],
    ['RD 0', packet('0000', '1 0 0 0', QUESTION), 'ok'],
    ['AA TC RA Z AD CD set', packet('07f0', '1 0 0 0', QUESTION), 'ok'],
    ['octets behind the message', `${good}deadbeef`, 'ok'],
    ['every type', packet('0100', '1 0 0 0', '0377656200 ffff 0001'), 'ok'],
    ['every class', packet('0100', '1 0 0 0', '0377656200 0001 ff00'), 'ok'],
    ['the root', packet('0100', '1 0 0 0', '00 0002 0001'), 'ok'],

    ['nothing', '', 'drop'],
    ['1 octet', '12', 'drop'],
    ['11 octets', good.slice(0, 22), 'drop'],
    ['a response', packet('8100', '1 0 0 0', QUESTION), 'drop'],
    ['a response with another opcode', packet('a000', '0 0 0 0'), 'drop'],
    ['a response of garbage', packet('80ff', '65535 65535 65535 65535', 'ffff'), 'drop'],

    ['IQUERY', packet('0800', '0 1 0 0'), 'notimp'],
    ['STATUS', packet('1000', '0 0 0 0'), 'notimp'],
    ['NOTIFY', packet('2000', '1 0 0 0', QUESTION), 'notimp'],
    ['UPDATE', packet('2800', '1 0 1 0', QUESTION), 'notimp'],
    ['DSO', packet('3000', '0 0 0 0'), 'notimp'],
    ['opcode 15', packet('7800', '1 0 0 0', QUESTION), 'notimp'],

    ['no question', packet('0100', '0 0 0 0'), 'formerr'],
    ['two questions', packet('0100', '2 0 0 0', QUESTION, QUESTION), 'formerr'],
    ['65535 questions', packet('0100', '65535 0 0 0', QUESTION), 'formerr'],
    ['the head alone', packet('0100', '1 0 0 0'), 'formerr'],
    ...[1, 2, 4, 5, 8].map((cut): [string, string, Verdict] => [`cut by ${cut}`, good.slice(0, -2 * cut), 'formerr']),
    ['65535 answers', packet('0100', '1 65535 0 0', QUESTION), 'formerr'],
    ['65535 authorities', packet('0100', '1 0 65535 0', QUESTION), 'formerr'],
    ['65535 additionals', packet('0100', '1 0 0 65535', QUESTION), 'formerr'],
    ['all counts 65535', packet('0100', '65535 65535 65535 65535'), 'formerr'],
    ['an answer that is not there', packet('0100', '1 1 0 0', QUESTION), 'formerr'],
    ['a stray answer', packet('0100', '1 1 0 0', QUESTION, 'c00c 0001 0001 00000000 0004 0a000001'), 'ok'],
    ['a stray additional', packet('0100', '1 0 0 1', QUESTION, 'c00c 0001 0001 00000000 0004 0a000001'), 'ok'],
    ['a record cut in its data', packet('0100', '1 0 0 1', QUESTION, 'c00c 0001 0001 00000000 0004 0a0000'), 'formerr'],
    ['a record whose owner points at itself', packet('0100', '1 0 0 1', QUESTION, 'c015 0001 0001 00000000 0000'), 'formerr'],
    ['a record whose owner points into the header', packet('0100', '1 0 0 1', QUESTION, 'c000 0001 0001 00000000 0000'), 'formerr'],

    ['a name of 255 octets', packet('0100', '1 0 0 0', longLabels, `3d${'61'.repeat(61)}00`, '00010001'), 'ok'],
    ['a name of 256 octets', packet('0100', '1 0 0 0', longLabels, `3e${'61'.repeat(62)}00`, '00010001'), 'formerr'],
    ['a name of 127 labels', packet('0100', '1 0 0 0', '0161'.repeat(127), '00 0001 0001'), 'ok'],
    ['a name of 128 labels', packet('0100', '1 0 0 0', '0161'.repeat(128), '00 0001 0001'), 'formerr'],
    ['label type 01', packet('0100', '1 0 0 0', `41${'61'.repeat(65)}00`, '00010001'), 'formerr'],
    ['label type 10', packet('0100', '1 0 0 0', `81${'61'.repeat(129)}00`, '00010001'), 'formerr'],
    ['a pointer to itself', packet('0100', '1 0 0 0', 'c00c 0001 0001'), 'formerr'],
    ['a pointer into the header', packet('0100', '1 0 0 0', 'c000 0001 0001'), 'formerr'],
    ['a pointer forward', packet('0100', '1 0 0 0', 'c012 0001 0001 00'), 'formerr'],
    ['a pointer behind a label', packet('0100', '1 0 0 0', '0161 c00c 0001 0001'), 'formerr'],
    ['a label that overruns', packet('0100', '1 0 0 0', '3f6162 0001 0001'), 'formerr'],
    ['no end of the name', packet('0100', '1 0 0 0', '0161 0162 0163 0164'), 'formerr'],

    ['EDNS', packet('0100', '1 0 0 1', QUESTION, opt('04d0')), 'ok'],
    ['DO and undefined flags', packet('0100', '1 0 0 1', QUESTION, opt('04d0', '0000ffff')), 'ok'],
    ['version 1', packet('0100', '1 0 0 1', QUESTION, opt('04d0', '00010000')), 'badvers'],
    ['version 255', packet('0100', '1 0 0 1', QUESTION, opt('04d0', '00ff0000')), 'badvers'],
    ['two OPT records', packet('0100', '1 0 0 2', QUESTION, opt('04d0'), opt('04d0')), 'formerr'],
    ['an OPT record that is owned', packet('0100', '1 0 0 1', QUESTION, '0161', opt('04d0')), 'formerr'],
    ['an OPT record in the answer', packet('0100', '1 1 0 0', QUESTION, opt('04d0')), 'formerr'],
    ['an OPT record before another', packet('0100', '1 0 0 2', QUESTION, opt('04d0'), 'c00c 0001 0001 00000000 0004 0a000001'), 'ok'],
    ['an OPT record longer than the packet', packet('0100', '1 0 0 1', QUESTION, '00 0029 04d0 00000000 0010'), 'formerr'],
    ['an option longer than its record', withOptions('00030004aa'), 'formerr'],
    ['half an option', withOptions('000300'), 'formerr'],
    ['32 options', withOptions(option(65001, 'aa').repeat(32)), 'ok'],
    ['33 options', withOptions(option(65001, 'aa').repeat(33)), 'formerr'],
    ['an option of 1000 octets', withOptions(option(65001, 'aa'.repeat(1000))), 'ok'],
    ['NSID', withOptions(option(OPTION.NSID, '')), 'ok'],
    ...[8, 16, 40].map((length): [string, string, Verdict] => [`a cookie of ${length}`, withOptions(option(OPTION.COOKIE, 'ab'.repeat(length))), 'ok']),
    ...[0, 1, 7, 9, 15, 41].map((length): [string, string, Verdict] => [`a cookie of ${length}`, withOptions(option(OPTION.COOKIE, 'ab'.repeat(length))), 'formerr']),
    ['client subnet 10.1.2.0/24', withOptions(option(OPTION.ECS, '00011800 0a0102'.replace(' ', ''))), 'ok'],
    ['client subnet ::/0', withOptions(option(OPTION.ECS, '00020000')), 'ok'],
    ['client subnet, family 0', withOptions(option(OPTION.ECS, '00000000')), 'ok'],
    ['client subnet, family 3', withOptions(option(OPTION.ECS, '00030800aa')), 'formerr'],
    ['client subnet with a scope', withOptions(option(OPTION.ECS, '000118180a0102')), 'formerr'],
    ['client subnet, too many octets', withOptions(option(OPTION.ECS, '000118000a010203')), 'formerr'],
    ['client subnet, too few octets', withOptions(option(OPTION.ECS, '000118000a01')), 'formerr'],
    ['client subnet, bits behind the prefix', withOptions(option(OPTION.ECS, '000114000a01ff')), 'formerr'],
    ['client subnet, prefix 33', withOptions(option(OPTION.ECS, '000121000a01020304')), 'formerr'],
    ['client subnet of 3 octets', withOptions(option(OPTION.ECS, '000118')), 'formerr'],
  ] // biome-ignore format: a table
  const scan = new Scan()
  for (const [what, message, verdict] of cases) {
    const octets = octetsOf(message)
    t.equal(scan.read(octets, 0, octets.length), verdict, what)
    // The same message elsewhere in a larger buffer, with octets before and behind that are not its own.
    const moved = Buffer.concat([Buffer.alloc(7, 0xc0), octets, Buffer.alloc(9, 1)])
    t.equal(scan.read(moved, 7, 7 + octets.length), verdict, `${what}, moved`)
  }
})

t.test('what is noted', async t => {
  const scan = new Scan()
  const message = octetsOf(
    packet(
      '0130',
      '1 0 0 1',
      '0357654204c3894b2e00 0021 0001',
      opt('1000', '00008000').slice(0, -4),
      '0004 00030000',
    ),
  )
  t.equal(scan.read(message, 0, message.length), 'ok')
  t.match(scan, {
    id: 0x1234, opcode: 0, recursionDesired: true, authenticData: true, checkingDisabled: true,
    questionEnd: 26, qtype: 33, qclass: 1, foldedLength: 10, labelCount: 2,
    edns: true, ednsVersion: 0, dnssecOk: true, payloadSize: 4096,
  }) // biome-ignore format: one match
  t.equal(
    formatName(scan.folded.slice(0, scan.foldedLength)),
    'web.\\195\\137k\\..',
    'ASCII letters alone are folded',
  )
  t.same([...scan.labelAt.subarray(0, 2)], [0, 4])
  t.equal(scan.findOption(message, OPTION.NSID), message.length - 4)
  t.equal(scan.findOption(message, OPTION.COOKIE), -1)

  const plain = octetsOf(good)
  t.equal(scan.read(plain, 0, plain.length), 'ok')
  t.match(scan, {
    edns: false,
    dnssecOk: false,
    payloadSize: 512,
    authenticData: false,
    checkingDisabled: false,
  })
  t.equal(scan.findOption(plain, OPTION.NSID), -1, 'nothing is left of the message before')
})

t.test('payload sizes below 512 mean 512', async t => {
  const scan = new Scan()
  for (const [asked, size] of [[0, 512], [1, 512], [511, 512], [512, 512], [1232, 1232], [65535, 65535]] as const) {
    const octets = octetsOf(packet('0100', '1 0 0 1', QUESTION, opt(asked.toString(16).padStart(4, '0'))))
    t.equal(scan.read(octets, 0, octets.length), 'ok')
    t.equal(scan.payloadSize, size)
  } // biome-ignore format: a table
})

t.test('mutated packets never throw, and what is noted lies within them', async t => {
  const seeds = [
    good,
    withOptions(option(OPTION.COOKIE, 'ab'.repeat(8)) + option(OPTION.ECS, '000118000a0102')),
    packet('0100', '1 1 1 2', QUESTION, 'c00c 0001 0001 00000000 0004 0a000001'.repeat(3), opt('04d0')),
  ].map(octetsOf)
  const scan = new Scan()
  const mutated = fc.tuple(
    fc.constantFrom(...seeds),
    fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 8 }),
    fc.nat(20),
  )
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(mutated, ([seed, changes, cut]) => {
        const octets = Uint8Array.from(seed.subarray(0, Math.max(0, seed.length - cut)))
        for (const [at, octet] of changes) if (at < octets.length) octets[at] = octet
        const verdict = scan.read(octets, 0, octets.length)
        scan.findOption(octets, OPTION.COOKIE)
        return (
          scan.optionsEnd <= octets.length &&
          scan.foldedLength <= 255 &&
          scan.questionEnd <= octets.length &&
          (verdict !== 'ok' || scan.questionEnd === 12 + scan.foldedLength + 4)
        )
      }),
      { numRuns: runs(10_000) },
    ),
  )
})
