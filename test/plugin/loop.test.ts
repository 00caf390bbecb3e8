// A server that is its own upstream: `next` is the upstream, `back` sends what it was asked down the chain again.

import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { LoopHandler, loopWord } from '../../src/plugin/loop.ts'
import { formatName } from '../../src/wire/name.ts'
import { RCODE } from '../../src/wire/rcode.ts'
import { TYPE } from '../../src/wire/rrtype.ts'
import type { Query } from '../support/query.ts'
import type { Next } from '../support/reply.ts'
import { askHandler } from '../support/road.ts'
import { parseWord, query, reply, testThread } from '../support/words.ts'

const FIRST_PROBE_MS = 500
const LISTEN_MS = 2000
const AGAIN_MS = 10_000
const good = reply({ plugin: 'forward' })

/** A handler whose upstream asks back while `loops` is set; `asked` is what the upstream was asked. */
function world(zones: readonly string[] = ['.']) {
  const thread = testThread()
  const handler = new LoopHandler({ ...thread.context, zones })
  const asked: Query[] = []
  const upstream = { loops: false, fails: false }
  const next: Next = async query => {
    asked.push(query)
    if (upstream.fails) throw new Error('broken')
    // Ten times is for ever: nothing else than the handler may end it sooner.
    return upstream.loops && asked.length < 10 ? askHandler(handler, query, next) : good
  }
  const bugs: string[] = []
  const ask = (question = 'example.org. A') =>
    askHandler(handler, query(question), next, error => bugs.push(String(error)))
  const pass = async (ms: number): Promise<void> => {
    thread.clock.advance(ms)
    for (let i = 0; i < 50; i++) await turn()
  }
  return { ...thread, handler, asked, upstream, ask, pass, bugs }
}

t.test('without a loop', async t => {
  const { ask, asked, pass, lines } = world()
  t.match(await ask(), good)
  t.equal(asked.length, 1)
  await pass(FIRST_PROBE_MS - 1)
  t.equal(asked.length, 1)
  await pass(1)
  t.equal(asked.length, 2, 'one probe goes out')
  t.equal(asked[1]!.question.qtype, TYPE.HINFO)
  t.match(formatName(asked[1]!.question.qname), /^[0-9a-f]{16}\.[0-9a-f]{16}\.$/)
  t.match(await ask(), good)
  await pass(60_000)
  t.equal(asked.length, 3, 'no further one does')
  t.same(lines, [])
})

t.test('a probe is below the first zone that is not the root', async t => {
  const { ask, asked, pass } = world(['.', 'example.org.'])
  await ask()
  await pass(FIRST_PROBE_MS)
  t.match(formatName(asked[1]!.question.qname), /^[0-9a-f]{16}\.[0-9a-f]{16}\.example\.org\.$/)
})

t.test('a loop is broken, reported once, and found gone', async t => {
  const { ask, asked, pass, lines, upstream } = world()
  t.match(await ask(), good)
  upstream.loops = true
  await pass(FIRST_PROBE_MS)
  t.equal(asked.length, 2, 'the probe goes round once')
  t.match(lines.shift(), /^ForwardingLoop: a query of zone \. came back from an upstream/)
  t.equal(lines.length, 1)
  const probe = formatName(asked[1]!.question.qname)
  t.ok(
    lines[0]!.startsWith(
      `[ERROR] plugin/loop: Loop detected for zone .: the query "HINFO ${probe}" came back`,
    ),
  )
  t.match(await ask(), { rcode: RCODE.SERVFAIL, error: 'forwarding loop' })
  t.equal(asked.length, 2, 'nothing is forwarded')

  await pass(LISTEN_MS)
  await pass(AGAIN_MS)
  t.equal(asked.length, 3, 'it is probed again')
  t.not(formatName(asked[2]!.question.qname), probe, 'by another name')
  t.match(await ask(), { rcode: RCODE.SERVFAIL })
  t.equal(lines.length, 1, 'and not reported again')

  upstream.loops = false
  await pass(LISTEN_MS)
  await pass(AGAIN_MS)
  await pass(LISTEN_MS)
  t.same(lines.slice(1), ['[INFO] plugin/loop: the forwarding loop is gone; queries are forwarded again'])
  t.match(await ask(), good)
  await pass(AGAIN_MS)
  t.equal(lines.length, 2)
})

t.test('a probe that comes back late, but while it is heard, is a loop', async t => {
  const { ask, asked, pass, lines, handler } = world()
  await ask()
  await pass(FIRST_PROBE_MS)
  await pass(LISTEN_MS - 1)
  await askHandler(handler, asked[1]!, () => good)
  t.match(await ask(), { rcode: RCODE.SERVFAIL })
  t.match(lines, [/^ForwardingLoop: /, /^\[ERROR\] plugin\/loop: /])
})

t.test('a client that asks the name of an earlier probe stopped forwarding for ever', async t => {
  const { ask, asked, pass, lines } = world()
  await ask()
  await pass(FIRST_PROBE_MS)
  const probe = `${formatName(asked[1]!.question.qname)} HINFO`
  await pass(LISTEN_MS)
  for (let i = 0; i < 3; i++) t.match(await ask(probe), good)
  t.match(await ask(), good)
  t.same(lines, [])
})

t.test('a plugin that fails at the probe is reported and ends nothing', async t => {
  const { ask, asked, pass, bugs, upstream } = world()
  await ask()
  upstream.fails = true
  await pass(FIRST_PROBE_MS)
  t.same(bugs, ['Error: broken'])
  upstream.fails = false
  t.match(await ask(), good)
  t.equal(asked.length, 3)
})

t.test('a stopped handler probes no more', async t => {
  const { ask, asked, pass, handler } = world()
  await ask()
  handler.stop()
  await pass(FIRST_PROBE_MS)
  t.equal(asked.length, 1)
})

t.test('the directive', t => {
  const cases: [text: string, complaints: string[]][] = [
    ['loop', []],
    ['loop .', ['2:6: error: loop takes no arguments (found ".")']],
    ['loop\nloop', ['3:1: error: loop is given twice, first at Corefile:2:1 (found "loop")']],
  ]
  for (const [text, complaints] of cases) t.same(parseWord(loopWord, text).complaints, complaints, text)
  t.same(parseWord(loopWord, 'loop').config, {})
  t.end()
})
