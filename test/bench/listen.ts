// What the listeners alone cost: CPU time of the server process per query, with a canned answer in place of the table.
// Run: node test/bench/listen.ts [KIND…] [seconds=4] [rounds=3], with KIND udp-batch, udp-dgram, tcp or knot (an
// orientation, where knotd is installed). Needs dnsperf and taskset; server and load are pinned to a core each, as
// CPU time is comparable between noisy machines and queries per second are not.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Admission } from '../../src/listen/admission.ts'
import type { ListenResult } from '../../src/listen/listener.ts'
import { LATER, type Responder } from '../../src/listen/responder.ts'
import { listenTcp } from '../../src/listen/tcp.ts'
import { listenUdp } from '../../src/listen/udp.ts'
import { listenUdpDgram } from '../../src/listen/udp-dgram.ts'
import { systemClock } from '../../src/shared/clock.ts'

const NAMES = 1000
/** A answer, TTL 5, 10.96.0.1, owner by pointer. */
const RECORD = Uint8Array.of(0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 96, 0, 1)
const KINDS = ['udp-batch', 'udp-dgram', 'tcp', 'knot'] as const
type Kind = (typeof KINDS)[number]

/** Copies the question and adds the record; queries whose name begins with `s` take the slow path. */
const canned: Responder = {
  curious: false,
  tellClient: () => undefined,
  enter: () => undefined,
  leave: () => undefined,
  answerNow(octets, start, end, out, outAt) {
    if (end - start < 17) return 0
    if (octets[start + 13] === 0x73) return LATER
    for (let i = start; i < end; i++) out[outAt + i - start] = octets[i]!
    return finish(out, outAt, outAt + end - start) - outAt
  },
  async answerLater(octets) {
    const reply = new Uint8Array(octets.length + RECORD.length)
    reply.set(octets)
    finish(reply, 0, octets.length)
    return reply
  },
}

function finish(out: Uint8Array, at: number, end: number): number {
  out[at + 2]! |= 0x84
  out[at + 7] = 1
  for (let i = 0; i < RECORD.length; i++) out[end + i] = RECORD[i]!
  return end + RECORD.length
}

async function serve(kind: Kind): Promise<void> {
  const count = (): void => undefined
  const admission = new Admission(count)
  const options = { address: '127.0.0.1', port: 0, responder: canned, clock: systemClock, admission, count }
  const open: Record<string, () => Promise<ListenResult>> = {
    'udp-batch': () => listenUdp(options),
    'udp-dgram': () => listenUdpDgram(options),
    tcp: () => listenTcp(options),
  }
  const result = await open[kind]!()
  if (!result.ok) throw result.error
  console.log(`port ${result.listener.port} ${result.listener.kind}`)
}

/** Starts the server on core 0; gives the process and its port. */
async function start(kind: Kind, folder: string): Promise<{ child: ChildProcess; port: number }> {
  if (kind === 'knot') return startKnot(folder)
  const command = ['-c', '0', process.execPath, import.meta.filename, 'serve', kind]
  const child = spawn('taskset', command, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout!, 'data')
  return { child, port: Number(/^port (\d+)/.exec(String(line))?.[1]) }
}

async function startKnot(folder: string): Promise<{ child: ChildProcess; port: number }> {
  const port = 20_000 + (process.pid % 10_000)
  const names = Array.from({ length: NAMES }, (_, i) => `name${i}.test. 5 A 10.96.0.1`)
  writeFileSync(
    join(folder, 'zone'),
    `test. 5 SOA ns.test. x.test. 1 1 1 1 5\ntest. 5 NS ns.test.\n${names.join('\n')}\n`,
  )
  const conf = [
    'server:',
    `  listen: 127.0.0.1@${port}`,
    `  rundir: ${folder}`,
    '  udp-workers: 1',
    '  tcp-workers: 1',
    'database:',
    `  storage: ${folder}`,
    'zone:',
    '  - domain: test',
    '    file: zone',
    `    storage: ${folder}`,
  ]
  writeFileSync(join(folder, 'knot.conf'), `${conf.join('\n')}\n`)
  const child = spawn('taskset', ['-c', '0', 'knotd', '-c', join(folder, 'knot.conf')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  for await (const line of child.stdout!)
    if (/server started|started in the foreground/.test(String(line))) break
  child.stdout!.resume()
  return { child, port }
}

/** utime + stime in µs. */
function cpuUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

const run = promisify(execFile)

async function measure(kind: Kind, rate: number, seconds: number, folder: string): Promise<string> {
  const { child, port } = await start(kind, folder)
  const load = ['-c', '1', 'dnsperf', '-s', '127.0.0.1', '-p', String(port), '-d', join(folder, 'queries')]
  const shape = kind === 'tcp' ? ['-m', 'tcp', '-c', '50', '-q', '400'] : ['-c', '8', '-q', '400']
  const limit = rate > 0 ? ['-Q', String(rate)] : []
  await run('taskset', [...load, ...shape, ...limit, '-l', '1'])
  const before = cpuUs(child.pid!)
  const { stdout } = await run('taskset', [...load, ...shape, ...limit, '-l', String(seconds)])
  const us = cpuUs(child.pid!) - before
  child.kill('SIGKILL')
  await once(child, 'exit')
  const completed = Number(/Queries completed:\s+(\d+)/.exec(stdout)?.[1])
  const lost = Number(/Queries lost:\s+(\d+)/.exec(stdout)?.[1])
  const latency = /Average Latency \(s\):\s+([\d.]+)/.exec(stdout)?.[1]
  const share = `${(us / completed).toFixed(1)} µs/query`.padStart(16)
  return `${kind.padEnd(10)} ${(rate ? `${rate}/s` : 'saturated').padEnd(10)} ${share}  ${Math.round(completed / seconds)}/s, lost ${lost}, latency ${latency} s`
}

if (process.argv[2] === 'serve') {
  await serve(process.argv[3] as Kind)
} else {
  const words = process.argv.slice(2)
  const number = (name: string, otherwise: number): number =>
    Number(words.find(word => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? otherwise)
  const kinds = KINDS.filter(kind => words.includes(kind))
  const folder = mkdtempSync(join(tmpdir(), 'listen-bench-'))
  const prefix = words.includes('slow') ? 'slow' : 'name'
  writeFileSync(
    join(folder, 'queries'),
    Array.from({ length: NAMES }, (_, i) => `${prefix}${i}.test A\n`).join(''),
  )
  try {
    for (let round = 0; round < number('rounds', 3); round++) {
      for (const rate of [0, 20_000, 5000]) {
        for (const kind of kinds.length > 0 ? kinds : KINDS) {
          console.log(await measure(kind, rate, number('seconds', 4), folder))
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
