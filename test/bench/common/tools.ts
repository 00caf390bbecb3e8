// The programs of others that a run needs, found or installed: dnsperf, h2load and Knot from Debian's packages where we are root
// and have apt-get, CoreDNS and the control plane from Go modules (../../e2e/build.ts).

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { BuildError, buildPrograms } from '../../e2e/build.ts'
import { programPath as builtPath, missingPrograms } from '../../e2e/programs.ts'
import { programPath } from '../../support/system-program.ts'

/** Program → Debian package. */
const PACKAGES = {
  dnsperf: 'dnsperf',
  knotd: 'knot',
  taskset: 'util-linux',
  h2load: 'nghttp2-client',
} as const
/** Exit status where something is needed and cannot be had (EX_UNAVAILABLE of sysexits.h). */
export const EXIT_UNAVAILABLE = 69

/** What there is to measure with. */
export interface Tools {
  /** Knot's server, or undefined. */
  readonly knotd: string | undefined
  /** Forwarders, where they are installed: installing one starts it on Debian, so that is left to whoever runs this. */
  readonly forwarders: Readonly<Partial<Record<'dnsdist' | 'unbound', string>>>
  readonly coredns: boolean
  /** Whether a real control plane can be started. */
  readonly controlPlane: boolean
}

/** Something without which nothing can be measured is not there. */
export class ToolsError extends Error {
  readonly code = 'TOOLS_MISSING'
}

const missing = (): string[] =>
  Object.entries(PACKAGES).flatMap(([program, name]) => (programPath(program) === undefined ? [name] : []))

/** Installs what is missing of PACKAGES, where that can be done; says so where not. */
function installPackages(say: (line: string) => void): void {
  const wanted = missing()
  if (wanted.length === 0) return
  const command = `apt-get install --yes --no-install-recommends ${wanted.join(' ')}`
  if (process.getuid?.() !== 0 || programPath('apt-get') === undefined) {
    say(`not installed: ${wanted.join(', ')} (as root: ${command})`)
    return
  }
  say(`installing ${wanted.join(', ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const done = spawnSync('sh', ['-c', `apt-get update -qq && ${command} -qq`], { env, encoding: 'utf8' })
  if (done.status !== 0) say(`${command} failed: ${done.stderr.trim().split('\n').at(-1)}`)
}

/**
 * Finds, builds and installs.
 * @param say - receives a line about everything that is done or cannot be had
 * @throws ToolsError without dnsperf or taskset
 */
export async function findTools(say: (line: string) => void): Promise<Tools> {
  installPackages(say)
  for (const program of ['dnsperf', 'taskset'])
    if (programPath(program) === undefined) throw new ToolsError(`${program} is needed and not installed`)
  try {
    await buildPrograms(say)
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    say(error.message)
  }
  const knotd = programPath('knotd')
  if (knotd === undefined) say('without Knot nothing tells a busy machine from a slow server')
  const forwarders = (['dnsdist', 'unbound'] as const).flatMap(name => {
    const path = programPath(name)
    if (path === undefined) say(`not installed: ${name}; forwards stand beside CoreDNS without it`)
    return path === undefined ? [] : [[name, path]]
  })
  return {
    knotd,
    forwarders: Object.fromEntries(forwarders),
    coredns: existsSync(builtPath('coredns')),
    controlPlane: !missingPrograms().some(({ name }) => name !== 'coredns'),
  }
}
