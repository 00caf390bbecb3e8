// `seamark explain NAME [TYPE]`: asks a server at work, or makes the Corefile at hand ready to be asked, and prints what comes of it.

import type { ConfigurationSource } from '../setup/configuration.ts'
import { type AdminAddress, adminSockets, isListening, parseAdminAddress } from '../shared/admin-socket.ts'
import { askServer } from './ask-server.ts'
import { type ExplainRequest, explain } from './explain.ts'
import { LocalWorld } from './local.ts'
import { reportText } from './print.ts'
import { type Report, untold } from './report.ts'

export interface ExplainOptions extends ExplainRequest {
  readonly json: boolean
  /** Where a server answers commands; '' for the one that this user runs here, if there is one. */
  readonly server: string
  /** The Corefile that was named; undefined where a server may be asked. */
  readonly configuration: ConfigurationSource | undefined
  /** What is read where there is neither. */
  readonly fallback: () => ConfigurationSource
}

/** Prints the report; the exit status: 0 it resolves, 1 it does not, 2 that could not be told. */
export async function explainCommand(
  options: ExplainOptions,
  print: (text: string) => void,
): Promise<number> {
  const report = await reportOf(options)
  print(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : reportText(report))
  return report.status
}

async function reportOf(options: ExplainOptions): Promise<Report> {
  const { configuration, server, fallback } = options
  if (server !== '') {
    const address = parseAdminAddress(server)
    if (address) return ofServer(address, options)
    const cause = `${JSON.stringify(server)} is neither a path nor HOST:PORT.`
    return untold(options.name, options.type, cause, 'Give the address that `admin` in the Corefile names.')
  }
  if (configuration) return ofCorefile(configuration, options)
  const [own, ...others] = await livingSockets()
  if (own === undefined) return ofCorefile(fallback(), options)
  if (others.length === 0) return ofServer(own, options)
  const paths = [own, ...others].map(({ path }) => path)
  return untold(
    options.name,
    options.type,
    `Several servers run here: ${paths.join(', ')}.`,
    'Say which one with --server.',
  )
}

async function ofServer(address: AdminAddress, { name, type, from }: ExplainRequest): Promise<Report> {
  const answer = await askServer(address, { command: 'explain', name, type, from })
  const error = answer instanceof Error ? answer.message : answer.error
  if (typeof error === 'string') {
    const cause = `${error.slice(0, 1).toUpperCase()}${error.slice(1)}.`
    return untold(name, type, cause, 'See whether the server runs, and what its log says.')
  }
  // What the server's `explain` made.
  return answer as unknown as Report
}

async function ofCorefile(configuration: ConfigurationSource, request: ExplainRequest): Promise<Report> {
  const world = await LocalWorld.open(configuration)
  if (typeof world === 'string')
    return untold(request.name, request.type, world, 'See what `seamark check` says of the Corefile.')
  try {
    return await explain(request, world)
  } finally {
    await world.stop()
  }
}

/** The sockets of this user at which a server listens. */
export async function livingSockets(): Promise<readonly { readonly path: string }[]> {
  const paths = adminSockets()
  const living = await Promise.all(paths.map(isListening))
  return paths.filter((_, i) => living[i]).map(path => ({ path }))
}
