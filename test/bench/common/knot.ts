// Knot with the same records out of zone files: the yardstick for the machine and for the transport. It does what a server
// written in C for this alone does, has no metrics and forwards nothing; names beyond the cluster are a zone of its own.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, Program, type Scope } from '../../e2e/processes.ts'
import { query } from '../../support/dns-client.ts'
import { writeKnotConf } from '../../support/knot.ts'
import type { ServiceShape } from './cluster.ts'

const READY_DEADLINE_MS = 30_000
const TTL_SECONDS = 30

const head = (apex: string): string[] => [
  `${apex}. SOA ns.${apex}. h.${apex}. 1 7200 1800 86400 30`,
  `${apex}. NS ns.${apex}.`,
]

/** The records of the cluster's zone, as the Kubernetes DNS specification has them. */
export function clusterZone(services: readonly ServiceShape[]): string {
  const lines = [`$TTL ${TTL_SECONDS}`, ...head('cluster.local')]
  for (const { fqdn, clusterIp, endpoints } of services) {
    if (clusterIp) {
      lines.push(`${fqdn}. A ${clusterIp}`, `_http._tcp.${fqdn}. SRV 0 100 80 ${fqdn}.`)
      continue
    }
    for (const address of endpoints) {
      const target = `${address.replaceAll('.', '-')}.${fqdn}.`
      lines.push(
        `${fqdn}. A ${address}`,
        `${target} A ${address}`,
        `_http._tcp.${fqdn}. SRV 0 10 8080 ${target}`,
      )
    }
  }
  return `${lines.join('\n')}\n`
}

/** The zone beyond the cluster: every name has an address of either family. */
const externalZone = (): string =>
  [
    `$TTL ${TTL_SECONDS}`,
    ...head('example.org'),
    '*.example.org. A 192.0.2.53',
    '*.example.org. AAAA 2001:db8::35',
    '',
  ].join('\n')

/** A started Knot. */
export interface Knot {
  readonly port: number
  readonly program: Program
}

/**
 * Starts Knot with one worker for each transport and waits until it answers.
 * @param path - knotd
 * @param core - `taskset -c` of the server
 */
export async function startKnot(
  scope: Scope,
  path: string,
  core: string,
  services: readonly ServiceShape[],
): Promise<Knot> {
  const folder = scope.folder('knot')
  const [port] = (await freePorts(1)) as [number]
  writeFileSync(join(folder, 'cluster.zone'), clusterZone(services))
  writeFileSync(join(folder, 'external.zone'), externalZone())
  const zone = (domain: string, file: string): string[] => [
    `  - domain: ${domain}`,
    `    storage: ${folder}`,
    `    file: ${file}`,
    '    semantic-checks: off',
  ]
  const conf = writeKnotConf(folder, port, {
    server: ['udp-workers: 1', 'tcp-workers: 1', 'background-workers: 1'],
    rest: ['zone:', ...zone('cluster.local', 'cluster.zone'), ...zone('example.org', 'external.zone')],
  })
  const program = Program.start(scope, folder, 'knot', ['taskset', '-c', core, path, '-c', conf])
  const isReady = async (): Promise<boolean> =>
    (await query(port, { name: 'cluster.local', type: 'SOA', timeoutMs: 200 })).rcode === 'NOERROR'
  await program.ready(isReady, READY_DEADLINE_MS)
  return { port, program }
}
