// NOTIFY to servers of the test's own, on free ports of loopback; time is virtual.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { Notifier } from '../../src/control/notify.ts'
import { transferWord } from '../../src/plugin/transfer/transfer.ts'
import { decodeMessage } from '../support/dns-message.ts'
import { KUBERNETES } from '../support/slim-cluster.ts'
import { until } from '../support/until.ts'
import { untilWithin } from '../support/virtual-clock.ts'
import { parseWord, testThread } from '../support/words.ts'

/** A server that hears of changes: answers with `rcode`, or not at all. */
async function secondary(t: Test, rcode: number | undefined, address = '127.0.0.1') {
  const socket = createSocket('udp4')
  socket.bind(0, address)
  await once(socket, 'listening')
  const heard: Buffer[] = []
  const from: string[] = []
  socket.on('message', (message, sender) => {
    heard.push(message)
    from.push(sender.address)
    if (rcode === undefined) return
    const reply = Buffer.from(message)
    reply[2]! |= 0x80
    reply[3] = rcode
    socket.send(reply, sender.port, sender.address)
  })
  t.teardown(() => socket.close())
  return { heard, from, to: `${address}:${socket.address().port}` }
}

/** A notifier for `transfer …` in a block with the file zones, and a cluster where `serial` is given. */
function notifying(t: Test, text: string, fileZones: readonly string[], serial?: () => number | undefined) {
  const thread = testThread(() => 0.5)
  const { config } = parseWord(transferWord, text, { zones: ['.'] })
  const notifier = new Notifier({
    clock: thread.clock,
    random: () => 0.5,
    log: thread.context.log,
    meters: thread.context.meters,
    clusterSerial: () => serial?.(),
  })
  const plugins = [
    { word: 'transfer', config },
    { word: 'file', config: { zones: fileZones.map(origin => ({ origin })) } },
    ...(serial ? [{ word: 'kubernetes', config: KUBERNETES }] : []),
  ]
  notifier.watch({ blocks: [{ zones: ['.'], plugins }] })
  t.teardown(() => notifier.stop())
  const result = (name: string): number => thread.counted.get(`seamark_notifies_total{result=${name}}`) ?? 0
  return { ...thread, notifier, result }
}

t.test('a zone of file is told of when it is served, and when it changes', async t => {
  const { heard, to } = await secondary(t, 0)
  const { notifier, result, lines } = notifying(t, `transfer example.org {\nto * ${to}\n}`, [
    'example.org.',
    'other.test.',
  ])
  await until('told', () => result('accepted') === 1)
  const [first] = heard
  const message = decodeMessage(first!)
  t.same(message.question, ['example.org. IN SOA'])
  t.equal((first![2]! >> 3) & 15, 4, 'opcode NOTIFY')
  t.ok(message.flags.aa && !message.flags.qr && !message.flags.rd)
  notifier.changed('example.org.')
  await until('told again', () => result('accepted') === 2)
  notifier.changed('other.test.')
  notifier.changed('unknown.test.')
  t.equal(heard.length, 2, 'nobody is to hear of those')
  t.same(lines, [])
})

t.test('a server that refuses is asked three times', async t => {
  const { heard, to } = await secondary(t, 5)
  const { result, lines } = notifying(t, `transfer {\nto ${to}\n}`, ['example.org.'])
  await until('given up', () => result('failed') === 1)
  t.equal(heard.length, 3)
  t.same(lines, [
    `[WARNING] plugin/transfer: notify for zone "example.org." was not accepted by "${to}": rcode was REFUSED`,
  ])
})

t.test('a server that is silent is asked three times, two seconds each', async t => {
  const { heard, to } = await secondary(t, undefined)
  const { clock, result, lines } = notifying(t, `transfer {\nto ${to}\n}`, ['example.org.'])
  await until('heard', () => heard.length === 1)
  const elapsedMs = await untilWithin(clock, 10_000, 'given up', () => result('failed') === 1)
  t.ok(elapsedMs >= 6000 && elapsedMs < 7000, `after ${elapsedMs} ms`)
  t.equal(heard.length, 3)
  t.match(lines, [/was not accepted by "127.0.0.1:\d+": no answer$/])
})

t.test('a server that does not run yet is given the same time', async t => {
  const { heard, to } = await secondary(t, 0)
  const gone = to.replace('127.0.0.1', '127.0.0.9')
  const { clock, result, lines } = notifying(t, `transfer {\nto ${gone}\n}`, ['example.org.'])
  const elapsedMs = await untilWithin(clock, 10_000, 'given up', () => result('failed') === 1)
  t.ok(elapsedMs >= 6000, `after ${elapsedMs} ms`)
  t.match(lines, [/ECONNREFUSED$/])
  t.equal(heard.length, 0)
})

t.test('what changes while a server is asked is told once more', async t => {
  const { heard, to } = await secondary(t, undefined)
  const { notifier, clock, result } = notifying(t, `transfer {\nto ${to}\n}`, ['example.org.'])
  await until('heard', () => heard.length === 1)
  for (let i = 0; i < 5; i++) notifier.changed('example.org.')
  await untilWithin(clock, 20_000, 'given up twice', () => result('failed') === 2)
  clock.advance(60_000)
  t.equal(heard.length, 6)
})

t.test('the source address', async t => {
  const { from, to } = await secondary(t, 0)
  const { result } = notifying(t, `transfer {\nto ${to}\nsource 127.0.0.5\n}`, ['example.org.'])
  await until('told', () => result('accepted') === 1)
  t.same(from, ['127.0.0.5'])
})

t.test('every server of the longest rule', async t => {
  const [a, b, other] = await Promise.all([secondary(t, 0), secondary(t, 0), secondary(t, 0)])
  const text = `transfer . {\nto ${other.to}\n}\ntransfer example.org {\nto ${a.to}\nto ${b.to}\n}`
  const { result } = notifying(t, text, ['example.org.'])
  await until('told', () => result('accepted') === 2)
  t.same(
    [a, b, other].map(({ heard }) => heard.length),
    [1, 1, 0],
  )
})

t.test("a cluster's zone is told of when its serial has moved, and its second is over", async t => {
  const { heard, to } = await secondary(t, 0)
  let serial: number | undefined
  const { clock, result } = notifying(t, `transfer cluster.local {\nto ${to}\n}`, [], () => serial)
  const seconds = (): number => Math.floor(clock.wallMs() / 1000)
  clock.advance(20_000)
  t.equal(heard.length, 0, 'not before everything is listed')
  serial = seconds()
  clock.advance(5000)
  await until('told', () => result('accepted') === 1)
  t.same(decodeMessage(heard[0]!).question, ['cluster.local. IN SOA'])
  clock.advance(60_000)
  serial = seconds() + 5
  clock.advance(5000)
  t.equal(heard.length, 1, 'not in the second of the change')
  clock.advance(5000)
  await until('told again', () => result('accepted') === 2)
  clock.stepWall(-3_600_000)
  serial++
  clock.advance(5000)
  await until('told when the time of day was set back, too', () => result('accepted') === 3)
})

t.test('a stopped notifier asks nobody', async t => {
  const { heard, to } = await secondary(t, undefined)
  const { notifier, clock, result, lines } = notifying(t, `transfer {\nto ${to}\n}`, ['example.org.'])
  await until('heard', () => heard.length === 1)
  notifier.stop()
  notifier.changed('example.org.')
  clock.advance(60_000)
  await new Promise(setImmediate)
  t.equal(heard.length, 1)
  t.equal(result('failed') + result('accepted'), 0)
  t.same(lines, [])
})
