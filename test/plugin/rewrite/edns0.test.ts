// Options on their way to the upstream and what the client sees of them.

import t from 'tap'
import { KEY_MAX_OCTETS, writePacketKey } from '../../../src/plugin/cache/key.ts'
import { rewriteWord } from '../../../src/plugin/rewrite/rewrite.ts'
import type { Packet } from '../../../src/query/packet.ts'
import { EDE } from '../../../src/wire/extended-error.ts'
import { decodeMessage, type EdnsOption, encodeOptions } from '../../../src/wire/message.ts'
import type { Query } from '../../support/query.ts'
import type { Reply } from '../../support/reply.ts'
import { askHandler, onRoad } from '../../support/road.ts'
import { replyTo } from '../../support/upstream-stub.ts'
import { parseWord, query, reply, testThread } from '../../support/words.ts'
import { writeReply } from '../../support/write-reply.ts'
import { benchTo } from '../forward/forward-bench.ts'

const option = (code: number, data: string): EdnsOption => ({ code, data: Buffer.from(data, 'latin1') })
const shown = (options: readonly EdnsOption[] | undefined): string[] =>
  (options ?? []).map(({ code, data }) => `${code} ${Buffer.from(data).toString('latin1')}`)
const client = (...options: EdnsOption[]): Partial<Query> => ({
  edns: { payloadSize: 1232, dnssecOk: false, options },
})

/** The options that go to the upstream, and those that the client gets where `plugin` answers with `answered`. */
async function pass(
  rules: string,
  parts: Partial<Query> = client(),
  answered: readonly EdnsOption[] = [],
  plugin = 'whoami',
): Promise<{ readonly sent: string[]; readonly got: string[]; readonly behind: Query }> {
  const { config, complaints } = parseWord(rewriteWord, rules)
  if (config?.rules.length === 0) throw new Error(complaints.join('\n'))
  const handler = rewriteWord.create!(config!, testThread().context)
  let behind = query('a. A')
  const outcome = await askHandler(handler, query('a.org. A', parts), changed => {
    behind = changed
    return reply({ options: answered, plugin })
  })
  return { sent: shown(behind.addedOptions), got: shown((outcome as Reply).options), behind }
}

t.test('set, append, replace, unset', async t => {
  const theirs = client(option(0xffee, 'theirs'))
  const cases: [rules: string, parts: Partial<Query>, sent: string[], got?: string[]][] = [
    ['rewrite edns0 local set 0xffee abcd', client(), ['65518 abcd']],
    ['rewrite edns0 local set 0xffee abcd', theirs, ['65518 abcd']],
    ['rewrite edns0 local append 0xffee abcd', client(), ['65518 abcd']],
    ['rewrite edns0 local append 0xffee abcd', theirs, []],
    ['rewrite edns0 local replace 0xffee abcd', client(), []],
    ['rewrite edns0 local replace 0xffee abcd', theirs, ['65518 abcd']],
    ['rewrite edns0 local unset 0xffee', theirs, []],
    ['rewrite continue edns0 local unset 0xffee\nrewrite edns0 local append 0xffee b', theirs, ['65518 b']],
    ['rewrite continue edns0 local set 1 a\nrewrite edns0 local set 2 b', client(), ['1 a', '2 b']],
    ['rewrite continue edns0 local set 1 a\nrewrite edns0 local set 1 b', client(), ['1 b']],
    ['rewrite continue edns0 local set 1 a\nrewrite edns0 local unset 1', client(), []],
    ['rewrite edns0 local set 1 abcd', { edns: undefined }, ['1 abcd']],
    ['rewrite edns0 local set 1 abcd revert', client(), ['1 abcd'], []],
    [
      'rewrite continue edns0 local set 1 a\nrewrite edns0 local replace 1 b revert',
      client(),
      ['1 b'],
      ['1 a'],
    ],
    ['rewrite continue edns0 local set 1 a revert\nrewrite edns0 local replace 1 b', client(), ['1 b']],
    ['rewrite edns0 nsid set', client(), ['3 '], []],
    ['rewrite edns0 subnet set 24 56', client(), ['8 \0\x01\x18\0\x0a\0\0'], []],
  ]
  for (const [rules, parts, sent, got = sent] of cases) {
    const passed = await pass(rules, parts)
    t.same(passed.sent, sent, `${rules}: to the upstream`)
    t.same(passed.got, got, `${rules}: to the client`)
  }
})

t.test('variables', async t => {
  const parts: Partial<Query> = {
    ...client(),
    transport: 'tls',
    local: { address: 'fd00::1', port: 853, family: 6 },
    metadata: new Map([['kubernetes/namespace', 'demo']]),
  }
  const cases: [data: string, octets: string | undefined][] = [
    ['{qname}', 'a.org.'],
    ['{qtype}', '\0\x01'],
    ['{client_ip}', '\x0a\0\0\x07'],
    ['{client_port}', '\x9d\x14'],
    ['{protocol}', 'tcp'],
    ['{server_ip}', '\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01'],
    ['{server_port}', '\x03\x55'],
    ['{kubernetes/namespace}', 'demo'],
    ['{kubernetes/pod}', undefined],
  ]
  for (const [data, octets] of cases) {
    const { sent, behind } = await pass(`rewrite edns0 local set 1 ${data}\nrewrite name a.org b.org`, parts)
    t.same(sent, octets === undefined ? [] : [`1 ${octets}`], data)
    const renamed = behind.question.qname[1] === 'b'.charCodeAt(0)
    t.equal(renamed, octets === undefined, `${data}: a rule without a value does not apply`)
  }
  const metadata = new Map([['a/b', 'x'.repeat(1025)]])
  t.same(
    (await pass('rewrite edns0 local set 1 {a/b}', { metadata })).sent,
    [],
    'nor one with too long a value',
  )
  const changed = 'rewrite continue name a.org b.org\nrewrite edns0 local set 1 {qname}'
  t.same((await pass(changed)).sent, ['1 b.org.'], 'the name as it is by then')
})

t.test('a client subnet: family, prefix, scope, no more octets than it needs, the rest cleared', async t => {
  const cases: [address: string, bits: string, data: number[]][] = [
    ['10.1.2.255', '24 56', [0, 1, 24, 0, 10, 1, 2]],
    ['10.1.2.255', '31 56', [0, 1, 31, 0, 10, 1, 2, 254]],
    ['10.1.2.255', '0 0', [0, 1, 0, 0]],
    ['fd00:1:2:3ff::9', '24 56', [0, 2, 56, 0, 0xfd, 0, 0, 1, 0, 2, 3]],
    ['fd00::9', '24 128', [0, 2, 128, 0, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]],
  ]
  for (const [address, bits, data] of cases) {
    const family = address.includes(':') ? 6 : 4
    const { behind } = await pass(`rewrite edns0 subnet set ${bits}`, {
      client: { address, port: 1, family },
    })
    t.same([...behind.addedOptions![0]!.data], data, `${address} ${bits}`)
  }
  const scoped = { address: 'fe80::1%eth0', port: 1, family: 6 } as const
  t.same((await pass('rewrite edns0 subnet set 24 56', { client: scoped })).sent, [], 'no address, no subnet')
})

t.test('what the upstream says to an option goes to the client, unless reverted', async t => {
  const answered = [option(3, 'upstream-7'), option(1, 'theirs'), option(9, 'unasked')]
  t.same((await pass('rewrite edns0 nsid set', client(), answered)).got, ['3 upstream-7'])
  t.same((await pass('rewrite edns0 local set 1 ours', client(), answered)).got, ['1 theirs'])
  t.same((await pass('rewrite edns0 nsid set revert', client(), answered)).got, [])
  t.same((await pass('rewrite ttl a.org 5', client(), answered)).got, [])
})

t.test('what is set for an upstream is not shown to a client that never sent it', async t => {
  const rules = 'rewrite continue edns0 local set 1 ours\nrewrite edns0 nsid set'
  for (const plugin of ['forward', 'cache']) {
    t.same((await pass(rules, client(), [], plugin)).got, [], `${plugin}: the upstream says nothing to it`)
    const theirs = [option(1, 'theirs'), option(3, 'upstream-7')]
    t.same((await pass(rules, client(), theirs, plugin)).got, ['1 theirs', '3 upstream-7'], plugin)
  }
  t.same((await pass(rules)).got, ['1 ours'], 'this server itself answers')
})

t.test('the message to the upstream has the options, and no other of the client', async t => {
  const theirs = client(option(10, '12345678'))
  const { behind } = await pass('rewrite edns0 local set 1 abcd', theirs)
  const { stub, bench } = await benchTo(t, (asked, back) =>
    back.send(replyTo(asked, { rcode: asked.edns ? 1 : 0 })),
  )
  await bench.ask('www.example.org A', { ...theirs, addedOptions: behind.addedOptions })
  const [sent, plain] = stub.asked.map(({ octets }) => decodeMessage(octets))
  t.same(shown(sent!.edns!.options), ['1 abcd'])
  t.equal(plain!.edns, undefined, 'nor of EDNS at all, where the upstream does not take it')
})

t.test('forward sends the options and gives back what the upstream says to them', async t => {
  const opt = encodeOptions([option(3, 'upstream-7'), option(10, 'unasked')])
  const { stub, bench } = await benchTo(t, (asked, back) => back.send(replyTo(asked, { opt })))
  const added = { addedOptions: [option(3, '')] }
  const [one, same, plain] = await Promise.all([
    bench.ask('www.example.org A', added),
    bench.ask('www.example.org A', added),
    bench.ask('www.example.org A'),
  ])
  t.same(
    [one, same, plain].map(({ options }) => shown(options)),
    [['3 upstream-7'], ['3 upstream-7'], []],
  )
  t.same(
    stub.asked.map(({ octets }) => shown(decodeMessage(octets)!.edns!.options)).sort(),
    [[], ['3 ']],
    'questions with other options are other questions',
  )
})

const keyOf = (packet: Packet): string => {
  const key = Buffer.alloc(KEY_MAX_OCTETS)
  return key.toString('latin1', 0, writePacketKey(key, packet))
}

t.test('the cache keeps answers to different options apart', async t => {
  const { behind } = await pass('rewrite edns0 local set 1 abcd')
  const other = await pass('rewrite edns0 local set 1 abce')
  const keys = [behind.addedOptions, other.behind.addedOptions, behind.addedOptions, undefined].map(
    addedOptions => onRoad({ ...behind, addedOptions }, keyOf),
  )
  t.equal(new Set(await Promise.all(keys)).size, 3)
})

t.test('the reply to the client', async t => {
  const options = [option(1, 'x'.repeat(200)), option(2, 'y'.repeat(300)), option(3, 'z')]
  const extendedError = { code: EDE.OTHER, text: 'why' }
  const written = (parts: Partial<Query>): string[] => {
    const octets = writeReply(query('a.org. A', parts), reply({ options, extendedError }))
    t.ok(octets.length <= 512)
    return shown(decodeMessage(octets)!.edns?.options).map(text => text.slice(0, 3))
  }
  t.same(written(client()), ['15 ', '1 x', '3 z'], 'as many options as have room beside the question')
  t.same(written({ edns: undefined }), [], 'none without EDNS')
})
