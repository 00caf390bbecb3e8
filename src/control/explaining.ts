// What a running server says about a name, to its socket for commands and to its page; loaded with the first question.

import type { Clusters } from '../cluster/clusters.ts'
import { type ExplainRequest, explain, requestOf } from '../explain/explain.ts'
import { reportText } from '../explain/print.ts'
import { type Report, untold } from '../explain/report.ts'
import { listenerFor, tracedOf } from '../explain/world.ts'
import type { Setup } from '../setup/setup.ts'
import type { Threads } from './threads.ts'

/** The server as it stands. */
export interface Served {
  /** Undefined while it starts. */
  readonly setup: Setup | undefined
  readonly clusters: Clusters
  readonly threads: Threads
  /** Why the Corefile is not what is served; '' where it is. */
  readonly refused: string
}

/** Why a name resolves, or does not, for a client; `request` as a client of the socket sends it. Throws for one that is none. */
export const explainRequest = (request: Readonly<Record<string, unknown>>, served: Served): Promise<Report> =>
  explainServed(requestOf(request), served)

/** The same in words. */
export const explainText = async (request: ExplainRequest, served: Served): Promise<string> =>
  reportText(await explainServed(request, served))

async function explainServed(
  request: ExplainRequest,
  { setup, clusters, threads, refused }: Served,
): Promise<Report> {
  if (!setup)
    return untold(request.name, request.type, 'The server is only starting.', 'Ask again when it serves.')
  return explain(request, {
    isServer: true,
    setup,
    clusters: clusters.all,
    refused,
    ask: async question => {
      const listen = listenerFor(setup, question.name)
      return listen && threads.ask(listen.server, tracedOf(question, listen))
    },
  })
}
