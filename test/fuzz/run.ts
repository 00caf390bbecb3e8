// `npm run fuzz -- --seed N --seconds N --rate N --out FOLDER`: the packet fuzzer against a Seamark process with the Corefile that
// kubeadm writes, and then, for a quarter of that time, objects of a hostile namespace against one that watches a fake API server. The same seed sends the same packets. What it finds goes to the folder as cases for test/packets/corpus,
// shrunk where a packet alone does it; the exit status is 1 then, and 0 where nothing was found.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { formatPacket } from '../packets/corpus.ts'
import { NoAnswer } from '../support/dns-client.ts'
import { probe } from '../support/probe.ts'
import { startTarget } from '../support/target.ts'
import { Violation } from '../support/universal-checks.ts'
import { type FuzzTarget, runFuzzer } from './fuzzer.ts'
import { fuzzObjects } from './objects.ts'
import { shrunk } from './shrink.ts'
import type { Finding } from './tally.ts'

/** What V8 leaves lying about in a short run is less. */
const GROWTH_MAX_MIB = 64

const OBJECTS_SHARE = 0.25

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '2000' },
    out: { type: 'string', default: 'fuzz-findings' },
  },
})
const [seed = 0, seconds = 0, rate = 0] = [values.seed, values.seconds, values.rate].map(Number)
if (![seed, seconds, rate].every(number => Number.isInteger(number) && number >= 0)) {
  console.error('--seed, --seconds and --rate are whole numbers')
  process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), 'seamark-fuzz-'))
const target = await startTarget({ folder })
console.log(`seed ${seed}, ${seconds} s, ${rate} packets a second`)
const { tally, residentMib } = await runFuzzer(target, { seed, seconds, rate })
const [from, to] = residentMib
for (const line of tally.lines()) console.log(line)
console.log(`resident memory: ${from.toFixed(1)} MiB when warm, ${to.toFixed(1)} MiB at the end`)
if (to - from > GROWTH_MAX_MIB)
  tally.found({ what: `${(to - from).toFixed(1)} MiB of memory more`, over: 'udp' })
for (const finding of tally.findings) console.log(await report(finding, tally.findings.indexOf(finding)))
const { objects, findings } = await fuzzObjects(join(folder, 'objects'), seed, seconds * OBJECTS_SHARE)
console.log(`objects: ${objects}`)
for (const what of findings) tally.found({ what: `objects: ${what}`, over: 'udp' })
for (const what of findings) console.log(`FOUND by objects: ${what}`)
console.log(tally.findings.length === 0 ? 'nothing found' : `${tally.findings.length} findings; seed ${seed}`)
await target.stop()
rmSync(folder, { recursive: true })
process.exit(tally.findings.length === 0 ? 0 : 1)

/** Writes the packet of a finding as a case; the line to print. */
async function report({ what, packet, over }: Finding, i: number): Promise<string> {
  const line = `FOUND over ${over}: ${what}`
  if (!packet) return line
  const small = (await violates(target, packet, over))
    ? await shrunk(packet, shorter => violates(target, shorter, over))
    : packet
  mkdirSync(values.out, { recursive: true })
  const file = join(values.out, `seed-${seed}-finding-${i + 1}.hex`)
  writeFileSync(
    file,
    formatPacket([`Found by the packet fuzzer, seed ${seed}: ${what}`], 'reply | silence', over, small),
  )
  return `${line}\n  in ${file}`
}

/** Whether the packet alone brings a violation about. */
async function violates(
  { port, alive }: FuzzTarget,
  packet: Uint8Array,
  over: 'udp' | 'tcp',
): Promise<boolean> {
  if (!alive()) return false
  try {
    await probe(port, packet, over, true)
    return false
  } catch (error) {
    if (error instanceof Violation) return true
    if (error instanceof NoAnswer) return false
    throw error
  }
}
