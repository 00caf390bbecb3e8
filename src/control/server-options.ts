// What the server (server.ts) is started with.

import type { PassedSocket } from '../listen/listener.ts'
import type { LogForm } from '../observe/json-line.ts'
import type { ProcessLog } from '../observe/log.ts'
import type { Registry } from '../observe/registry.ts'
import type { ConfigurationSource } from '../setup/configuration.ts'

export interface ServerOptions {
  readonly configuration: ConfigurationSource
  readonly log: ProcessLog
  readonly registry: Registry
  readonly quiet: boolean
  /** What the lines of the log look like. */
  readonly logForm: LogForm
  /** Where the configuration that was served last is kept; '' for nowhere. */
  readonly lastGood: string
  /** Whether another server of this user may have the same ports. */
  readonly overlap: boolean
  /** Whether faults become Events on the own Pod. */
  readonly events: boolean
  /** Memory counts more than speed: one thread, unless the Corefile says more. */
  readonly lean?: boolean
  /** Sockets that were opened before the server was. */
  readonly passed?: readonly PassedSocket[]
  /** Where the metrics are shown whatever the Corefile says. */
  readonly metrics?: { readonly host: string; readonly port: number } | undefined
}
