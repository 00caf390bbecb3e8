// What collectors that others wrote read of Seamark's spans: OpenTelemetry's collector, Zipkin's library and Datadog's agent, by the
// code that they decode what is posted to them with (clients/spans.go).

import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { query } from '../support/dns-client.ts'
import { eventually, freePorts, Program } from './processes.ts'
import { isBuilt, programPath } from './programs.ts'
import type { Suite } from './suite.ts'

interface ReadSpan {
  readonly Type: string
  readonly Service: string
  readonly Trace: string
  readonly ID: string
  readonly Parent: string
  readonly Name: string
  readonly Kind: string
  readonly Error: string
  readonly StartUs: number
  readonly DurationUs: number
  readonly Tags: Readonly<Record<string, string>>
}

/** What the three call the kind of a query's span. */
const SERVER = { otlp: 'Server', zipkin: 'SERVER', datadog: 'server' } as const

export const suite: Suite = {
  name: 'trace',
  async run(context) {
    if (context.world.subject !== 'seamark') return context.skip('trace', 'the spans are Seamark’s')
    if (!isBuilt('spans')) return context.skip('trace', 'the collector is not built')
    const [port] = (await freePorts(1)) as [number]
    const collector = Program.start(context.scope, context.scope.folder('spans'), 'spans', [
      programPath('spans'),
      `127.0.0.1:${port}`,
    ])
    const spans = (): ReadSpan[] => {
      const lines = collector.log().trim().split('\n').filter(Boolean)
      return lines.map(line => JSON.parse(line) as ReadSpan)
    }
    for (const type of ['otlp', 'zipkin', 'datadog'] as const) {
      const server = await context.serve('seamark', {
        server: [`trace ${type} 127.0.0.1:${port} {`, 'service dns', 'zipkin_max_batch_interval 50ms', '}'],
      })
      await context.check(`${type}: a query, the plugin that waited, the upstream`, async () => {
        const name = `${type}.example.org`
        const about = (span: ReadSpan): boolean =>
          span.Type === type && Object.values(span.Tags).includes(`${name}.`)
        const root = await eventually('the span of the query', async () => {
          await query(server.port, { name })
          return spans().find(about)
        })
        const [connect, forward, served, ...more] = spans().filter(span => span.Trace === root.Trace)
        deepEqual([connect?.Name, forward?.Name, served?.Name, more], ['connect', 'forward', 'servedns', []])
        deepEqual([served?.Service, served?.Kind, served?.Parent], ['dns', SERVER[type], ''])
        deepEqual([forward?.Parent, connect?.Parent], [served?.ID, forward?.ID])
        match(root.Trace, type === 'datadog' ? /^[0-9a-f]{1,16}$/ : /^[0-9a-f]{32}$/)
        ok(Math.abs(root.StartUs / 1000 - Date.now()) < 600_000, `it began at ${root.StartUs} µs`)
        ok(root.DurationUs > 0 && root.DurationUs < 60_000_000, `it took ${root.DurationUs} µs`)
        equal(connect?.Tags['peer.address'], `127.0.0.1:${context.world.upstreamPort}`)
      })
      await server.stop()
    }
    await context.check('nothing that they were sent is refused', () => {
      equal(/Refused/.test(collector.log()), false, collector.log())
    })
  },
}
