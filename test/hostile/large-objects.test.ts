// Objects as large as the API server takes them, which whoever may write into one namespace can make: a slice of a hundred
// thousand endpoints. While it arrives and is published, probes are answered, signals heard, and names resolve; with it in
// place a start ends well.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { query } from '../support/dns-client.ts'
import { FakeApiServer } from '../support/fake-api-server.ts'
import { namespace, service, slice } from '../support/fake-objects.ts'
import { makePlace, type Place } from '../support/served-corefile.ts'
import { until } from '../support/until.ts'
import { inPod } from './one-block.ts'

const WEB = 'web.default.svc.cluster.local'
const BIG = 'big.default.svc.cluster.local'
const ENDPOINTS = 1000
const ADDRESSES = 100
/** A probe waits no longer than that for the control thread, on a machine that is not busy otherwise. */
const PROBE_MS = 250

/** What a slice may hold, by the address of each. */
const endpoints = (address: (i: number) => string): Record<string, unknown> => ({
  endpoints: Array.from({ length: ENDPOINTS }, (_, i) => ({
    addresses: Array.from({ length: ADDRESSES }, (_, j) => address(ADDRESSES * i + j)),
  })),
})

const kinds: readonly (readonly [title: string, address: (i: number) => string, weight: number])[] = [
  ['a hundred thousand endpoints', i => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 1],
  ['a hundred thousand times the same address', () => '10.0.0.1', 1],
]

interface Bench extends Place {
  readonly api: FakeApiServer
}

async function open(t: Test): Promise<Bench> {
  const api = new FakeApiServer()
  api.cluster.apply('namespaces', namespace('default'))
  api.cluster.apply('services', service('default', 'web'))
  api.cluster.apply('services', service('default', 'big', { clusterIP: 'None', clusterIPs: ['None'] }))
  api.cluster.apply('endpointslices', slice('default', 'web-1', 'web', ['10.0.0.1']))
  await api.listen()
  t.teardown(() => api.close())
  const place = await makePlace(
    t,
    ({ dns, health, metrics }) =>
      `.:${dns} {
      bind 127.0.0.1
      health 127.0.0.1:${health}
      prometheus 127.0.0.1:${metrics}
      kubernetes cluster.local {
        endpoint ${api.url}
      }
    }`,
  )
  return { ...place, api }
}

/** Asks for /health without a pause, from a process of its own, until `stop`, which gives the longest time and the median in ms. */
function probe(t: Test, port: number): { stop(): Promise<{ longestMs: number; medianMs: number }> } {
  const script = `
    const times = []
    let ended = false
    process.stdin.resume().once('end', () => { ended = true })
    while (!ended) {
      const from = performance.now()
      await fetch('http://127.0.0.1:${port}/health').then(answer => answer.text())
      times.push(performance.now() - from)
      await new Promise(resolve => setTimeout(resolve, 2))
    }
    times.sort((a, b) => a - b)
    console.log(JSON.stringify({ longestMs: times.at(-1), medianMs: times[times.length >> 1] }))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill())
  let text = ''
  child.stdout.on('data', chunk => {
    text += chunk
  })
  return {
    async stop() {
      child.stdin.end()
      await once(child, 'close')
      return JSON.parse(text) as { longestMs: number; medianMs: number }
    },
  }
}

/** Waits until the large Service has endpoints in its answers. */
const published = (port: number): Promise<void> =>
  until('published', async () => (await query(port, { name: BIG, tcp: true })).answer.length > 0)

for (const [title, address, weight] of kinds) {
  t.test(`${title} arrive`, async t => {
    const { api, start, ports } = await open(t)
    const server = await start({ until: 'answer' })
    const probing = probe(t, ports.health)
    for (let i = 0; i < 3; i++) {
      api.cluster.apply('endpointslices', slice('default', 'big-1', 'big', [], endpoints(address)))
      await published(ports.dns)
      t.equal((await query(ports.dns, { name: WEB })).rcode, 'NOERROR', 'others are answered')
      api.cluster.delete('endpointslices', 'big-1', 'default')
      await until('gone', async () => (await query(ports.dns, { name: BIG })).rcode === 'NXDOMAIN')
    }
    const { longestMs, medianMs } = await probing.stop()
    const mostMs = Math.max(PROBE_MS, 100 * medianMs)
    t.ok(longestMs < mostMs, `the longest probe: ${longestMs.toFixed(0)} ms of ${mostMs.toFixed(0)}`)
    api.cluster.apply('endpointslices', slice('default', 'big-1', 'big', [], endpoints(address)))
    await published(ports.dns)
    const srv = await query(ports.dns, { name: `_http._tcp.${BIG}`, type: 'SRV', tcp: true })
    t.match(srv.answer[0], new RegExp(` SRV 0 ${weight} 8080 `))
    t.equal(await server.stop(), 0)
  })

  t.test(`${title}: the end is heard while they arrive`, async t => {
    const { api, start } = await open(t)
    const server = await start({ until: 'answer' })
    api.cluster.apply('endpointslices', slice('default', 'big-1', 'big', [], endpoints(address)))
    const fromMs = performance.now()
    t.equal(await server.stop(), 0)
    t.ok(performance.now() - fromMs < 5000, `${(performance.now() - fromMs).toFixed(0)} ms`)
  })

  t.test(`${title} are there at the start`, async t => {
    const { api, start, ports, get } = await open(t)
    for (let i = 0; i < 3; i++)
      api.cluster.apply('endpointslices', slice('default', `big-${i}`, 'big', [], endpoints(address)))
    const server = await start({ until: 'answer', wrap: inPod(t) })
    await published(ports.dns)
    t.equal((await query(ports.dns, { name: WEB })).rcode, 'NOERROR')
    t.match(await get('health', '/health'), /^200 /)
    t.equal(await server.stop(), 0)
  })
}
