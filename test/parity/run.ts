// Asks a server the questions of the cases and says where its answers are not the kept ones.
//
//   node test/parity/run.ts [--server coredns] [--record] [--case GLOB]… [--keep] [--verbose] [--json] [FILE…]
//
// FILE is a name in cases/ without .yaml; all where none is given. Works in namespaces of its own where the machine lets it;
// elsewhere what needs other addresses than loopback's is skipped. --record keeps the answers: with `--server coredns` all of
// them, of Seamark those that are meant to differ. --json prints each check as a line.
//
// Exit status: 0, 1 something differs, 2 wrong arguments, 69 (EX_UNAVAILABLE) the server cannot be run here.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseCores } from '../bench/common/cores.ts'
import { inside, onInterrupt, runInside } from '../e2e/inside.ts'
import { run as runCommand } from '../e2e/namespaces.ts'
import { programPath as builtPath } from '../e2e/programs.ts'
import { programPath } from '../support/system-program.ts'
import type { ServerKind } from './case-server.ts'
import { type Case, COMMON_ADDRESSES, globPattern, readCases } from './cases.ts'
import { type Check, judge, type Kept } from './judge.ts'
import { type Outcome, readKept, writeKept } from './kept.ts'
import { type Ran, runCase, unable } from './run-case.ts'

const UNAVAILABLE = 69

interface Wanted {
  readonly server: ServerKind
  readonly record: boolean
  readonly keep: boolean
  readonly verbose: boolean
  readonly json: boolean
  readonly patterns: readonly RegExp[]
  readonly files: readonly string[]
}

function readArguments(): Wanted {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      server: { type: 'string', default: 'seamark' },
      record: { type: 'boolean', default: false },
      case: { type: 'string', multiple: true, default: ['*'] },
      keep: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const { server, case: globs, ...flags } = values
  if (server !== 'seamark' && server !== 'coredns')
    throw new TypeError(`--server ${server}: seamark or coredns`)
  const all = readdirSync(join(import.meta.dirname, 'cases')).map(name => name.replace('.yaml', ''))
  const files = positionals.length > 0 ? positionals : all.sort()
  for (const file of files)
    if (!all.includes(file)) throw new TypeError(`${file}: there are ${all.join(' ')}`)
  return { server, ...flags, files, patterns: globs.map(globPattern) }
}

/** The cores that we may use. */
function cores(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
  return parseCores(list ?? '0')
}

/** Lets one after the other begin. */
function inTurn(): <Value>(begin: () => Promise<Value>) => Promise<Value> {
  let last: Promise<unknown> = Promise.resolve()
  return begin => {
    const mine = last.then(begin)
    last = mine.catch(() => undefined)
    return mine
  }
}

/** Seconds that a case waits for sure. */
const patience = ({ questions }: Case): number =>
  questions.reduce((sum, { waitSeconds, lingerSeconds }) => sum + waitSeconds + lingerSeconds, 0)

/** All cases of a file side by side, those that wait first; the starts of their servers one after the other. */
async function runFile(file: string, wanted: Wanted, tell: (check: Check) => void): Promise<void> {
  const cases = readCases(file)
  const chosen = cases.filter(({ id }) => wanted.patterns.some(pattern => pattern.test(id)))
  const kept = { coredns: readKept(file, 'coredns'), seamark: readKept(file, 'seamark') }
  const start = inTurn()
  const available = cores()
  const recorded = new Map<string, Outcome>()
  const runOne = async (one: Case, at: number): Promise<void> => {
    const skipped = unable(one)
    if (skipped !== undefined) {
      const all = [...one.questions.map(({ text }) => text), 'end']
      for (const what of all) tell({ case: one.id, what, found: [], detail: [], skipped })
      return
    }
    const own: Kept = { coredns: kept.coredns.get(one.id), own: kept.seamark.get(one.id) }
    const deviating = one.questions.filter(({ deviates }) => deviates !== undefined)
    const ran = await runCase(one, {
      server: wanted.server,
      core: available[at % available.length]!,
      expected: wanted.record ? undefined : own.coredns,
      expectedAnswer(number) {
        if (wanted.record) return undefined
        const place = wanted.server === 'seamark' ? deviating.indexOf(one.questions[number]!) : -1
        return (place < 0 ? own.coredns?.answers[number] : own.own?.answers[place])?.answer
      },
      start,
      keepFolder: wanted.keep,
    })
    if (wanted.record) recorded.set(one.id, recordOf(one, ran, wanted.server))
    else for (const check of judge(one, ran, own, wanted.server === 'coredns')) tell(check)
  }
  const order = chosen.toSorted((a, b) => patience(b) - patience(a))
  await Promise.all(order.map(runOne))
  if (!wanted.record) return
  const whole = cases.map(({ id }) => [id, recorded.get(id) ?? kept[wanted.server].get(id)] as const)
  writeKept(
    file,
    wanted.server,
    new Map(whole.filter((entry): entry is [string, Outcome] => entry[1] !== undefined)),
  )
}

/** What is kept of a run: of Seamark the answers that are meant to differ. */
function recordOf(one: Case, ran: Ran, server: ServerKind): Outcome {
  const { start, answers, log, metrics, http } = ran
  if (server === 'coredns')
    return { start, answers, ...(log && { log }), ...(metrics && { metrics }), ...(http && { http }) }
  return { start: 'ok', answers: answers.filter((_, i) => one.questions[i]!.deviates !== undefined) }
}

async function main(wanted: Wanted, inNamespaces: boolean): Promise<number> {
  onInterrupt(() => Promise.resolve())
  const extra = wanted.files.flatMap(file => readCases(file).flatMap(({ addresses }) => addresses))
  if (inNamespaces) for (const address of new Set([...COMMON_ADDRESSES, ...extra])) addAddress(address)
  const counts = { passed: 0, failed: 0, skipped: 0, deviating: 0 }
  const tell = (check: Check): void => {
    const { found, detail, deviates, skipped } = check
    counts[skipped !== undefined ? 'skipped' : found.length > 0 ? 'failed' : 'passed']++
    if (deviates !== undefined) counts.deviating++
    if (wanted.json) console.log(JSON.stringify(check))
    else if (skipped !== undefined) console.log(`SKIPPED ${check.case}: ${check.what}: ${skipped}`)
    else if (found.length > 0) {
      console.log(`DIFF ${check.case}: ${check.what}: ${found.join(', ')}`)
      if (wanted.verbose) for (const line of detail) console.log(`    ${line}`)
    }
  }
  for (const file of wanted.files) {
    const started = performance.now()
    await runFile(file, wanted, tell)
    if (!wanted.json) console.log(`${file}: ${((performance.now() - started) / 1000).toFixed(1)} s`)
  }
  const { passed, failed, skipped, deviating } = counts
  if (!wanted.json)
    console.log(`${passed} passed (${deviating} meant to differ), ${failed} failed, ${skipped} skipped`)
  return failed > 0 ? 1 : 0
}

function addAddress(address: string): void {
  const [bits, more] = address.includes(':') ? [128, ['nodad']] : [32, []]
  runCommand(['ip', 'address', 'add', `${address}/${bits}`, 'dev', 'lo', ...more])
}

let wanted: Wanted
try {
  wanted = readArguments()
} catch (error) {
  console.error((error as Error).message)
  process.exit(2)
}
if (
  programPath('taskset') === undefined ||
  (wanted.server === 'coredns' && !existsSync(builtPath('coredns')))
) {
  console.error('needs taskset, and for --server coredns the CoreDNS that `npm run test:e2e` builds')
  process.exit(UNAVAILABLE)
}
const inNamespaces = inside()
process.exit(await (inNamespaces === undefined ? runInside() : main(wanted, inNamespaces)))
