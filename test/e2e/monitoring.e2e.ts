// The rules and the dashboard of the chart, and what the monitoring of CoreDNS at large asks for, on a real Prometheus that scrapes
// a real Seamark, and beside it CoreDNS: whatever it finds of CoreDNS it finds of Seamark, with the same labels. The rules are
// unit-tested by promtool.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import type { KubeObject } from './api-client.ts'
import { startCaseUpstream } from './case-upstream.ts'
import { DnsServer } from './dns-server.ts'
import { CHART } from './helm.ts'
import { eventually, freePorts } from './processes.ts'
import { isBuilt, programPath } from './programs.ts'
import { Prometheus, type Series } from './prometheus.ts'
import { type Context, holds, type Suite, same } from './suite.ts'

const run = promisify(execFile)
const RULES = join(CHART, 'monitoring', 'rules.yaml')
const DASHBOARD = join(CHART, 'monitoring', 'dashboard.json')
const FACTS = join(import.meta.dirname, 'monitoring', 'ecosystem.yaml')
const RULES_TEST = join(import.meta.dirname, 'monitoring', 'rules.test.yaml')
/** Rates need samples on both ends, one a second; the first ones of a series count for nothing. */
const SCRAPED_DEADLINE_MS = 60_000
const READY_DEADLINE_MS = 30_000

/** One expression of the facts. */
interface Fact {
  readonly expr: string
  readonly coredns?: string
  readonly seamark?: string
}

interface RuleFile {
  readonly groups: readonly {
    readonly name: string
    readonly rules: readonly { readonly alert?: string; readonly record?: string; readonly expr: string }[]
  }[]
}

const facts = (): { source: string; expressions: Fact[] }[] =>
  (parse(readFileSync(FACTS, 'utf8')) as { source: string; expressions: (string | Fact)[] }[]).map(
    ({ source, expressions }) => ({
      source,
      expressions: expressions.map(each => (typeof each === 'string' ? { expr: each } : each)),
    }),
  )

async function checkRules(context: Context): Promise<void> {
  const promtool = (...args: string[]): Promise<unknown> => run(programPath('promtool'), args)
  await context.check('promtool: the rules are rules', () =>
    promtool('check', 'rules', RULES).then(() => undefined),
  )
  await context.check('promtool: each alert fires on what it is about', () =>
    promtool('test', 'rules', RULES_TEST).then(() => undefined),
  )
  await context.check('each alert is tested to fire, and to be silent', () => {
    const text = readFileSync(RULES_TEST, 'utf8')
    for (const { alert } of (parse(readFileSync(RULES, 'utf8')) as RuleFile).groups.flatMap(
      ({ rules }) => rules,
    )) {
      if (alert === undefined) continue
      const tested = (
        parse(text) as { tests: { alert_rule_test?: { alertname: string; exp_alerts: unknown[] }[] }[] }
      ).tests
        .flatMap(test => test.alert_rule_test ?? [])
        .filter(({ alertname }) => alertname === alert)
        .map(({ exp_alerts }) => exp_alerts.length > 0)
      same([tested.includes(true), tested.includes(false)], [true, true], alert)
    }
  })
}

/** What the upstream knows. */
const UPSTREAM = ['www.example.net. 60 A 192.0.2.80', 'broken.example.net. SERVFAIL']

/** Questions whose answers every panel has something of: codes, transports, DO, the cache, upstreams that are down. */
async function askEverything(server: DnsServer): Promise<void> {
  const asked = [
    ['kubernetes.default.svc.cluster.local', 'A'],
    ['_https._tcp.kubernetes.default.svc.cluster.local', 'SRV'],
    ['missing.default.svc.cluster.local', 'AAAA'],
    ['www.example.net', 'A'],
    ['www.example.net', 'A'],
    ['missing.example.net', 'A'],
    ['broken.example.net', 'A'],
    ['www.down.example', 'A'],
  ] as const
  for (const [name, type] of asked)
    for (const options of [{}, { tcp: true }, { edns: { udpSize: 1232, dnssecOk: true } }])
      await server.ask(name, type, { ...options, timeoutMs: 10_000 })
}

/** Starts a server of either kind with everything on that panels tell of, and an upstream that nobody is behind. */
async function start(
  context: Context,
  kind: 'coredns' | 'seamark',
  upstream: number,
  down: number,
): Promise<DnsServer> {
  const [port, ready, health, metrics] = (await freePorts(4)) as [number, number, number, number]
  const folder = context.scope.folder(kind)
  const own = kind === 'seamark' ? `\n        snapshot ${join(folder, 'snapshot')}` : ''
  const text = `down.example {
    bind 127.0.0.1
    errors
    prometheus 127.0.0.1:${metrics}
    forward . 127.0.0.1:${down}
}
. {
    bind 127.0.0.1
    errors
    health 127.0.0.1:${health}
    ready 127.0.0.1:${ready}
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig ${context.world.plane.kubeconfigFile}
        pods insecure
        fallthrough in-addr.arpa ip6.arpa${own}
    }
    prometheus 127.0.0.1:${metrics}
    forward . 127.0.0.1:${upstream} {
        max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
`
  const sidePorts = { ready, health, metrics }
  const server = await DnsServer.startText(context.scope, kind, {
    folder,
    text,
    port,
    env: process.env,
    sidePorts,
  })
  await server.program.ready(
    async () =>
      (await server.isReady()) && (await server.ask('kubernetes.default.svc.cluster.local')).flags.qr,
    READY_DEADLINE_MS,
  )
  return server
}

const NAMESPACE = 'monitored'
/** A headless Service whose Pod comes while the servers watch: the time until its name is known is measured. */
const CHANGE: readonly KubeObject[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'headless', namespace: NAMESPACE },
    spec: { clusterIP: 'None', selector: { app: 'headless' }, ports: [{ name: 'http', port: 80 }] },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'headless', namespace: NAMESPACE, labels: { app: 'headless' } },
    spec: { containers: [{ name: 'web', image: 'web' }] },
  },
]

const withSelector = (expr: string, job: string, proto = 'udp'): string =>
  expr
    .replaceAll('SELECTOR', `job="${job}",instance=~".*"`)
    .replaceAll('RANGE', '1m')
    .replaceAll('PROTO', proto)

const labelsOf = (series: readonly Series[]): string[] =>
  [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))].sort()

async function checkFacts(context: Context, prometheus: Prometheus): Promise<void> {
  for (const { source, expressions } of facts())
    await context.check(`found as of CoreDNS: ${source}`, async () => {
      const faults: string[] = []
      for (const { expr, coredns, seamark } of expressions)
        for (const proto of expr.includes('PROTO') ? ['udp', 'tcp'] : ['udp']) {
          const [theirs, ours] = await Promise.all([
            prometheus.query(withSelector(expr, 'coredns', proto)),
            prometheus.query(withSelector(expr, 'seamark', proto)),
          ])
          if (theirs.length > 0 !== (coredns === undefined))
            faults.push(`of CoreDNS ${theirs.length}: ${expr}`)
          if (ours.length > 0 !== (seamark === undefined)) faults.push(`of Seamark ${ours.length}: ${expr}`)
          if (seamark !== undefined) continue
          const missing = labelsOf(theirs).filter(label => !labelsOf(ours).includes(label))
          if (missing.length > 0) faults.push(`without ${missing.join(', ')}: ${expr}`)
        }
      holds(faults.length === 0, faults.join('\n'))
    })
}

/** Counted from the first time on, and nothing of the kind has happened here. */
const NOT_YET: readonly string[] = ['SeamarkWatchBreaks']

async function checkOwn(context: Context, prometheus: Prometheus): Promise<void> {
  await context.check('each expression of the rules is about something that Seamark has', async () => {
    const { groups } = parse(readFileSync(RULES, 'utf8')) as RuleFile
    for (const { alert, record, expr } of groups.flatMap(({ rules }) => rules)) {
      // Without what an alert compares with; of absent(), what is absent.
      const value = expr.replace(/^absent\((.*)\)$/, '$1').replace(/\s+(?:==|>) [\d.]+/g, '')
      const found = await prometheus.query(value)
      holds(found.length > 0 || NOT_YET.includes(alert ?? ''), `${alert ?? record}: nothing: ${value}`)
    }
  })
  await context.check('each expression of the dashboard gives something', async () => {
    const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as {
      panels: { title: string; targets?: { expr: string }[] }[]
    }
    const faults: string[] = []
    for (const { title, targets = [] } of panels) {
      const found: Series[] = []
      for (const { expr } of targets)
        found.push(
          ...(await prometheus.query(
            expr
              .replaceAll('$job', 'seamark')
              .replaceAll('$instance', '.*')
              .replaceAll('$__rate_interval', '1m'),
          )),
        )
      if (targets.length > 0 && found.length === 0) faults.push(title)
    }
    holds(faults.length === 0, `nothing in ${faults.join(', ')}`)
  })
}

export const suite: Suite = {
  name: 'monitoring',
  async run(context) {
    if (context.world.subject !== 'seamark') return context.skip('monitoring', 'it is Seamark’s')
    if (!isBuilt('prometheus') || !isBuilt('promtool'))
      return context.skip('monitoring', 'prometheus and promtool are not built')
    await checkRules(context)
    const { client } = context.world.plane
    const [down] = (await freePorts(1)) as [number]
    const upstream = await startCaseUpstream(context.scope, UPSTREAM)
    const [coredns, seamark] = await Promise.all([
      start(context, 'coredns', upstream, down),
      start(context, 'seamark', upstream, down),
    ])
    const prometheus = await Prometheus.start(
      context.scope,
      [
        { job: 'coredns', port: coredns.sidePorts.metrics },
        { job: 'seamark', port: seamark.sidePorts.metrics },
      ],
      RULES,
    )
    for (const job of ['coredns', 'seamark'])
      await eventually(
        `${job} scraped`,
        async () => (await prometheus.query(`up{job="${job}"} == 1`)).length > 0,
        SCRAPED_DEADLINE_MS,
      )
    await client.apply(CHANGE)
    context.scope.add('monitored', () =>
      client.delete({ apiVersion: 'v1', kind: 'Namespace', name: NAMESPACE }),
    )
    await eventually(
      'rates of both',
      async () => {
        await Promise.all([askEverything(coredns), askEverything(seamark)])
        const counted = await prometheus.query(
          'sum by (job) (rate(coredns_forward_responses_total[1m])) > 0 and on (job) coredns_kubernetes_dns_programming_duration_seconds_count > 0 and on (job) rate(coredns_dns_responses_total{rcode="SERVFAIL"}[1m]) > 0',
        )
        return counted.length === 2
      },
      SCRAPED_DEADLINE_MS,
      1000,
    )
    await checkFacts(context, prometheus)
    await checkOwn(context, prometheus)
  },
}
