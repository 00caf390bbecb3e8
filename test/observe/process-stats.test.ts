import t from 'tap'
import { exposition } from '../../src/observe/exposition.ts'
import { memoryLimit, ProcessStats, readProc } from '../../src/observe/process-stats.ts'
import { Registry } from '../../src/observe/registry.ts'
import { metricsRoute } from '../../src/observe/scrape.ts'
import { checkPrometheusText } from '../support/prometheus-text.ts'

const stat = `123 (a (b) c) S 1 123 123 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 11 0 4242 987654321 1000 18446744073709551615`

t.test('/proc', async t => {
  const directory = t.testdir({
    stat: 'cpu 1 2 3\nbtime 1700000000\nprocesses 5\n',
    self: {
      stat,
      status: 'Name:\ta\nVmRSS:\t   51200 kB\n',
      limits:
        'Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288               files\n',
      fd: { 0: '', 1: '', 2: '' },
    },
  })
  t.same(readProc(directory), {
    process_virtual_memory_bytes: 987654321,
    process_start_time_seconds: 1700000042.42,
    process_resident_memory_bytes: 52428800,
    process_max_fds: 1024,
    process_open_fds: 3,
  })
  t.same(readProc(t.testdir({ self: { limits: 'Max open files unlimited unlimited files\n' } })), {
    process_max_fds: Number.POSITIVE_INFINITY,
  })
  t.same(readProc('/nonexistent'), {}, 'a system without /proc')
})

t.test('the memory limit is the container’s, or what the machine has', async t => {
  const mib = 2 ** 20
  t.equal(memoryLimit(170 * mib, 8192 * mib), 170 * mib)
  t.equal(memoryLimit(0, 8192 * mib), 8192 * mib, 'no cgroup')
  t.equal(memoryLimit(2 ** 63, 8192 * mib), 8192 * mib, 'unlimited, as cgroup v1 says it')
})

t.test('a scrape has the process and Node', async t => {
  const registry = new Registry()
  const stats = new ProcessStats(registry)
  stats.start()
  stats.start()
  stats.detailed = true
  const { body, contentType } = await metricsRoute(registry)(new URLSearchParams(), '')
  t.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8')
  const { families, problems } = checkPrometheusText(body)
  t.same(problems, [])
  const value = (name: string): number => families.get(name)!.samples[0]!.value
  t.ok(value('process_cpu_seconds_total') > 0)
  t.ok(value('process_resident_memory_bytes') > 10_000_000)
  t.ok(value('seamark_memory_limit_bytes') > value('process_resident_memory_bytes'))
  t.ok(value('nodejs_heap_size_used_bytes') > 1_000_000)
  t.ok(Math.abs(value('process_start_time_seconds') - performance.timeOrigin / 1000) < 5)
  t.ok(value('nodejs_eventloop_lag_max_seconds') >= 0)
  t.ok(
    families
      .get('nodejs_heap_space_size_used_bytes')!
      .samples.some(({ labels }) => labels.space === 'new_space'),
  )
  stats.stop()
  const before = exposition(registry.gather())
  t.equal(exposition(registry.gather()), before, 'after stop nothing is measured')
})
