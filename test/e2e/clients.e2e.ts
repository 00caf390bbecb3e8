// Real clients ask Seamark as Pods do, by /etc/resolv.conf with a cluster's search path and ndots:5: glibc in its ways of asking,
// musl, c-ares and Go's own resolver. And real resolvers in front of it, and behind it: Unbound, BIND, and CoreDNS as
// NodeLocal DNSCache is set up, over one connection.

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { query } from '../support/dns-client.ts'
import { programPath as systemProgram } from '../support/system-program.ts'
import type { KubeObject } from './api-client.ts'
import { startCaseUpstream } from './case-upstream.ts'
import { DnsServer } from './dns-server.ts'
import { service, slice } from './every-object.ts'
import { compiledLookup, goLookup, LOOKUP_FOLDER } from './lookup-programs.ts'
import { eventually, freePorts, Program } from './processes.ts'
import { type Context, holds, type Suite, same } from './suite.ts'

const run = promisify(execFile)
const NAMESPACE = 'clients'
const ZONE = `${NAMESPACE}.svc.cluster.local`
/** More addresses than 1232 octets hold. */
const MANY = Array.from({ length: 90 }, (_, i) => `10.244.77.${i + 1}`)
const CLIENT_TIMEOUT_MS = 60_000

const external = (name: string, externalName: string): KubeObject =>
  service(NAMESPACE, name, { type: 'ExternalName', externalName, ports: undefined })

const OBJECTS: readonly KubeObject[] = [
  service(NAMESPACE, 'web', { clusterIP: '10.96.12.1', clusterIPs: ['10.96.12.1'] }),
  service(NAMESPACE, 'dual', {
    clusterIP: '10.96.12.3',
    clusterIPs: ['10.96.12.3', 'fd00:10:96::c3'],
    ipFamilyPolicy: 'RequireDualStack',
  }),
  service(NAMESPACE, 'hl', { clusterIP: 'None' }),
  slice(
    NAMESPACE,
    'hl-1',
    'hl',
    [
      { addresses: ['10.244.76.1'], hostname: 'p0' },
      { addresses: ['10.244.76.2'], hostname: 'p1' },
    ],
    { ports: [{ name: 'http', port: 80 }] },
  ),
  service(NAMESPACE, 'many', { clusterIP: 'None' }),
  slice(
    NAMESPACE,
    'many-1',
    'many',
    MANY.map(address => ({ addresses: [address] })),
  ),
  external('ext', 'www.example.net'),
  external('gone', 'gone.example.net'),
  external('broken', 'broken.example.net'),
]

const UPSTREAM = [
  'www.example.net. 60 A 192.0.2.80',
  'db.example.net. 60 SRV 0 0 5432 db1.example.net.',
  'db1.example.net. 60 A 192.0.2.81',
  'broken.example.net. SERVFAIL',
]

/** The family and name of an ExternalName whose target fails. */
const BROKEN = `4 broken.${ZONE}.`

/** What every client of a Pod in the namespace gets: by FAMILY and NAME the addresses, or `none` or `again`. */
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  '4 web': ['10.96.12.1'],
  '4 web.clients': ['10.96.12.1'],
  [`4 web.${ZONE}`]: ['10.96.12.1'],
  '4 dual': ['10.96.12.3'],
  '6 dual': ['fd00:10:96::c3'],
  '4 hl': ['10.244.76.1', '10.244.76.2'],
  '4 p1.hl': ['10.244.76.2'],
  '4 many': MANY,
  '4 ext': ['192.0.2.80'],
  '4 www.example.net': ['192.0.2.80'],
  '4 nope': ['none'],
  '4 gone': ['none'],
  '6 web': ['none'],
  [BROKEN]: ['again'],
}
/** The same for those who ask for full names alone. */
const FULL_NAMES: Readonly<Record<string, readonly string[]>> = {
  [`4 web.${ZONE}`]: ['10.96.12.1'],
  [`6 dual.${ZONE}`]: ['fd00:10:96::c3'],
  [`6 web.${ZONE}`]: ['none'],
  [`4 many.${ZONE}`]: MANY,
  [`4 ext.${ZONE}`]: ['192.0.2.80'],
  [`4 nope.${ZONE}`]: ['none'],
  [`4 gone.${ZONE}`]: ['none'],
  [`4 broken.${ZONE}`]: ['again'],
  '4 www.example.net': ['192.0.2.80'],
}
const MORE: Readonly<Record<string, readonly string[]>> = {
  [`srv _http._tcp.hl.${ZONE}`]: [`p0.hl.${ZONE}:80`, `p1.hl.${ZONE}:80`],
  'ptr 10.96.12.1': [`web.${ZONE}`],
  'ptr 10.244.76.2': [`p1.hl.${ZONE}`],
}

/** What a client printed, in the same form. */
function readLines(output: string): Record<string, string[]> {
  const lines = output
    .trimEnd()
    .split('\n')
    .map(line => line.split(' '))
  return Object.fromEntries(
    lines.map(([kind = '', name = '', ...found]) => [
      `${kind} ${name}`,
      [...new Set(found.map(word => word.replace(/\.$/, '').replace('.:', ':')))].sort(),
    ]),
  )
}

const sorted = (table: Readonly<Record<string, readonly string[]>>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(table).map(([key, values]) => [key, [...values].sort()]))

class Clients {
  readonly #context: Context
  readonly #resolvConf: string
  readonly #folder: string

  constructor(context: Context) {
    this.#context = context
    this.#folder = context.scope.folder('clients')
    this.#resolvConf = join(this.#folder, 'resolv.conf')
    const search = `search ${ZONE} svc.cluster.local cluster.local`
    writeFileSync(this.#resolvConf, `nameserver 127.0.0.1\n${search}\noptions ndots:5\n`)
  }

  /** Checks that a client gets what the table says. */
  async check(
    name: string,
    command: readonly string[],
    table: Readonly<Record<string, readonly string[]>>,
    options = '',
  ): Promise<void> {
    await this.#context.check(name, async () => {
      const asked = Object.keys(table).flatMap(key => key.split(' '))
      const script = 'mount --bind "$0" "$(readlink -f /etc/resolv.conf)" && exec "$@"'
      const inside = ['--mount', 'sh', '-c', script, this.#resolvConf, ...command, ...asked]
      const env = { ...process.env, ...(options !== '' && { RES_OPTIONS: options }) }
      const { stdout } = await run('unshare', inside, { env, timeout: CLIENT_TIMEOUT_MS })
      const found = readLines(stdout)
      for (const [key, values] of Object.entries(sorted(table))) same(found[key], values, key)
    })
  }

  /** The lookup program in C by that compiler; undefined, and skipped loudly, where there is none. */
  async compiled(compiler: 'gcc' | 'musl-gcc', name: string): Promise<string | undefined> {
    const program = await compiledLookup(compiler, this.#folder)
    if (program === undefined) this.#context.skip(name, `${compiler} is not installed`)
    return program
  }

  built(): Promise<string> {
    return goLookup(this.#folder)
  }
}

async function askByClients(context: Context): Promise<void> {
  const clients = new Clients(context)
  const script = [process.execPath, join(LOOKUP_FOLDER, 'lookup.mjs')]
  const byGlibc = await clients.compiled('gcc', 'glibc')
  if (byGlibc !== undefined) {
    for (const way of ['', 'single-request', 'single-request-reopen', 'edns0'])
      await clients.check(`glibc${way && `, ${way}`}`, [byGlibc], ADDRESSES, way)
    // Over TCP glibc takes a failure for a name that is not there, whoever says it.
    await clients.check('glibc, use-vc', [byGlibc], { ...ADDRESSES, [BROKEN]: ['none'] }, 'use-vc')
  }
  const byMusl = await clients.compiled('musl-gcc', 'musl')
  if (byMusl !== undefined) {
    // Before 1.2.4 musl knows no TCP, and takes what a cut reply has.
    const { '4 many': _, ...table } = ADDRESSES
    await clients.check('musl', [byMusl], table)
  }
  await clients.check("Node by the C library's threads", [...script, 'libc'], ADDRESSES)
  // Node asks c-ares for names as they stand, without the search path.
  await clients.check('c-ares', [...script, 'cares'], { ...FULL_NAMES, ...MORE })
  await clients.check("Go's resolver", [await clients.built()], { ...ADDRESSES, ...MORE })
}

/** Questions to a resolver, and what it must say: a code and the data of the answer, sorted. */
const QUESTIONS: Readonly<Record<string, string>> = {
  [`web.${ZONE} A`]: 'NOERROR 10.96.12.1',
  [`dual.${ZONE} AAAA`]: 'NOERROR fd00:10:96::c3',
  [`web.${ZONE} AAAA`]: 'NOERROR',
  [`nope.${ZONE} A`]: 'NXDOMAIN',
  [`many.${ZONE} A`]: `NOERROR ${[...MANY].sort().join(' ')}`,
  [`_http._tcp.hl.${ZONE} SRV`]: `NOERROR 0 50 80 p0.hl.${ZONE}. 0 50 80 p1.hl.${ZONE}.`,
  [`ext.${ZONE} A`]: 'NOERROR 192.0.2.80 www.example.net.',
  [`broken.${ZONE} A`]: 'SERVFAIL',
  '1.12.96.10.in-addr.arpa PTR': `NOERROR web.${ZONE}.`,
  'www.example.net A': 'NOERROR 192.0.2.80',
  'gone.example.net A': 'NXDOMAIN',
  'broken.example.net A': 'SERVFAIL',
}

async function said(port: number, question: string): Promise<string> {
  const [name = '', type = 'A'] = question.split(' ')
  const reply = await query(port, { name, type, edns: { udpSize: 1232 }, timeoutMs: 10_000 })
  const whole = reply.flags.tc ? await query(port, { name, type, tcp: true }) : reply
  return [whole.rcode, ...whole.records.answer.map(({ data }) => data).sort()].join(' ')
}

/** Asks all questions, several at once, three times over. */
async function askAll(port: number, but: Readonly<Record<string, string>> = {}): Promise<void> {
  const table = Object.entries({ ...QUESTIONS, ...but })
  for (let times = 0; times < 3; times++) {
    const replies = await Promise.all(table.map(([question]) => said(port, question)))
    for (const [i, [question, wanted]] of table.entries()) same(replies[i], wanted, question)
  }
}

async function startProgram(
  context: Context,
  name: string,
  command: (folder: string) => readonly string[],
  port: number,
): Promise<void> {
  const folder = context.scope.folder(name)
  const program = Program.start(context.scope, folder, name, command(folder))
  await program.ready(() => query(port, { name: 'www.example.net', timeoutMs: 500 }), 20_000)
}

const unbound =
  (port: number, lines: string) =>
  (folder: string): readonly string[] => {
    const file = join(folder, 'unbound.conf')
    writeFileSync(
      file,
      `server:
  directory: "${folder}"
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  interface: 127.0.0.1@${port}
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  do-ip6: no
  module-config: "iterator"
  local-zone: "10.in-addr.arpa." nodefault
${lines}
`,
    )
    return [systemProgram('unbound')!, '-d', '-c', file]
  }

const bind =
  (port: number, options: string, zones = '') =>
  (folder: string): readonly string[] => {
    const file = join(folder, 'named.conf')
    writeFileSync(
      join(folder, 'example.zone'),
      '$TTL 60\n@ SOA ns hostmaster 1 7200 1800 86400 60\n@ NS ns\nns A 127.0.0.1\nwww A 192.0.2.80\ndb SRV 0 0 5432 db1\ndb1 A 192.0.2.81\n',
    )
    writeFileSync(
      file,
      `options {
  directory "${folder}";
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  dnssec-validation no;
  empty-zones-enable no;
  notify no;
  ${options}
};
controls { };
${zones}
`,
    )
    return [systemProgram('named')!, '-g', '-c', file]
  }

/** Resolvers in front: they ask Seamark, and their clients get what it says. */
async function askThroughResolvers(context: Context, server: DnsServer): Promise<void> {
  const [unboundPort, bindPort, localPort] = (await freePorts(3)) as [number, number, number]
  if (systemProgram('unbound') === undefined) context.skip('Unbound in front', 'unbound is not installed')
  else
    await context.check('Unbound in front', async () => {
      const lines = `forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@${server.port}`
      await startProgram(context, 'unbound', unbound(unboundPort, lines), unboundPort)
      await askAll(unboundPort)
    })
  if (systemProgram('named') === undefined) context.skip('BIND in front', 'named is not installed')
  else
    await context.check('BIND in front', async () => {
      const options = `forward only; forwarders { 127.0.0.1 port ${server.port}; };`
      await startProgram(context, 'named', bind(bindPort, options), bindPort)
      await askAll(bindPort)
    })
  await context.check("NodeLocal's cache in front, over TCP", async () => {
    const text = `. {\n  bind 127.0.0.1\n  errors\n  cache 30\n  forward . 127.0.0.1:${server.port} {\n    force_tcp\n  }\n}\n`
    await DnsServer.startText(context.scope, 'coredns', {
      folder: context.scope.folder('node-local'),
      text,
      port: localPort,
      env: process.env,
      sidePorts: server.sidePorts,
    })
    await eventually('an answer of the cache', () =>
      query(localPort, { name: 'www.example.net', timeoutMs: 500 }),
    )
    // The links of an alias that fails are passed on.
    await askAll(localPort, { [`broken.${ZONE} A`]: 'SERVFAIL broken.example.net.' })
  })
}

/** Resolvers behind: Seamark asks them for what is not the cluster's. */
async function askResolversBehind(context: Context): Promise<void> {
  const FORWARDED = {
    'www.example.net A': 'NOERROR 192.0.2.80',
    'gone.example.net A': 'NXDOMAIN',
    'db.example.net SRV': 'NOERROR 0 0 5432 db1.example.net.',
    [`ext.${ZONE} A`]: 'NOERROR 192.0.2.80 www.example.net.',
    [`gone.${ZONE} A`]: 'NXDOMAIN gone.example.net.',
    [`web.${ZONE} A`]: 'NOERROR 10.96.12.1',
  }
  const behind = async (name: string, port: number, besideSrv: readonly string[]): Promise<void> => {
    const server = await context.serve(context.world.subject, { upstreamPort: port })
    await eventually('the objects', async () =>
      (await said(server.port, `web.${ZONE} A`)).includes('10.96.12.1'),
    )
    for (const [question, wanted] of Object.entries(FORWARDED))
      same(await said(server.port, question), wanted, `${question} of ${name}`)
    const { records } = await query(server.port, {
      name: 'db.example.net',
      type: 'SRV',
      edns: { udpSize: 1232 },
    })
    same(
      records.additional.filter(({ type }) => type === 'A').map(({ data }) => data),
      besideSrv,
      'beside SRV',
    )
    await server.stop()
  }
  const [unboundPort, bindPort] = (await freePorts(2)) as [number, number]
  if (systemProgram('unbound') === undefined) context.skip('Unbound behind', 'unbound is not installed')
  else
    await context.check('Unbound behind', async () => {
      const lines = `  minimal-responses: no
  local-zone: "example.net." static
  local-data: "example.net. 60 SOA ns.example.net. hostmaster.example.net. 1 7200 1800 86400 60"
  local-data: "www.example.net. 60 A 192.0.2.80"
  local-data: "db.example.net. 60 SRV 0 0 5432 db1.example.net."
  local-data: "db1.example.net. 60 A 192.0.2.81"`
      await startProgram(context, 'unbound-behind', unbound(unboundPort, lines), unboundPort)
      // Unbound puts nothing beside data of its own.
      await behind('Unbound', unboundPort, [])
    })
  if (systemProgram('named') === undefined) context.skip('BIND behind', 'named is not installed')
  else
    await context.check('BIND behind', async () => {
      const zones = 'zone "example.net" { type primary; file "example.zone"; };'
      await startProgram(
        context,
        'named-behind',
        bind(bindPort, 'minimal-responses no; recursion no;', zones),
        bindPort,
      )
      await behind('BIND', bindPort, ['192.0.2.81'])
    })
}

async function askByDelv(context: Context, server: DnsServer): Promise<void> {
  if (systemProgram('delv') === undefined) {
    context.skip('delv', 'delv is not installed')
    return
  }
  await context.check('delv', async () => {
    const { stdout } = await run('delv', ['-i', '@127.0.0.1', '-p', `${server.port}`, `web.${ZONE}`, 'A'])
    holds(/^web\.\S+\s+\d+\s+IN\s+A\s+10\.96\.12\.1$/m.test(stdout), stdout)
  })
}

export const suite: Suite = {
  name: 'clients',
  async run(context) {
    const { plane, subject, inNamespaces } = context.world
    await plane.client.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }])
    await plane.client.apply(OBJECTS)
    const upstreamPort = await startCaseUpstream(context.scope, UPSTREAM)
    const options = {
      access: [`kubeconfig ${plane.kubeconfigFile}`],
      upstreamPort,
      ...(inNamespaces && { port: 53 }),
    }
    const server = await DnsServer.start(context.scope, subject, options)
    await eventually('the objects', async () => (await server.data(`many.${ZONE}`)).length > 20)
    if (inNamespaces) await askByClients(context)
    else context.skip('clients of the C library and Go', 'mount namespaces cannot be made on this machine')
    await askByDelv(context, server)
    await askThroughResolvers(context, server)
    await server.stop()
    await askResolversBehind(context)
    await Promise.all(
      OBJECTS.map(({ apiVersion, kind, metadata }) =>
        plane.client.delete({ apiVersion, kind, namespace: NAMESPACE, name: metadata.name }),
      ),
    )
  },
}
