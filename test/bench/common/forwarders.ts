// dnsdist and Unbound as forwarders, one thread each: what a forward costs where somebody wrote it in C++ or C. Beside them the
// upstream of the rows about forwards: Knot with a wildcard, and dnsdist where it has to speak TLS.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, Program, type Scope } from '../../e2e/processes.ts'
import type { Certificate } from '../../support/certificates.ts'
import { query } from '../../support/dns-client.ts'
import { startKnot } from './knot.ts'
import type { Subject } from './servers.ts'

const READY_DEADLINE_MS = 30_000
/** Responses that they may keep, as many as `cache` does. */
const CACHED = 9984
const CACHED_SECONDS = 30
const ADDRESSES = ['192.0.2.53', '2001:db8::35']
/** The certificate is for this name. */
export const UPSTREAM_NAME = 'localhost'

/** How a forwarder reaches the upstream. */
export interface Forwarding {
  readonly upstreamPort: number
  readonly transport: 'udp' | 'tcp' | 'tls'
  /** False: nothing is kept. */
  readonly cache: boolean
  /** The authority of the upstream's certificate, in PEM. */
  readonly ca: string
}

/** dnsdist's configuration. */
export function dnsdistConf(port: number, { upstreamPort, transport, cache }: Forwarding): string {
  const how = {
    udp: '',
    tcp: ', tcpOnly=true',
    tls: `, tls='openssl', subjectName='${UPSTREAM_NAME}', validateCertificates=false`,
  }
  return [
    `setLocal('127.0.0.1:${port}')`,
    "setSecurityPollSuffix('')",
    'setMaxUDPOutstanding(65535)',
    `newServer({address='127.0.0.1:${upstreamPort}'${how[transport]}})`,
    'getServer(0):setUp()',
    ...(cache ? [`getPool(''):setCache(newPacketCache(${CACHED}, {maxTTL=${CACHED_SECONDS}}))`] : []),
    '',
  ].join('\n')
}

/** Unbound's configuration; everything it needs lies in the folder. */
export function unboundConf(
  folder: string,
  port: number,
  { upstreamPort, transport, cache }: Forwarding,
): string {
  const to = `127.0.0.1@${upstreamPort}${transport === 'tls' ? `#${UPSTREAM_NAME}` : ''}`
  return [
    'server:',
    `  interface: 127.0.0.1@${port}`,
    '  num-threads: 1',
    '  username: ""',
    '  chroot: ""',
    `  directory: "${folder}"`,
    '  pidfile: ""',
    '  use-syslog: no',
    '  do-daemonize: no',
    '  do-ip6: no',
    '  module-config: "iterator"',
    '  do-not-query-localhost: no',
    '  outgoing-range: 4096',
    '  num-queries-per-thread: 2048',
    '  outgoing-num-tcp: 256',
    `  cache-max-ttl: ${cache ? CACHED_SECONDS : 0}`,
    `  tcp-upstream: ${transport === 'tcp' ? 'yes' : 'no'}`,
    `  tls-cert-bundle: "${join(folder, 'ca.pem')}"`,
    'remote-control:',
    '  control-enable: no',
    'forward-zone:',
    '  name: "."',
    `  forward-addr: ${to}`,
    `  forward-tls-upstream: ${transport === 'tls' ? 'yes' : 'no'}`,
    '',
  ].join('\n')
}

/** Starts one of them and waits until it forwards. @param core - `taskset -c` of it */
export async function startForwarder(
  scope: Scope,
  id: 'dnsdist' | 'unbound',
  path: string,
  core: string,
  forwarding: Forwarding,
): Promise<Subject> {
  const folder = scope.folder(id)
  const [port] = (await freePorts(1)) as [number]
  const file = join(folder, `${id}.conf`)
  writeFileSync(join(folder, 'ca.pem'), forwarding.ca)
  writeFileSync(
    file,
    id === 'dnsdist' ? dnsdistConf(port, forwarding) : unboundConf(folder, port, forwarding),
  )
  const words = id === 'dnsdist' ? ['--supervised', '--disable-syslog', '-C', file] : ['-d', '-c', file]
  const program = Program.start(scope, folder, id, ['taskset', '-c', core, path, ...words], {
    endSignal: 'SIGKILL',
  })
  await program.ready(() => answers(port), READY_DEADLINE_MS)
  return { id, port, program, dns: undefined }
}

async function answers(port: number): Promise<boolean> {
  const reply = await query(port, { name: 'ready.example.org', timeoutMs: 500 })
  return reply.rcode === 'NOERROR' && reply.answer.length > 0
}

/** Starts an upstream that knows every name below example.org, over UDP and TCP, and gives its port. */
export async function startWildcard(scope: Scope, knotd: string, core: string): Promise<number> {
  return (await startKnot(scope, knotd, core, [])).port
}

/** Starts an upstream that knows every name, over TLS, and gives its port. */
export async function startTlsUpstream(
  scope: Scope,
  path: string,
  core: string,
  certificate: Certificate,
): Promise<number> {
  const folder = scope.folder('tls-upstream')
  const [port, plain] = (await freePorts(2)) as [number, number]
  writeFileSync(join(folder, 'cert.pem'), certificate.cert)
  writeFileSync(join(folder, 'key.pem'), certificate.key)
  const conf = [
    `setLocal('127.0.0.1:${plain}')`,
    "setSecurityPollSuffix('')",
    'setMaxTCPClientThreads(1)',
    `addTLSLocal('127.0.0.1:${port}', '${join(folder, 'cert.pem')}', '${join(folder, 'key.pem')}')`,
    `addAction(AllRule(), SpoofAction({${ADDRESSES.map(address => `'${address}'`).join(', ')}}, {ttl=${CACHED_SECONDS}}))`,
    '',
  ].join('\n')
  writeFileSync(join(folder, 'dnsdist.conf'), conf)
  const words = ['--supervised', '--disable-syslog', '-C', join(folder, 'dnsdist.conf')]
  const command = ['taskset', '-c', core, path, ...words]
  const program = Program.start(scope, folder, 'tls-upstream', command, { endSignal: 'SIGKILL' })
  await program.ready(() => answers(plain), READY_DEADLINE_MS)
  return port
}
