// The Corefile of the benchmarks: kubeadm's own, ../../corefiles/kubeadm.Corefile, with this machine's ports and addresses
// in place of a cluster's. What is measured beside it is said as a change of a directive.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SidePorts } from '../../e2e/dns-server.ts'

const STOCK = join(import.meta.dirname, '..', '..', 'corefiles', 'kubeadm.Corefile')

/** What a Corefile has other than the stock one. */
export interface CorefileChange {
  /** Lines more. */
  readonly add?: readonly string[]
  /** Directives less. */
  readonly drop?: readonly ('cache' | 'loadbalance')[]
  /** Lines of the forward block more. */
  readonly forward?: readonly string[]
  /** How the upstream is written: `tls://127.0.0.1:PORT`. */
  readonly scheme?: 'tls'
  /** What `pods` says, default insecure. */
  readonly pods?: 'verified'
  /** Served over this beside UDP and TCP. */
  readonly over?: 'tls' | 'https'
  /** Lines of a second block for the same zone and port. */
  readonly behind?: readonly string[]
}

/** What a Corefile of the benchmarks says. */
export interface BenchCorefile {
  /** Lines of the kubernetes block that say where the API server is. */
  readonly access: readonly string[]
  readonly upstreamPort: number
  readonly sidePorts: SidePorts
  /** The address to listen on; undefined for all. */
  readonly bind: string | undefined
  /** `cache 30` for all zones, the cluster's own included. */
  readonly cacheAll?: boolean
  /** Without `errors`. */
  readonly quiet?: boolean
  readonly change?: CorefileChange
}

const DROPPED = { cache: /^ +cache 30 \{[^}]*\}\n/m, loadbalance: /^ +loadbalance\n/m } as const

/** Replaces text that must be there: a stock file that has changed would be measured wrongly otherwise. */
function replace(text: string, pattern: RegExp, replacement: string): string {
  if (!pattern.test(text)) throw new TypeError(`kubeadm.Corefile has nothing like ${pattern}`)
  return text.replace(pattern, () => replacement)
}

/** The text, for `-p PORT`. */
export function benchCorefile(options: BenchCorefile): string {
  const { access, upstreamPort, sidePorts, bind, cacheAll = false, quiet = false, change = {} } = options
  const lines = (all: readonly string[], indent: number): string =>
    all.map(line => `${' '.repeat(indent)}${line}\n`).join('')
  const bound = bind === undefined ? [] : [`bind ${bind}`]
  const keys = change.over === undefined ? '.' : `. ${change.over}://.:${sidePorts[change.over]}`
  let text = readFileSync(STOCK, 'utf8')
  text = replace(text, /^\.:53 \{\n/m, `${keys} {\n${lines([...bound, ...(change.add ?? [])], 4)}`)
  text = replace(text, /^ +health \{/m, `    health 127.0.0.1:${sidePorts.health} {`)
  text = replace(text, /^ +ready$/m, `    ready 127.0.0.1:${sidePorts.ready}`)
  text = replace(text, /^ +pods insecure\n/m, lines([`pods ${change.pods ?? 'insecure'}`, ...access], 7))
  text = replace(text, /^ +prometheus :9153$/m, `    prometheus 127.0.0.1:${sidePorts.metrics}`)
  const to = `${change.scheme === undefined ? '' : `${change.scheme}://`}127.0.0.1:${upstreamPort}`
  text = replace(
    text,
    /^ +forward \. \/etc\/resolv\.conf \{\n/m,
    `    forward . ${to} {\n${lines(change.forward ?? [], 7)}`,
  )
  if (cacheAll) text = replace(text, /^ +cache 30 \{[^}]*\}\n/m, '    cache 30\n')
  if (quiet) text = replace(text, /^ +errors\n/m, '')
  for (const word of change.drop ?? []) text = replace(text, DROPPED[word], '')
  return change.behind ? `${text}. {\n${lines([...bound, ...change.behind], 4)}}\n` : text
}
