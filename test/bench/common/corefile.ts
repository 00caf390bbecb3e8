// The Corefile of the benchmarks: kubeadm's own, ../../corefiles/kubeadm.Corefile, with this machine's ports and addresses
// in place of a cluster's. What is measured beside it is said as a change of a directive.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SidePorts } from '../../e2e/dns-server.ts'

const STOCK = join(import.meta.dirname, '..', '..', 'corefiles', 'kubeadm.Corefile')

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
}

/** Replaces text that must be there: a stock file that has changed would be measured wrongly otherwise. */
function replace(text: string, pattern: RegExp, replacement: string): string {
  if (!pattern.test(text)) throw new TypeError(`kubeadm.Corefile has nothing like ${pattern}`)
  return text.replace(pattern, () => replacement)
}

/** The text, for `-p PORT`. */
export function benchCorefile(options: BenchCorefile): string {
  const { access, upstreamPort, sidePorts, bind, cacheAll = false, quiet = false } = options
  let text = readFileSync(STOCK, 'utf8')
  text = replace(text, /^\.:53 \{\n/m, `. {\n${bind === undefined ? '' : `    bind ${bind}\n`}`)
  text = replace(text, /^ +health \{/m, `    health 127.0.0.1:${sidePorts.health} {`)
  text = replace(text, /^ +ready$/m, `    ready 127.0.0.1:${sidePorts.ready}`)
  text = replace(
    text,
    /^ +pods insecure\n/m,
    ['pods insecure', ...access].map(line => `       ${line}\n`).join(''),
  )
  text = replace(text, /^ +prometheus :9153$/m, `    prometheus 127.0.0.1:${sidePorts.metrics}`)
  text = replace(text, /^ +forward \. \/etc\/resolv\.conf/m, `    forward . 127.0.0.1:${upstreamPort}`)
  if (cacheAll) text = replace(text, /^ +cache 30 \{[^}]*\}\n/m, '    cache 30\n')
  if (quiet) text = replace(text, /^ +errors\n/m, '')
  return text
}
