// On what and with what a report was measured: lines for its head.

import { spawnSync } from 'node:child_process'
import { cpus, release } from 'node:os'
import manifest from '../../../package.json' with { type: 'json' }
import { PROGRAMS } from '../../e2e/programs.ts'
import { ROOT } from '../../packaging/bundle.ts'

/** The first line of a command's output that the pattern finds, its first group; '' where it finds none. */
function version(command: readonly string[], pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8', cwd: ROOT })
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? ''
}

/** Date, processor and versions, a line each. @param others - paths of the programs that are there */
export function machineLines(
  others: { readonly knotd?: string | undefined; readonly dnsdist?: string; readonly unbound?: string } = {},
): string[] {
  const { knotd, dnsdist, unbound } = others
  const processors = cpus()
  const commit = version(['git', 'rev-parse', '--short', 'HEAD'], /^(\w+)$/m)
  const coredns = PROGRAMS.find(({ name }) => name === 'coredns')!.version
  const versions = [
    `Seamark ${manifest.version}${commit === '' ? '' : ` (${commit})`}`,
    `Node ${process.versions.node}`,
    `CoreDNS ${coredns}`,
    ...(knotd === undefined ? [] : [`Knot ${version([knotd, '--version'], /([\d.]+)/)}`]),
    ...(dnsdist === undefined ? [] : [`dnsdist ${version([dnsdist, '--version'], /([\d.]+)/)}`]),
    ...(unbound === undefined ? [] : [`Unbound ${version([unbound, '-V'], /([\d.]+)/)}`]),
    `dnsperf ${version(['dnsperf', '-h'], /Version ([\d.]+)/)}`,
    `Linux ${release()}`,
  ]
  return [
    `${new Date().toISOString().slice(0, 10)}, ${processors[0]?.model ?? 'unknown processor'}, ${processors.length} cores.`,
    `${versions.join(', ')}.`,
  ]
}
