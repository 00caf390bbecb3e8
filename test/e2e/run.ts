// `npm run test:e2e`: builds what is missing, then runs every *.e2e.ts on one real control plane, in one process, inside
// namespaces of its own where the machine lets it, and sums up: `N passed, N failed, N skipped`.
//
//   node test/e2e/run.ts [--server coredns|seamark] [--only TEXT] [SUITE …]
//
// SUITE is a file name without .e2e.ts; with --only just the checks run whose names contain TEXT.
//
// Exit status: 0 nothing failed, 1 something did, 2 wrong arguments, 69 (EX_UNAVAILABLE) the programs cannot be built
// because Go is not installed: then everything counts as skipped.

import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { BuildError, buildPrograms, buildTools, EXIT_NO_GO } from './build.ts'
import { ControlPlane } from './control-plane.ts'
import type { ServerKind } from './dns-server.ts'
import { inside, onInterrupt, runInside } from './inside.ts'
import { Kubelet } from './kubelet.ts'
import { Scope } from './processes.ts'
import { Context, type Suite, type Tally, type World } from './suite.ts'
import { startUpstream } from './upstream.ts'

const folder = dirname(fileURLToPath(import.meta.url))

const suiteNames = (): string[] =>
  readdirSync(folder)
    .filter(file => file.endsWith('.e2e.ts'))
    .map(file => file.slice(0, -'.e2e.ts'.length))
    .sort()

const sum = ({ passed, failed, skipped }: Tally): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`

/** The outer process: builds, and runs the rest in namespaces of its own. */
async function outside(): Promise<number> {
  try {
    await buildPrograms(console.log)
    await buildTools(console.log)
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    console.log(`SKIPPED  ${error.message}`)
    const nothing = { passed: 0, failed: error.code === 'no-go' ? 0 : 1, skipped: suiteNames().length }
    console.log(sum(nothing))
    return error.code === 'no-go' ? EXIT_NO_GO : 1
  }
  return runInside()
}

/** The inner process: the control plane and the suites. */
async function suites({ subject, only, chosen }: Wanted, inNamespaces: boolean): Promise<number> {
  const scope = new Scope()
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 }
  const open: Scope[] = [scope]
  const interrupted = onInterrupt(() =>
    open.reverse().reduce((before, each) => before.then(() => each.end()), Promise.resolve()),
  )
  try {
    const world = await startWorld(scope, { subject, only, inNamespaces })
    for (const name of chosen) {
      const { suite } = (await import(`./${name}.e2e.ts`)) as { suite: Suite }
      const context = new Context(world, tally, suite.name)
      open.push(context.scope)
      await context.attempt('runs to its end', () => suite.run(context))
      if (interrupted()) return await new Promise<never>(() => undefined)
      await context.attempt('ends what it started', () => context.scope.end())
      open.pop()
    }
  } finally {
    if (!interrupted()) await scope.end()
  }
  console.log(sum(tally))
  return tally.failed > 0 ? 1 : 0
}

async function startWorld(
  scope: Scope,
  chosen: Pick<World, 'subject' | 'only' | 'inNamespaces'>,
): Promise<World> {
  const { subject, inNamespaces } = chosen
  const started = performance.now()
  const plane = await ControlPlane.start(scope)
  await Kubelet.start(scope, () => plane.client)
  const upstreamPort = await startUpstream(scope)
  const where = inNamespaces ? 'in namespaces of its own' : 'on this machine (namespaces cannot be made here)'
  console.log(
    `control plane ready in ${Math.round(performance.now() - started)} ms ${where}; under test: ${subject}`,
  )
  return { plane, upstreamPort, ...chosen }
}

/** What the command line asks for. */
interface Wanted {
  readonly subject: ServerKind
  readonly only: string
  readonly chosen: readonly string[]
}

function readArguments(): Wanted | string {
  const { values, positionals } = parseArgs({
    options: { server: { type: 'string', default: 'seamark' }, only: { type: 'string', default: '' } },
    allowPositionals: true,
  })
  const { server } = values
  if (server !== 'seamark' && server !== 'coredns') return `--server ${server}: coredns or seamark is allowed`
  const known = suiteNames()
  const unknown = positionals.find(name => !known.includes(name))
  if (unknown !== undefined) return `suite ${unknown} is not known; there are ${known.join(', ')}`
  return { subject: server, only: values.only, chosen: positionals.length > 0 ? positionals : known }
}

const wanted = readArguments()
if (typeof wanted === 'string') {
  console.error(wanted)
  process.exitCode = 2
} else {
  const inNamespaces = inside()
  process.exit(inNamespaces === undefined ? await outside() : await suites(wanted, inNamespaces))
}
