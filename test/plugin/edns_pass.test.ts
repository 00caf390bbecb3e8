// edns_pass: which options of a client go along to the upstream, what comes back for them, and that the cache keeps them apart.

import t from 'tap'
import { ednsPassWord } from '../../src/plugin/edns_pass.ts'
import { decodeMessage } from '../support/dns-message.ts'
import { encodeQuestion } from '../support/dns-question.ts'
import { ServerBlock } from '../support/server-block.ts'
import { a, replyTo, UpstreamStub } from '../support/upstream-stub.ts'
import { parseWord } from '../support/words.ts'

interface Option {
  readonly code: number
  readonly data: Uint8Array
}

const ecs = (last: number): Option => ({ code: 8, data: Uint8Array.of(0, 1, 24, 0, 192, 0, last) })
const COOKIE: Option = { code: 10, data: new Uint8Array(8) }
const TENANT: Option = { code: 65_001, data: Uint8Array.of(7) }
const text = (options: readonly Option[] = []): string =>
  options.map(({ code, data }) => `${code}=${Buffer.from(data).toString('hex')}`).join(' ')

/** An upstream that says its options back, with the subnet's scope, and a block that asks it. */
async function world(lines: string) {
  const seen: string[] = []
  const upstream = await UpstreamStub.start((asked, back) => {
    const options = decodeMessage(asked.octets).edns?.options ?? []
    seen.push(text(options))
    const opt = options.flatMap(({ code, data }) => [code >> 8, code & 255, 0, data.length, ...data])
    back.send(replyTo(asked, { answer: [a('www.example.org', 30)], opt: Uint8Array.from(opt) }))
  })
  const block = new ServerBlock(`${lines}\nforward . ${upstream.to}`)
  t.teardown(() => Promise.all([block.stop(), upstream.pause()]))
  const ask = async (options?: readonly Option[]): Promise<string> => {
    const edns = options && { edns: { options } }
    const octets = await block.late(encodeQuestion({ name: 'www.example.org', ...edns }, 1))
    return text(decodeMessage(octets!).edns?.options)
  }
  return { seen, ask }
}

t.test('no option goes along unless it is named', async t => {
  const none = await world('')
  t.equal(await none.ask([ecs(2), TENANT]), '')
  t.strictSame(none.seen, [''])
  const subnet = await world('edns_pass ecs')
  t.equal(await subnet.ask([ecs(2), TENANT]), '8=00011800c00002')
  t.equal(await subnet.ask(), '', 'a client without EDNS')
  t.strictSame(subnet.seen, ['8=00011800c00002', ''])
  const both = await world('edns_pass 8 65001')
  t.match(await both.ask([TENANT, COOKIE, ecs(2)]), /65001=07.* 8=00011800c00002|8=00011800c00002.*/)
  t.strictSame(both.seen, ['65001=07 8=00011800c00002'])
})

t.test('the cache keeps apart what came for one option, for another and for none', async t => {
  const { seen, ask } = await world('edns_pass ecs 65001\ncache 30')
  const clients = [[ecs(2)], [ecs(3)], [TENANT], [], undefined]
  for (const options of clients) for (let times = 0; times < 3; times++) await ask(options)
  t.strictSame(seen, ['8=00011800c00002', '8=00011800c00003', '65001=07', ''])
})

t.test('so does what answers out of the cache in front of it, behind acl', async t => {
  const { seen, ask } = await world('edns_pass ecs\nacl {\nallow net 10.0.0.0/8\n}\ncache 30')
  const clients = [undefined, [ecs(2)], [ecs(3)]]
  for (const options of clients) for (let times = 0; times < 3; times++) await ask(options)
  t.strictSame(seen, ['', '8=00011800c00002', '8=00011800c00003'])
})

t.test('what is too long stays behind', async t => {
  const { seen, ask } = await world('edns_pass 65001 65002')
  await ask([
    { code: 65_001, data: new Uint8Array(300) },
    { code: 65_002, data: Uint8Array.of(1) },
  ])
  t.strictSame(seen, ['65002=01'])
})

t.test('what can be written', async t => {
  const cases: [text: string, codes: readonly number[] | string][] = [
    ['edns_pass ecs', [8]],
    ['edns_pass ECS 8 65001', [8, 65_001]],
    ['edns_pass 10', 'about one hop'],
    ['edns_pass 0', 'no EDNS option'],
    ['edns_pass 65536', 'no EDNS option'],
    ['edns_pass subnet', 'no EDNS option'],
    ['edns_pass', 'an option'],
    [`edns_pass ${Array.from({ length: 17 }, (_, i) => 100 + i).join(' ')}`, 'more than 16'],
  ]
  for (const [text, expected] of cases) {
    const { config, complaints } = parseWord(ednsPassWord, text)
    if (typeof expected === 'string') t.match(complaints.join('\n'), expected, text)
    else t.strictSame([config?.codes, complaints], [expected, []], text)
  }
})
