// `npm run bench:hostile`: the same attacks on Seamark and on CoreDNS, each in the memory of a Pod (170 MiB) where a group can be
// made, while another client asks: who lives, what it took, and what the other client got. Writes results-hostile.md. Exit status:
// 0, 1 Seamark did not live, 69 (EX_UNAVAILABLE) CoreDNS is not built here.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { programPath } from '../e2e/programs.ts'
import { buildBundle } from '../packaging/bundle.ts'
import { limitMemory } from '../support/cgroup-limit.ts'
import { runs } from '../support/child-process.ts'
import { query } from '../support/dns-client.ts'
import { FakeApiServer } from '../support/fake-api-server.ts'
import { namespace, service, slice } from '../support/fake-objects.ts'
import { fileMib, peakMib } from '../support/process-stat.ts'
import { type Place, placeIn } from '../support/served-corefile.ts'
import { answerAll, nameOf, UpstreamStub } from '../support/upstream-stub.ts'
import { imageCommand } from './common/image.ts'
import { machineLines } from './common/machine.ts'
import { ATTACKS, type Attack, LARGE, LARGE_ENDPOINTS, SMALL } from './hostile/attacks.ts'

const RESULTS = join(import.meta.dirname, 'results-hostile.md')
const EX_UNAVAILABLE = 69
const POD_MIB = 170
/** The other client: a question every so often, each waited for so long. */
const EVERY_MS = 100
const PATIENCE_MS = 1000
const SUBJECTS = ['Seamark', 'CoreDNS'] as const

type Subject = (typeof SUBJECTS)[number]

interface Row {
  readonly lives: boolean
  readonly peak: number
  readonly asked: number
  readonly answered: number
  readonly longestMs: number
}

/** A cluster with a Service, a large headless one and one whose slice the attack writes. */
async function startCluster(): Promise<FakeApiServer> {
  const api = new FakeApiServer()
  const { cluster } = api
  cluster.apply('namespaces', namespace('default'))
  cluster.apply('services', service('default', 'web'))
  const none = { clusterIP: 'None', clusterIPs: ['None'] }
  for (const name of ['large', 'equal']) cluster.apply('services', service('default', name, none))
  const addresses = Array.from({ length: LARGE_ENDPOINTS }, (_, i) => `10.1.${i >> 8}.${i & 255}`)
  for (let at = 0; at < addresses.length; at += 1000)
    cluster.apply('endpointslices', slice('default', `large-${at}`, 'large', addresses.slice(at, at + 1000)))
  await api.listen()
  return api
}

/** Asks until it is told to stop. */
function otherClient({ ports, get }: Place, asks: Attack['asks']) {
  const seen = { asked: 0, answered: 0, longestMs: 0 }
  let ended = false
  const once = async (): Promise<boolean> => {
    if (asks === 'health')
      return (await within(PATIENCE_MS, get('health', '/health')))?.startsWith('200') ?? false
    const question = { name: SMALL, localAddress: '127.0.0.9', timeoutMs: PATIENCE_MS }
    return (await query(ports.dns, question).catch(() => undefined))?.rcode === 'NOERROR'
  }
  const asking = (async () => {
    while (!ended) {
      const fromMs = performance.now()
      seen.asked++
      if (await once()) {
        seen.answered++
        seen.longestMs = Math.max(seen.longestMs, performance.now() - fromMs)
      }
      await after(EVERY_MS)
    }
  })()
  return async () => {
    ended = true
    await asking
    return seen
  }
}

const within = (ms: number, done: Promise<string>): Promise<string | undefined> =>
  Promise.race([done.catch(() => undefined), after(ms, undefined)])

async function measure(folder: string, subject: Subject, attack: Attack, bundle: string): Promise<Row> {
  const api = await startCluster()
  const upstream = await UpstreamStub.start((asked, back) => {
    if (!nameOf(asked).endsWith('.silent.test.')) answerAll(asked, back)
  })
  const limit = limitMemory(POD_MIB)
  const { words, env } = imageCommand(bundle)
  const settings = Object.entries(env).map(setting => setting.join('='))
  const command = subject === 'CoreDNS' ? [programPath('coredns')] : ['env', ...settings, ...words]
  mkdirSync(folder, { recursive: true })
  const place = await placeIn(
    folder,
    ({ dns, health }) =>
      `.:${dns} {\n bind 127.0.0.1\n errors\n health 127.0.0.1:${health}\n kubernetes cluster.local {\n endpoint ${api.url}\n }\n forward . ${upstream.to}\n}\n`,
  )
  const server = await place.start({ until: 'answer', wrap: () => [...(limit?.words ?? []), ...command] })
  const { dns, health } = place.ports
  while ((await query(dns, { name: LARGE, tcp: true })).answer.length < LARGE_ENDPOINTS) await after(EVERY_MS)
  const sockets: Socket[] = []
  const stop = otherClient(place, attack.asks)
  await attack.run({ dns, health, api }, sockets)
  const lives = runs(server.child)
  const peak = lives ? peakMib(server.child.pid!) - fileMib(server.child.pid!) : Number.NaN
  const seen = await stop()
  for (const socket of sockets) socket.destroy()
  await server.stop('SIGKILL')
  limit?.remove()
  await upstream.pause()
  await api.close()
  return { lives, peak, ...seen }
}

function report(rows: readonly (readonly [Attack, readonly Row[]])[], isLimited: boolean): string {
  const cells = ({ lives, peak, asked, answered, longestMs }: Row): string =>
    `${lives ? 'lives' : '**ended**'} | ${lives ? peak.toFixed(0) : '–'} | ${answered} of ${asked} | ${longestMs.toFixed(0)}`
  const head = SUBJECTS.map(name => `${name} | MiB at most | others answered | longest, ms`).join(' | ')
  const table = [
    `| attack | ${head} |`,
    `| --- |${' --- |'.repeat(4 * SUBJECTS.length)}`,
    ...rows.map(([{ title }, each]) => `| ${title} | ${each.map(cells).join(' | ')} |`),
  ]
  return `# Who lives: hostile clients and objects

${machineLines().join('\n')}
${isLimited ? `Each server in a memory group of ${POD_MIB} MiB, the limit of the stock manifest` : 'No memory group could be made: the servers had the memory of the machine'};
the same Corefile for both (\`kubernetes\` on the fake API server, \`forward\` to an upstream that is silent about some names), a
new process for each attack. Another client asks every ${EVERY_MS} ms for a Service over UDP (or for \`/health\`) and waits a
second for each answer. Attackers, clients and server share the processors, which had other work besides: times are for one column
beside the other. Resident memory is counted without the pages of the program file.

${table.join('\n')}
`
}

if (!existsSync(programPath('coredns'))) {
  console.log(`CoreDNS is not built here: ${programPath('coredns')} is made by npm run test:e2e`)
  process.exit(EX_UNAVAILABLE)
}
const folder = mkdtempSync(join(tmpdir(), 'seamark-hostile-'))
const bundle = join(folder, 'bundle')
await buildBundle(bundle)
const trial = limitMemory(POD_MIB)
trial?.remove()
const rows: (readonly [Attack, readonly Row[]])[] = []
for (const [i, attack] of ATTACKS.entries()) {
  const each: Row[] = []
  for (const subject of SUBJECTS) {
    each.push(await measure(join(folder, `${i}-${subject}`), subject, attack, bundle))
    console.log(`${attack.title}: ${subject} ${JSON.stringify(each.at(-1))}`)
  }
  rows.push([attack, each])
}
rmSync(folder, { recursive: true })
writeFileSync(RESULTS, report(rows, trial !== undefined))
console.log(`written to ${RESULTS}`)
process.exit(rows.every(([, [seamark]]) => seamark!.lives) ? 0 : 1)
