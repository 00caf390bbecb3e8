// A worker for test/observe/registry.test.ts: counts what it is told to and says what its slots stand for.

import { parentPort, workerData } from 'node:worker_threads'
import { ThreadMeters } from '../../src/observe/counters.ts'
import { pluginIndex, protoIndex, QueryMetersTable, qtypeIndex } from '../../src/observe/query-meters.ts'

const { memory, queries } = workerData as { memory: SharedArrayBuffer; queries: number }
const meters = new ThreadMeters(memory, registration => parentPort!.postMessage(registration))
const table = new QueryMetersTable(meters)
const counted = table.of('dns://:53', '.', '')
for (let i = 0; i < queries; i++) {
  counted.count(
    qtypeIndex(i % 2 === 0 ? 1 : 28),
    4,
    protoIndex('udp'),
    0,
    50,
    90,
    0.0001,
    pluginIndex('kubernetes'),
    false,
  )
}
meters
  .gauge('coredns_cache_entries', { server: 'dns://:53', type: 'success', zones: '.', view: '' })
  .set(queries)
meters
  .histogram('coredns_proxy_request_duration_seconds', {
    proxy_name: 'forward',
    to: '10.0.0.1:53',
    rcode: 'NOERROR',
  })
  .observe(0.003)
parentPort!.postMessage('done')
parentPort!.once('message', () => parentPort!.close())
