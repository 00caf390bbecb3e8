// `seamark explain NAME [TYPE]`: asks a server at work, or reads the Corefile at hand, and prints what comes of it.

import type { ConfigurationSource } from '../setup/configuration.ts'
import { type ExplainRequest, explain } from './explain.ts'
import { LocalWorld } from './local.ts'
import { reportText } from './print.ts'
import { type Report, untold } from './report.ts'

export interface ExplainOptions extends ExplainRequest {
  readonly json: boolean
  /** The configuration, where no server is asked. */
  readonly configuration: ConfigurationSource
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

async function reportOf({ configuration, ...request }: ExplainOptions): Promise<Report> {
  const world = await LocalWorld.open(configuration)
  if (typeof world === 'string')
    return untold(request.name, request.type, world, 'See what `seamark check` says of the Corefile.')
  try {
    return await explain(request, world)
  } finally {
    await world.stop()
  }
}
