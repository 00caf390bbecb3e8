// The time of day of a node is set by an hour, forward and back, while it serves: no answer is lost, what was to live for a time
// lives as long, cookies and serials go on, and nothing is asked of anybody because of it.

import t from 'tap'
import { query, type Reply } from '../support/dns-client.ts'
import { FakeApiServer } from '../support/fake-api-server.ts'
import { namespace, service } from '../support/fake-objects.ts'
import { cpuUs } from '../support/process-stat.ts'
import { makePlace } from '../support/served-corefile.ts'
import { noStepping, SteppedClock } from '../support/stepped-clock.ts'
import { until } from '../support/until.ts'
import { a, answerAll, nameOf, replyTo, UpstreamStub } from '../support/upstream-stub.ts'
import { unharmed } from './one-block.ts'

const HOUR_SECONDS = 3600
const TTL_SECONDS = 300
/** What a round with a step costs at most, to one without; the kernel counts in ticks of 10 ms. */
const COSTS_MOST = 5
const SLACK_US = 200_000
const COOKIE = 10
const CLIENT_COOKIE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
const svc = (name: string): string => `${name}.default.svc.cluster.local`

const cookieIn = ({ edns }: Reply): Buffer =>
  Buffer.from(edns?.options.find(({ code }) => code === COOKIE)?.data ?? [])
const ttlOf = ({ records }: Reply): number => records.answer[0]?.ttlSeconds ?? -1
const serialOf = ({ answer }: Reply): number => Number(answer[0]?.split(' ')[6])
/** RFC 1982: how far the second one is ahead. */
const ahead = (before: number, after: number): number => (after - before) | 0

t.test('steps of an hour, forward and back', { skip: noStepping }, async t => {
  const held: (() => void)[] = []
  const stub = await UpstreamStub.start((asked, back) => {
    if (nameOf(asked).startsWith('held')) held.push(() => answerAll(asked, back))
    else back.send(replyTo(asked, { answer: [a(nameOf(asked), TTL_SECONDS)] }))
  })
  t.teardown(() => stub.pause())
  const api = new FakeApiServer()
  api.cluster.apply('namespaces', namespace('default'))
  api.cluster.apply('services', service('default', 'web'))
  await api.listen()
  t.teardown(() => api.close())
  const place = await makePlace(
    t,
    ({ dns, ready, health, metrics }, folder) =>
      `.:${dns} {
        bind 127.0.0.1
        errors
        ready 127.0.0.1:${ready}
        health 127.0.0.1:${health}
        prometheus 127.0.0.1:${metrics}
        kubernetes cluster.local {
          endpoint ${api.url}
          snapshot ${folder}/state
          startup_timeout 100ms
        }
        cache 3600 test
        forward . ${stub.to}
      }`,
  )
  const clock = new SteppedClock(place.folder)
  const server = await place.start({ wrap: clock.wrap })
  const port = place.ports.dns
  const ask = (name: string, cookie: Uint8Array = CLIENT_COOKIE, type = 'A'): Promise<Reply> =>
    query(port, { name, type, edns: { options: [{ code: COOKIE, data: cookie }] } })
  const serial = async (): Promise<number> => serialOf(await ask('cluster.local', CLIENT_COOKIE, 'SOA'))
  const stale = (): Promise<number> => place.counted('seamark_table_stale')

  const startedMs = performance.now()
  t.equal(ttlOf(await ask('kept.test')), TTL_SECONDS)
  let cookie = cookieIn(await ask(svc('web')))
  let serialBefore = await serial()
  const began = await place.counted('process_start_time_seconds')
  const watched = (): number => api.count(({ watch }) => watch)
  const [watchedBefore, log] = [watched(), server.output()]
  const costs: number[] = []
  for (const [round, seconds] of [0, HOUR_SECONDS, -HOUR_SECONDS, HOUR_SECONDS, 0].entries()) {
    const cpuBefore = cpuUs(server.child.pid!)
    const waiting = ask(`held-${round}.test`)
    await until('the question', () => held.length > 0)
    clock.stepTo(seconds)

    const upstream = stub.asked.length
    for (const answer of held.splice(0)) answer()
    t.equal((await waiting).rcode, 'NOERROR', `${seconds}: a question that was under way is answered`)
    for (let i = 0; i < 100; i++) t.equal((await ask(svc('web'))).rcode, 'NOERROR')

    const livedSeconds = (performance.now() - startedMs) / 1000
    const left = ttlOf(await ask('kept.test'))
    t.ok(left <= TTL_SECONDS && left >= TTL_SECONDS - livedSeconds - 2, `${seconds}: ${left} s are left`)
    t.equal(stub.asked.length, upstream, `${seconds}: nothing is asked again`)

    const reply = await ask(svc('web'), cookie)
    const given = cookieIn(reply)
    t.match([reply.rcode, given.length], ['NOERROR', 24])
    t.same((await ask(svc('web'), given)).rcode, 'NOERROR')
    const age = Math.floor(Date.now() / 1000) + seconds - given.readUInt32BE(12)
    t.ok(age >= -2 && age <= HOUR_SECONDS, `${seconds}: a cookie that is taken, ${age} s old`)
    cookie = given

    api.cluster.apply('services', service('default', `new-${round}`))
    await until('the change', async () => (await ask(svc(`new-${round}`))).rcode === 'NOERROR')
    const serialAfter = await serial()
    t.ok(
      ahead(serialBefore, serialAfter) >= (round === 0 ? 0 : 1),
      `${seconds}: the serial grows, ${serialBefore} to ${serialAfter}`,
    )
    serialBefore = serialAfter

    t.equal(await place.get('ready', '/ready'), '200 OK')
    t.equal(await place.get('health', '/health'), '200 OK')
    t.equal(await stale(), 0)
    t.equal(await place.counted('process_start_time_seconds'), began)
    costs.push(cpuUs(server.child.pid!) - cpuBefore)
  }
  t.equal(watched(), watchedBefore, 'no watch begins anew')
  t.equal(
    server
      .output()
      .slice(log.length)
      .replace(/^\[INFO\].*\n/gm, ''),
    '',
    'nothing is told of',
  )
  await unharmed(t, { ...place, server })
  const [reference = 0, ...others] = costs
  t.ok(Math.max(...others) <= COSTS_MOST * reference + SLACK_US, `no timer storm: ${costs.join(', ')} µs`)

  t.equal(await server.stop(), 0)
  await api.kill()
  for (const [seconds, age] of [
    [-HOUR_SECONDS, /\(0s old/],
    [HOUR_SECONDS, /\(1h0m\d+s old/],
  ] as const) {
    clock.stepTo(seconds)
    const again = await place.start({ wrap: clock.wrap })
    t.match(again.output(), age)
    t.equal((await ask(svc('web'))).rcode, 'NOERROR', `${seconds}: the snapshot is served`)
    t.equal(await again.stop(), 0)
  }
})
