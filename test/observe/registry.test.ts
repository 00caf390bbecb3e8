import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { type Registration, SLOTS_MAX, ThreadMeters } from '../../src/observe/counters.ts'
import { exposition } from '../../src/observe/exposition.ts'
import { Registry } from '../../src/observe/registry.ts'
import { checkPrometheusText } from '../support/prometheus-text.ts'

/** The value of one sample in the exposition; undefined where it is not there. */
function value(registry: Registry, name: string, labels: Record<string, string> = {}): number | undefined {
  const { families, problems } = checkPrometheusText(exposition(registry.gather()))
  if (problems.length > 0) throw new Error(problems.join('\n'))
  const samples = [...families.values()].flatMap(family => family.samples)
  return samples.find(
    sample =>
      sample.name === name && Object.entries(labels).every(([label, text]) => sample.labels[label] === text),
  )?.value
}

const thread = (registry: Registry, slots?: number): { id: number; meters: ThreadMeters } => {
  const { id, memory } = registry.addThread(slots)
  return { id, meters: new ThreadMeters(memory, registration => registry.register(id, registration)) }
}

t.test('threads of their own count into one sum', async t => {
  const registry = new Registry()
  const workers = [1000, 500, 250].map(queries => {
    const { id, memory } = registry.addThread()
    const worker = new Worker(new URL('../support/counting-thread.ts', import.meta.url), {
      workerData: { memory, queries },
    })
    const done = new Promise<void>(resolve => {
      worker.on('message', (message: Registration | 'done') => {
        if (message === 'done') resolve()
        else registry.register(id, message)
      })
    })
    return { id, worker, done }
  })
  await Promise.all(workers.map(({ done }) => done))
  const requests = 'coredns_dns_requests_total'
  t.equal(value(registry, requests, { type: 'A', proto: 'udp', family: '1', zone: '.' }), 875)
  t.equal(value(registry, requests, { type: 'AAAA' }), 875)
  t.equal(value(registry, 'coredns_dns_responses_total', { rcode: 'NOERROR', plugin: 'kubernetes' }), 1750)
  t.equal(value(registry, 'coredns_dns_request_duration_seconds_count'), 1750)
  t.equal(value(registry, 'coredns_dns_request_size_bytes_bucket', { le: '100' }), 1750)
  t.equal(value(registry, 'coredns_dns_request_size_bytes_sum'), 1750 * 50)
  t.equal(value(registry, 'coredns_dns_response_size_bytes_sum'), 1750 * 90)
  t.equal(value(registry, 'coredns_cache_entries'), 1750, 'gauges of what each thread has add up')
  t.equal(value(registry, 'coredns_proxy_request_duration_seconds_bucket', { le: '0.004' }), 3)
  t.equal(value(registry, 'coredns_dns_do_requests_total'), undefined, 'nobody asked with DO')

  for (const { id, worker } of workers.slice(0, 2)) {
    worker.postMessage('end')
    await once(worker, 'exit')
    registry.removeThread(id)
    registry.removeThread(id)
  }
  t.equal(value(registry, requests, { type: 'A' }), 875, 'what dead threads counted stays')
  t.equal(value(registry, 'coredns_dns_request_duration_seconds_count'), 1750)
  t.equal(value(registry, 'coredns_cache_entries'), 250, 'what dead threads had is gone')
  workers[2]!.worker.postMessage('end')
  await once(workers[2]!.worker, 'exit')
})

t.test('the same labels are the same slot', async t => {
  const registry = new Registry()
  const { meters } = thread(registry)
  const labels = { server: 'dns://:53', type: 'success', zones: '.', view: '' }
  meters.counter('coredns_cache_hits_total', labels).add()
  meters
    .counter('coredns_cache_hits_total', { view: '', zones: '.', type: 'success', server: 'dns://:53' })
    .add(4)
  meters.counter('coredns_cache_hits_total', { ...labels, type: 'denial' }).add(2)
  t.equal(value(registry, 'coredns_cache_hits_total', { type: 'success' }), 5)
  t.equal(value(registry, 'coredns_cache_hits_total', { type: 'denial' }), 2)
})

t.test('families without labels begin at 0, others when something is counted', async t => {
  const registry = new Registry()
  t.equal(value(registry, 'coredns_panics_total'), 0)
  t.equal(value(registry, 'coredns_health_request_duration_seconds_count'), 0)
  t.equal(value(registry, 'coredns_hosts_reload_timestamp_seconds'), 0)
  t.equal(value(registry, 'coredns_dns_requests_total'), undefined)
})

t.test('gauges that say the same on every thread are not added', async t => {
  const registry = new Registry()
  for (const entries of [7, 9, 8]) {
    thread(registry).meters.gauge('coredns_hosts_entries', { hostsfile: '/etc/hosts' }).set(entries)
  }
  registry.meters.gauge('coredns_hosts_reload_timestamp_seconds').set(-5)
  t.equal(value(registry, 'coredns_hosts_entries'), 9)
})

t.test('a full block counts what it cannot tell apart', async t => {
  const registry = new Registry()
  const { id, meters } = thread(registry, 24)
  const counterOf = (server: string) => meters.counter('coredns_autopath_success_total', { server })
  for (let i = 0; i < 30; i++) counterOf(`dns://:${i}`).add()
  meters.histogram('coredns_health_request_duration_seconds').observe(1)
  meters.gauge('coredns_hosts_entries', { hostsfile: 'x' }).set(1000)
  counterOf('dns://:0').add()
  t.equal(value(registry, 'coredns_autopath_success_total', { server: 'dns://:0' }), 2, 'old ones go on')
  t.equal(value(registry, 'coredns_autopath_success_total', { server: 'dns://:22' }), 1)
  t.equal(value(registry, 'coredns_autopath_success_total', { server: 'dns://:23' }), undefined)
  t.equal(value(registry, 'seamark_metrics_overflow_total'), 9, 'seven counters, a histogram, a gauge')
  registry.removeThread(id)
  t.equal(value(registry, 'seamark_metrics_overflow_total'), 9)
})

t.test('messages that make no sense change nothing', async t => {
  const registry = new Registry()
  const { id } = registry.addThread(16)
  registry.register(99, { slot: 1, family: 'coredns_panics_total', values: [] })
  registry.register(id, { slot: 1, family: 'coredns_nothing', values: [] })
  registry.register(id, { slot: SLOTS_MAX, family: 'coredns_panics_total', values: [] })
  t.equal(value(registry, 'coredns_panics_total'), 0)
})

t.test('what is known rather than counted', async t => {
  const registry = new Registry()
  const enabled = (...names: string[]) =>
    names.map(name => ({ labels: { server: 'dns://:53', zone: '.', view: '', name }, value: 1 }))
  registry.publish('coredns_plugin_enabled', enabled('errors', 'cache'))
  t.equal(value(registry, 'coredns_plugin_enabled', { name: 'cache' }), 1)
  registry.publish('coredns_plugin_enabled', enabled('errors'))
  t.equal(
    value(registry, 'coredns_plugin_enabled', { name: 'cache' }),
    undefined,
    'a reload forgets the others',
  )
  let asked = 0
  const end = registry.collect(into => into.publish('process_open_fds', [{ labels: {}, value: ++asked }]))
  t.equal(value(registry, 'process_open_fds'), 1)
  t.equal(value(registry, 'process_open_fds'), 2)
  end()
  t.equal(value(registry, 'process_open_fds'), 2)
  t.throws(() => registry.publish('coredns_health_request_duration_seconds', []), TypeError)
})
