// The fake API server in a process of its own, for benchmarks and for trying things by hand:
//
//   node test/support/fake-api-server-main.ts --services 10000 --slices 1 --endpoints 10 --changes 100
//
// Prints one line, `listening on URL`, when it is ready, and ends with its standard input.

import { parseArgs } from 'node:util'
import { FakeApiServer } from './fake-api-server.ts'
import { populate, wordySlice } from './fake-objects.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    namespaces: { type: 'string', default: '100' },
    services: { type: 'string', default: '1000' },
    /** EndpointSlices per Service. */
    slices: { type: 'string', default: '1' },
    /** Endpoints per EndpointSlice. */
    endpoints: { type: 'string', default: '10' },
    /** EndpointSlices that change per second. */
    changes: { type: 'string', default: '0' },
    /** Refuse to stream initial events, so that clients list in pages. */
    paged: { type: 'boolean', default: false },
  },
})

const services = Number(values.services)
const endpoints = Number(values.endpoints)
const namespaces = Number(values.namespaces)
const server = new FakeApiServer({ port: Number(values.port) })
if (values.paged) server.watchList = 422
populate(server.cluster, { namespaces, services, slices: Number(values.slices), endpoints })
// The history of making the objects is of no use to anybody.
server.cluster.compact()
await server.listen()
process.stdout.write(`listening on ${server.url}\n`)

const perSecond = Number(values.changes)
let changed = 0
const timer = setInterval(() => {
  for (const due = changed + perSecond / 100; changed < due; changed++) {
    const s = changed % services
    server.cluster.apply(
      'endpointslices',
      wordySlice(`ns-${s % namespaces}`, `service-${s}`, s + changed, 0, endpoints),
    )
  }
}, 10)

process.stdin.resume()
process.stdin.on('end', () => {
  clearInterval(timer)
  void server.close()
})
