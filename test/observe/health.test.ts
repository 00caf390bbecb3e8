import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { askHttp, HealthProbe, healthRoute, healthUrl } from '../../src/observe/health.ts'
import { HttpListenError, HttpListener } from '../../src/observe/http.ts'
import { recordingMeters, testThread } from '../support/words.ts'

const DURATION = 'coredns_health_request_duration_seconds'
const FAILURES = 'coredns_health_request_failures_total'
const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve))
}

t.test('where the process asks itself', async t => {
  t.equal(healthUrl('', 8080), 'http://localhost:8080/health')
  t.equal(healthUrl('10.0.0.1', 8080), 'http://10.0.0.1:8080/health')
  t.equal(healthUrl('::1', 8080), 'http://[::1]:8080/health')
  t.same(await healthRoute(new URLSearchParams(), ''), { status: 200, body: 'OK' })
})

t.test('once a second, in the words of CoreDNS', async t => {
  const { clock, context, lines, counted } = testThread()
  let elapsedMs = 1
  let problem: string | undefined
  const probe = new HealthProbe({
    url: 'http://localhost:8080/health',
    clock,
    meters: context.meters,
    log: context.log,
    ask: async () => {
      await turns()
      clock.advance(elapsedMs)
      return problem
    },
  })
  const second = async (): Promise<void> => {
    clock.advance(1000)
    await turns()
    await turns()
  }
  probe.start()
  probe.start()
  await second()
  t.same([counted.get(DURATION), counted.get(FAILURES), lines], [1, undefined, []])
  elapsedMs = 1500
  await second()
  problem = 'connect ECONNREFUSED'
  await second()
  t.same([counted.get(DURATION), counted.get(FAILURES)], [3, 1])
  t.same(lines, [
    '[WARNING] plugin/health: Local health request to "http://localhost:8080/health" took more than 1s: 1.5s',
    '[WARNING] plugin/health: Local health request to "http://localhost:8080/health" failed: connect ECONNREFUSED',
  ])
  probe.stop()
  await second()
  t.equal(counted.get(DURATION), 3, 'after stop nobody asks')
})

t.test('over HTTP', async t => {
  const routes = new Map([['/health', healthRoute]])
  const listener = await HttpListener.start(
    { host: '127.0.0.1', port: 0, routes },
    recordingMeters(new Map()),
  )
  if (listener instanceof HttpListenError) throw listener
  const url = healthUrl('127.0.0.1', listener.port)
  t.equal(await askHttp(url, 3000), undefined)
  await listener.stop(0)
  t.match(await askHttp(url, 3000), /ECONNREFUSED/)
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as { port: number }
  t.equal(await askHttp(healthUrl('127.0.0.1', port), 20), 'no answer in time')
  silent.close()
})
