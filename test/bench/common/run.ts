// The frame of every benchmark program: arguments, tools, then the same program again inside namespaces of its own, where
// nobody else's packets are, and off the core that the server under test has to itself.

import { setTimeout as delay } from 'node:timers/promises'
import { inside, onInterrupt, runInside } from '../../e2e/inside.ts'
import { Scope } from '../../e2e/processes.ts'
import { type Cores, coresEnvironment, readCores } from './cores.ts'
import { EXIT_UNAVAILABLE, findTools, type Tools, ToolsError } from './tools.ts'

const EXIT_USAGE = 2

/** What a benchmark is given. */
export interface Inner {
  /** Ended when the benchmark is, whatever happens. */
  readonly scope: Scope
  readonly tools: Tools
  readonly cores: Cores
  /** The address for servers to listen on; undefined for all, where the namespaces are ours. */
  readonly bind: string | undefined
  readonly say: (line: string) => void
}

/**
 * Runs a benchmark and ends the process with the status that it gives.
 * @param read - reads the command line; throws TypeError
 */
export async function runBench<Wanted>(
  read: () => Wanted,
  bench: (inner: Inner, wanted: Wanted) => Promise<number>,
): Promise<never> {
  process.exit(await status(read, bench))
}

async function status<Wanted>(
  read: () => Wanted,
  bench: (inner: Inner, wanted: Wanted) => Promise<number>,
): Promise<number> {
  const say = (line: string): void => console.log(line)
  let wanted: Wanted
  try {
    wanted = read()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    console.error(error.message)
    return EXIT_USAGE
  }
  const inNamespaces = inside()
  try {
    const cores = readCores()
    const tools = await findTools(inNamespaces === undefined ? say : () => undefined)
    if (inNamespaces === undefined)
      return await runInside(['taskset', '-c', cores.others], coresEnvironment())
    const bind = inNamespaces ? undefined : '127.0.0.1'
    return await runIn({ tools, cores, bind, say }, scoped => bench(scoped, wanted))
  } catch (error) {
    if (!(error instanceof ToolsError)) throw error
    console.error(error.message)
    return EXIT_UNAVAILABLE
  }
}

async function runIn(inner: Omit<Inner, 'scope'>, bench: (inner: Inner) => Promise<number>): Promise<number> {
  const scope = new Scope()
  const interrupted = onInterrupt(() => scope.end())
  try {
    return await bench({ ...inner, scope })
  } catch (error) {
    // What was being measured fails when everything is ended.
    if (interrupted()) await delay(60_000)
    throw error
  } finally {
    if (!interrupted()) await scope.end()
  }
}
