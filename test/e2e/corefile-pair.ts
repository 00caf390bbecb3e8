// Both servers on one case: started on the same text, asked the same questions one after another, their metrics and logs
// held against one another afterwards.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeAuthority } from '../support/certificates.ts'
import { NoAnswer } from '../support/dns-client.ts'
import { checkPrometheusText } from '../support/prometheus-text.ts'
import type { CorefileCase } from './corefile-case.ts'
import { DnsServer, type ServerKind } from './dns-server.ts'
import { eventually, freePorts, type Scope } from './processes.ts'

/** What one server made of a case: what was counted and logged while the questions were asked. */
export interface Trace {
  /** Name and labels of every sample, the server's port hidden, and its value. */
  readonly metrics: ReadonlyMap<string, number>
  /** What was added to the samples of COUNTED. */
  readonly added: ReadonlyMap<string, number>
  readonly log: readonly string[]
}

const authority = makeAuthority()
const certificate = authority.issue('dns')
/** What every case finds in its folder. */
const CERTIFICATES = [
  ['ca.pem', authority.cert],
  ['cert.pem', certificate.cert],
  ['key.pem', certificate.key],
] as const

/** Families whose values must agree, too: they count queries and nothing that depends on time or threads. */
const COUNTED =
  /^coredns_(?:dns_(?:requests|responses|do_requests|https_responses)_total|template_\w+_total|acl_\w+_total|autopath_success_total|dns64_\w+_total|local_localhost_requests_total|hosts_entries)\b/
/** Families that tell about the process or its connections and not about queries. */
const OF_THE_PROCESS =
  /^coredns_(?:build_info|kubernetes_rest_client_\w+|kubernetes_dns_programming_\w+|proxy_conn_cache_\w+|reload_version_info|health_request_\w+)\b/
/** Lines of `log` in its common format, and of `errors`. */
const COMPARED_LINES = /^\[INFO\] (?:127\.0\.0\.\d|\[::1\]|"|log:)|plugin\/errors:/

/** One server on one case. */
export class CaseServer {
  readonly server: DnsServer
  readonly #before: ReadonlyMap<string, number>
  readonly #logFrom: number

  private constructor(server: DnsServer, before: ReadonlyMap<string, number>) {
    this.server = server
    this.#before = before
    this.#logFrom = server.program.log().length
  }

  /** Starts a server and waits until it answers a first question, which is not counted below. */
  static async start(
    scope: Scope,
    kind: ServerKind,
    { corefile, files, questions, name }: CorefileCase,
    environment: Readonly<Record<string, string>>,
  ): Promise<CaseServer> {
    const folder = join(scope.folder(kind), name)
    mkdirSync(folder, { recursive: true })
    for (const [file, text] of [...CERTIFICATES, ...files]) writeFileSync(join(folder, file), text)
    const [port, metrics, ready, health, tls, https] = (await freePorts(6)) as [
      number, number, number, number, number, number,
    ] // biome-ignore format: six ports
    const env = {
      ...process.env,
      ...environment,
      FOLDER: folder,
      METRICS: `${metrics}`,
      READY: `${ready}`,
      HEALTH: `${health}`,
      TLS: `${tls}`,
      HTTPS: `${https}`,
    }
    const sidePorts = { ready, health, metrics, tls, https }
    const server = await DnsServer.startText(scope, kind, { folder, text: corefile, port, env, sidePorts })
    await server.program.ready(() => answers(server, questions[0]!.name), 30_000)
    return new CaseServer(server, corefile.includes('prometheus') ? await settledSamples(server) : new Map())
  }

  /** What was counted and logged since the start. */
  async trace(): Promise<Trace> {
    const after = this.#before.size > 0 ? await settledSamples(this.server) : new Map<string, number>()
    const compared = [...after].filter(([key]) => key.startsWith('coredns_') && !OF_THE_PROCESS.test(key))
    const added = compared
      .filter(([key]) => COUNTED.test(key))
      .map(([key, value]) => [key, value - (this.#before.get(key) ?? 0)] as const)
    return {
      metrics: new Map(compared),
      added: new Map(added.filter(([, value]) => value > 0)),
      log: this.server.program
        .log()
        .slice(this.#logFrom)
        .split('\n')
        .filter(line => COMPARED_LINES.test(line))
        .map(comparableLine)
        .sort(),
    }
  }
}

/** Any answer at all, after /ready where there is one. */
async function answers(server: DnsServer, name: string): Promise<boolean> {
  try {
    return (await server.ask(name, 'TYPE65280', { timeoutMs: 1000 })).flags.qr
  } catch (error) {
    if (error instanceof NoAnswer) return false
    throw error
  }
}

/**
 * The samples once they stand still: CoreDNS counts a query after it has answered, and a server may answer on one thread
 * while another is not there yet.
 */
function settledSamples(server: DnsServer): Promise<Map<string, number>> {
  let before = ''
  return eventually('metrics that stand still', async () => {
    const found = await samples(server)
    const counted = JSON.stringify([...found].filter(([key]) => COUNTED.test(key)))
    const settled =
      counted === before && [...found.keys()].some(key => key.startsWith('coredns_plugin_enabled{'))
    before = counted
    return settled && found
  })
}

/** Every sample but the buckets of histograms, by name and labels. */
async function samples(server: DnsServer): Promise<Map<string, number>> {
  const { families } = checkPrometheusText(await server.metrics())
  const all = [...families.values()].flatMap(family => family.samples)
  const shown = all.filter(({ name }) => !/_(?:bucket|sum)$/.test(name))
  const sums = new Map<string, number>()
  for (const { name, labels, value } of shown) {
    const key = sampleKey(server, name, labels)
    sums.set(key, (sums.get(key) ?? 0) + value)
  }
  return sums
}

function sampleKey(
  { port, sidePorts }: DnsServer,
  name: string,
  labels: Readonly<Record<string, string>>,
): string {
  // CoreDNS 1.14.7 takes the first plugin behind prometheus for the writer of every reply; here it is the one that wrote.
  const shown = Object.entries(labels).filter(([label]) => label !== 'plugin')
  const pairs = shown.map(([label, value]) => `${label}="${value}"`)
  const ports = [port, sidePorts.tls, sidePorts.https].join('|')
  return `${name}{${pairs.sort().join(',')}}`.replace(new RegExp(`:(?:${ports})"`, 'g'), ':PORT"')
}

/** A line without ports, ids and durations, and without the flags that FORWARDED_DIFFERENCES is about. */
const comparableLine = (line: string): string =>
  line
    .replace(/(127\.0\.0\.\d|\[::1\]):\d+/g, '$1:PORT')
    .replace(/ - \d+ "/, ' - ID "')
    .replace(/ [\d.]+(?:µs|ms|s)$/, ' TIME')
    .replace(/ qr,\S*\bra\b\S*/, flags => flags.replace(/,(?:aa|cd)\b/g, ''))
