// What the listeners alone cost: CPU time of the server process per query, with a canned answer in place of the table.
// Run: node test/bench/listen.ts [KIND…] [seconds=4] [rounds=3], with KIND udp-batch, udp-dgram, tcp or knot (an
// orientation, where knotd is installed). Needs dnsperf and taskset; server and load are pinned to a core each, as
// CPU time is comparable between noisy machines and queries per second are not.

import type { ListenResult } from '../../src/listen/listener.ts'
import { PARKED, type Responder } from '../../src/listen/responder.ts'
import { StreamMemory } from '../../src/listen/stream-memory.ts'
import { listenTcp } from '../../src/listen/tcp.ts'
import { listenUdp } from '../../src/listen/udp.ts'
import { listenUdpDgram } from '../../src/listen/udp-dgram.ts'
import { Packet } from '../../src/query/packet.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { eventually, Program, Scope } from '../e2e/processes.ts'
import { cpuUs } from '../support/process-stat.ts'
import { programPath } from '../support/system-program.ts'
import { shapes } from './common/cluster.ts'
import { type Cores, readCores } from './common/cores.ts'
import { dnsperf } from './common/dnsperf.ts'
import { startKnot } from './common/knot.ts'
import { clusterIps, writeQueries } from './common/queries.ts'

const SERVICES = shapes({ services: 1000, endpoints: 0, wide: [] })
const WARM_SECONDS = 1
/** A answer, TTL 5, 10.96.0.1, owner by pointer. */
const RECORD = Uint8Array.of(0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 96, 0, 1)
const KINDS = ['udp-batch', 'udp-dgram', 'tcp', 'knot'] as const
type Kind = (typeof KINDS)[number]

/** Copies the question and adds the record; a packet whose name begins with `s` waits a turn of the loop. */
const canned: Responder = {
  enter: () => undefined,
  leave: () => undefined,
  answer(packet) {
    const { octets, start, end, slot, slotAt } = packet
    if (end - start < 17) return 0
    if (octets[start + 13] === 0x73) return later(packet)
    for (let i = start; i < end; i++) slot[slotAt + i - start] = octets[i]!
    return finish(slot, slotAt, slotAt + end - start) - slotAt
  },
}

function later({ octets, start, end, origin, from, fromAt, fromOctets }: Packet): number {
  const slot = new Uint8Array(end - start + RECORD.length)
  slot.set(octets.subarray(start, end))
  const length = finish(slot, 0, end - start)
  const late = Object.assign(new Packet(), {
    slot,
    from: from.slice(fromAt, fromAt + fromOctets),
    fromOctets,
  })
  origin.parked()
  setImmediate(() => origin.reply(late, length))
  return PARKED
}

function finish(out: Uint8Array, at: number, end: number): number {
  out[at + 2]! |= 0x84
  out[at + 7] = 1
  for (let i = 0; i < RECORD.length; i++) out[end + i] = RECORD[i]!
  return end + RECORD.length
}

async function serve(kind: Kind): Promise<void> {
  const count = (): void => undefined
  const memory = new StreamMemory(2 ** 26, count)
  const common = { responder: canned, clock: systemClock, memory, count }
  const options = { address: '127.0.0.1', port: 0, ...common }
  const open: Record<string, () => Promise<ListenResult>> = {
    'udp-batch': () => listenUdp(options),
    'udp-dgram': () => listenUdpDgram(options),
    tcp: () => listenTcp(options),
  }
  const result = await open[kind]!()
  if (!result.ok) throw result.error
  console.log(`port ${result.listener.port} ${result.listener.kind}`)
}

/** A server under test. */
interface Started {
  readonly program: Program
  readonly port: number
}

/** Starts the server on the first core. */
async function start(scope: Scope, kind: Kind, cores: Cores): Promise<Started> {
  if (kind === 'knot') return startKnot(scope, programPath('knotd') ?? 'knotd', cores.server, SERVICES)
  const command = ['taskset', '-c', cores.server, process.execPath, import.meta.filename, 'serve', kind]
  const program = Program.start(scope, scope.folder('listen'), kind, command)
  const port = await eventually(`${kind} listens`, () => /^port (\d+)/m.exec(program.log())?.[1])
  return { program, port: Number(port) }
}

async function measure(kind: Kind, rate: number, seconds: number, prefix: string): Promise<string> {
  const scope = new Scope()
  try {
    const cores = readCores()
    const { program, port } = await start(scope, kind, cores)
    const lines = clusterIps(SERVICES).map(line => prefix + line)
    const transport = kind === 'tcp' ? 'tcp' : 'udp'
    const load = {
      port,
      file: writeQueries(scope.folder('queries'), kind, lines),
      core: cores.load,
      transport,
    } as const
    const limit = rate > 0 ? { rate } : {}
    await dnsperf({ ...load, ...limit, seconds: WARM_SECONDS })
    const before = cpuUs(program.pid)
    const { completed, perSecond, lost } = await dnsperf({ ...load, ...limit, seconds })
    const share = `${((cpuUs(program.pid) - before) / completed).toFixed(1)} µs/query`.padStart(16)
    const what = `${kind.padEnd(10)} ${(rate > 0 ? `${rate}/s` : 'saturated').padEnd(10)}`
    return `${what} ${share}  ${Math.round(perSecond)}/s, lost ${lost}`
  } finally {
    await scope.end()
  }
}

if (process.argv[2] === 'serve') {
  await serve(process.argv[3] as Kind)
} else {
  const words = process.argv.slice(2)
  const number = (name: string, otherwise: number): number =>
    Number(words.find(word => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? otherwise)
  const kinds = KINDS.filter(kind => words.includes(kind))
  // Names that begin with `s` take the slow path.
  const prefix = words.includes('slow') ? 's' : ''
  for (let round = 0; round < number('rounds', 3); round++) {
    for (const rate of [0, 20_000, 5000]) {
      for (const kind of kinds.length > 0 ? kinds : KINDS) {
        console.log(await measure(kind, rate, number('seconds', 4), prefix))
      }
    }
  }
}
