// The API server's absence: killed and brought back, cut off and compacted away behind the server's back. All the
// while what was known is answered; a server that never knew anything says SERVFAIL, never NXDOMAIN.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { extendedError } from '../support/extended-error.ts'
import { ApiError } from './api-client.ts'
import { DnsServer } from './dns-server.ts'
import { eventually } from './processes.ts'
import { Steady } from './steady.ts'
import { type Context, holds, type Suite } from './suite.ts'
import { TcpProxy } from './tcp-proxy.ts'

/** How long a change may take to be seen after the API server can be reached again. */
const RETURN_DEADLINE_MS = 60_000
const STARTUP_DEADLINE_MS = 30_000

/** A server that reaches the API server through a relay. */
async function serveThrough(context: Context, proxy: TcpProxy): Promise<DnsServer> {
  const file = join(context.scope.folder('relay'), 'kubeconfig')
  writeFileSync(file, context.world.plane.kubeconfigFor(proxy.port))
  return context.serve(context.world.subject, { access: [`kubeconfig ${file}`] })
}

/** True when a watch from this resourceVersion is refused as too old, in either of the two forms. */
async function isGone(context: Context, resourceVersion: string): Promise<boolean> {
  const path = `/api/v1/services?watch=1&timeoutSeconds=1&resourceVersion=${resourceVersion}`
  try {
    const event = await context.world.plane.client.request<{ object?: { code?: number } }>('GET', path)
    return event.object?.code === 410
  } catch (error) {
    if (error instanceof ApiError) return error.status === 410
    throw error
  }
}

async function killAndReturn(context: Context, steady: Steady, server: DnsServer): Promise<void> {
  const { plane, subject, upstreamPort } = context.world
  await context.check('kill -9 of the API server: the last state is served', () =>
    steady.during(server, async load => {
      await plane.killApiServer()
      const before = load.asked
      await eventually('a thousand questions', () => load.asked > before + 1000)
      holds(await server.isReady(), 'no longer ready, though it serves what it knows')
    }),
  )
  const late = await DnsServer.start(context.scope, subject, {
    access: [`kubeconfig ${plane.kubeconfigFile}`],
    upstreamPort,
    waitReady: false,
  })
  await context.check('started meanwhile: SERVFAIL, not NXDOMAIN, and not ready', async () => {
    const reply = await eventually('any reply', () => late.ask(`web.${steady.zone}`), STARTUP_DEADLINE_MS)
    holds(reply.rcode === 'SERVFAIL', `rcode ${reply.rcode}`)
    holds(!(await late.isReady()), 'ready without having seen the cluster')
    const outside = await late.ask('www.example.net')
    holds(outside.rcode === 'NOERROR', `a name outside the cluster gives ${outside.rcode}`)
  })
  await context.check('the API server returns: changes are seen', async () => {
    await steady.during(server, async () => {
      await plane.startApiServer()
      await steady.change('after-return', true)
      await steady.seen(server, 'after-return', true, RETURN_DEADLINE_MS)
      await steady.change('after-return', false)
      await steady.seen(server, 'after-return', false, RETURN_DEADLINE_MS)
    })
  })
  await context.check('the one that was started meanwhile becomes ready', async () => {
    await eventually('readiness', () => late.isReady(), RETURN_DEADLINE_MS)
    await steady.seen(late, 'web', true, RETURN_DEADLINE_MS)
  })
}

/** A minute is what a watch may be silent; the rest is how often it is looked, and what is to be seen. */
const STALE_DEADLINE_MS = 80_000

async function standStill(context: Context, steady: Steady): Promise<void> {
  const { plane, subject } = context.world
  const what =
    'an API server that stands still: answers say how old they are, and so do /ready, metrics and log'
  if (subject !== 'seamark') return context.skip(what, 'CoreDNS tells nobody')
  const server = await context.serve(subject)
  const told = async (name: string): Promise<string> => {
    const { rcode, edns } = await server.ask(`${name}.${steady.zone}`, 'A', { edns: true })
    return `${rcode} ${extendedError(edns)}`
  }
  await context.check(what, async () => {
    const fresh = await told('nope')
    holds(fresh === `NXDOMAIN 0 no service nope in namespace ${steady.namespace}`, fresh)
    plane.stallApiServer(true)
    try {
      await eventually('code 19', async () => (await told('nope')).includes(' 19 '), STALE_DEADLINE_MS, 500)
      const [denial, answer] = [await told('nope'), await told('web')]
      context.note(denial)
      holds(
        /no service nope in namespace \S+ \(the API server was last heard [67]\d s ago\)$/.test(denial),
        denial,
      )
      holds(/^NOERROR 3 the API server was last heard \d+ s ago$/.test(answer), answer)
      const ready = await server.readyVerbose()
      holds(/^OK\nkubernetes: synced, but the API server was last heard \d+ s ago/.test(ready), ready)
      const metrics = await server.metrics()
      for (const line of [
        /^seamark_table_stale\{.*\} 1$/m,
        /^seamark_watch_age_seconds\{resource="services"\} [67]\d/m,
      ])
        holds(line.test(metrics), String(line))
      const log = readFileSync(server.program.logFile, 'utf8')
      holds(
        /\[WARNING\] plugin\/kubernetes: the API server was last heard 6\d s ago/.test(log),
        'the log is silent',
      )
    } finally {
      plane.stallApiServer(false)
    }
    const silent = async (): Promise<boolean> => (await told('web')).trimEnd() === 'NOERROR'
    await eventually('answers without a word', silent, RETURN_DEADLINE_MS, 500)
  })
}

async function cutOff(context: Context, steady: Steady, proxy: TcpProxy, server: DnsServer): Promise<void> {
  const { plane } = context.world
  await context.check('every connection cut: the watches return and miss nothing', () =>
    steady.during(server, async () => {
      await steady.change('cut-old', true)
      await steady.seen(server, 'cut-old', true, RETURN_DEADLINE_MS)
      proxy.refuse()
      await steady.change('cut-new', true)
      await steady.change('cut-old', false)
      proxy.restore()
      await steady.seen(server, 'cut-new', true, RETURN_DEADLINE_MS)
      await steady.seen(server, 'cut-old', false, RETURN_DEADLINE_MS)
    }),
  )
  await context.check(
    'etcd compacted behind a cut watch: relisted, nothing old stays, nothing new is missed',
    () =>
      steady.during(server, async () => {
        await steady.change('compact-old', true)
        await steady.seen(server, 'compact-old', true, RETURN_DEADLINE_MS)
        proxy.refuse()
        const path = `/api/v1/namespaces/${steady.namespace}/services`
        const { metadata } = await plane.client.request<{ metadata: { resourceVersion: string } }>(
          'GET',
          path,
        )
        await steady.change('compact-new', true)
        await steady.change('compact-old', false)
        await plane.compact()
        // The API server's own memory of events would still serve an old version; a new process has none.
        await plane.killApiServer()
        await plane.startApiServer()
        await eventually('410 Gone', () => isGone(context, metadata.resourceVersion))
        proxy.restore()
        await steady.seen(server, 'compact-new', true, RETURN_DEADLINE_MS)
        await steady.seen(server, 'compact-old', false, RETURN_DEADLINE_MS)
      }),
  )
}

export const suite: Suite = {
  name: 'api server',
  async run(context) {
    const steady = await Steady.create(context, 'outage')
    await killAndReturn(context, steady, await context.serve(context.world.subject))
    await standStill(context, steady)
    const proxy = await TcpProxy.start(context.scope, context.world.plane.port)
    await cutOff(context, steady, proxy, await serveThrough(context, proxy))
  },
}
