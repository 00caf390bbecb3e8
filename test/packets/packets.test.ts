// Every packet of the corpus goes to the running server, over UDP and TCP: what comes back is what its file allows, and the
// server goes on answering. All of them many times over leave no trace: not in memory, not in the log.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import t, { type Test } from 'tap'
import { decodeMessage, NoAnswer, query, TcpClient } from '../support/dns-client.ts'
import { allowsSilence, mismatch } from '../support/expectation.ts'
import { shortOrLong } from '../support/long.ts'
import { probe } from '../support/probe.ts'
import { residentMib } from '../support/process-stat.ts'
import { bugLines, startTarget } from '../support/target.ts'
import { NAME } from '../support/target-cluster.ts'
import { type HostilePacket, readCorpus } from './corpus.ts'

const corpus = readCorpus()
const target = await startTarget({ folder: t.testdir({}) })
t.teardown(() => target.stop())

/** How long a stream may take to be answered or ended. */
const STREAM_MS = 50
/** 90,000 packets in the long form: half a KiB kept of each would show. */
const ROUNDS = shortOrLong(60, 300)
const GROWTH_MAX_MIB = 8
/** V8's heaps take their time to find their size; what leaks grows every time. */
const FLOODS_MAX = 6
const LOG_LINES_MAX = 50

async function goesOn(t: Test): Promise<void> {
  for (const tcp of [false, true]) {
    const { answer } = await query(target.port, { name: NAME, tcp })
    t.equal(answer.length, 1, `a good query is answered over ${tcp ? 'TCP' : 'UDP'}`)
  }
}

for (const packet of corpus) {
  for (const over of packet.over) {
    t.test(`${packet.name.replaceAll('-', ' ')}, over ${over}`, async t => {
      if (over === 'stream') await stream(t, packet)
      else {
        const reply = await probe(target.port, packet.octets, over, allowsSilence(packet.expect))
        t.equal(mismatch(packet.expect, reply?.decoded), '', packet.expect)
      }
      await goesOn(t)
    })
  }
}

/** Octets without a frame of our own; what comes back is a whole message or nothing. */
async function stream(t: Test, { octets, expect }: HostilePacket): Promise<void> {
  const client = await TcpClient.connect(target.port)
  client.sendRaw(octets)
  try {
    const reply = decodeMessage(await client.receive(STREAM_MS))
    t.equal(mismatch(expect, reply), '', expect)
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    t.equal(mismatch(expect, undefined), '', expect)
  } finally {
    client.destroy()
  }
}

t.test(
  'all of them many times over',
  { skip: existsSync('/proc') ? false : 'memory is read from /proc' },
  async t => {
    const lines = target.output().split('\n').length
    const growths: number[] = []
    do {
      const before = residentMib(target.pid)
      await flood(ROUNDS)
      growths.push(residentMib(target.pid) - before)
    } while (growths.at(-1)! > GROWTH_MAX_MIB && growths.length < FLOODS_MAX)
    t.ok(growths.at(-1)! <= GROWTH_MAX_MIB, `MiB more each time: ${growths.map(growth => growth.toFixed(1))}`)
    const more = target.output().split('\n').length - lines
    t.ok(more < LOG_LINES_MAX, `${more} lines of log`)
    await goesOn(t)
  },
)

/** Everything over UDP and on connections that are thrown away. */
async function flood(rounds: number): Promise<void> {
  const socket = createSocket('udp4')
  socket.connect(target.port, '127.0.0.1')
  await once(socket, 'connect')
  for (let round = 0; round < rounds; round++) {
    for (const { octets, over } of corpus) if (over.includes('udp')) socket.send(octets)
    const client = await TcpClient.connect(target.port)
    for (const { octets, over } of corpus) if (over.includes('tcp')) client.send(octets)
    // The server keeps up: it answers who asks behind them.
    await query(target.port, { name: NAME, tcp: true })
    client.destroy()
  }
  socket.close()
}

t.test('the server is sane', async t => {
  t.strictSame(bugLines(target), [], 'no bug in the log')
  t.equal(await target.stop(), 0, 'ends in good order')
})
