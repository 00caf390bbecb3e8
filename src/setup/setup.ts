// A Corefile as the server uses it: plain data that goes to every serving thread. Directives stand in the order of
// CoreDNS's chain, whatever their order in the file; a listener knows the zones it serves and the block of each.

import type { Scheme } from '../corefile/key.ts'
import type { AdminConfig } from '../plugin/admin.ts'
import type { HealthConfig } from '../plugin/health.ts'
import type { KubernetesConfig } from '../plugin/kubernetes/config.ts'
import type { MultisocketConfig } from '../plugin/multisocket.ts'
import type { Word } from '../plugin/plugin.ts'
import type { PrometheusConfig } from '../plugin/prometheus.ts'
import type { ReadyConfig } from '../plugin/ready.ts'
import type { ReloadConfig } from '../plugin/reload.ts'
import type { StatusConfig } from '../plugin/status.ts'
import type { TimeoutsConfig } from '../plugin/timeouts.ts'
import type { TlsConfig } from '../plugin/tls.ts'

/** What may be spoken on a listener. */
export type ServedScheme = Extract<Scheme, 'dns' | 'tls' | 'https'>

/** One address and port to listen at, with what is served there. */
export interface ListenSetup {
  readonly scheme: ServedScheme
  /** An IP address, or '' for all. */
  readonly address: string
  readonly port: number
  /** The label in metrics and the start banner: `dns://:53`. */
  readonly server: string
  readonly zones: readonly { readonly zone: string; readonly block: number }[]
  readonly timeouts: TimeoutsConfig
  /** Of an encrypted scheme; without it what comes is not encrypted. */
  readonly tls: TlsConfig | undefined
  /** Of https://: connections on all threads together, 0 for no bound of its own. */
  readonly connectionsMax: number | undefined
  /** The key that asks for it: `Corefile:1:1`. */
  readonly place: string
}

/** One plugin of a block. */
export interface PluginSetup {
  readonly word: string
  /** What the word's `parse` made. */
  readonly config: unknown
}

/** One server block. */
export interface BlockSetup {
  readonly zones: readonly string[]
  /** In the order of the chain. */
  readonly plugins: readonly PluginSetup[]
}

export interface Setup {
  readonly blocks: readonly BlockSetup[]
  readonly listens: readonly ListenSetup[]
  readonly kubernetes: readonly KubernetesConfig[]
  readonly admin: readonly AdminConfig[]
  readonly health: readonly HealthConfig[]
  readonly ready: readonly ReadyConfig[]
  readonly prometheus: readonly PrometheusConfig[]
  readonly status: readonly StatusConfig[]
  readonly reload: ReloadConfig | undefined
  readonly multisocket: readonly MultisocketConfig[]
  /** Whether a block has `debug`, which is about the whole process. */
  readonly debug: boolean
}

/** The configurations of a word in a block: one, or none where the word is not in it. */
export const configsOf = <C>({ plugins }: Pick<BlockSetup, 'plugins'>, { word }: Word<C>): readonly C[] =>
  // What the word's own `parse` made.
  plugins.filter(plugin => plugin.word === word).map(({ config }) => config as C)
