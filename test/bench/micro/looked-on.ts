// The whole road of a query that the table answers, without a socket: while nobody looks, while somebody follows other queries
// (`seamark tap`), and where it is explained.

import type { Trace } from '../../../src/query/packet.ts'
import { Tap } from '../../../src/serving/tap.ts'
import { encodeQuestion } from '../../support/dns-client.ts'
import { ServerBlock } from '../../support/server-block.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { recordingMeters } from '../../support/words.ts'
import type { MicroCase } from './case.ts'

const LINES = 'kubernetes cluster.local'
const QUERY = encodeQuestion({ name: 'web.demo.svc.cluster.local' }, 4711)
const AAAA = 28

export function lookedOnCases(): MicroCase[] {
  const followed = new ServerBlock(LINES)
  const send = (): void => undefined
  const options = { clock: new VirtualClock(), meters: recordingMeters(new Map()), send }
  followed.follow(new Tap([{ id: 1, every: 1, qtype: AAAA }], options))
  const asked = (block: ServerBlock, trace?: Trace): (() => number) => {
    const ask = block.repeater(trace)
    return () => ask(QUERY)
  }
  const trace = { said: () => undefined, note: () => undefined }
  return [
    { title: 'road: A of a ClusterIP, nobody looks', run: asked(new ServerBlock(LINES)) },
    { title: 'road: A of a ClusterIP, AAAA is followed', run: asked(followed) },
    { title: 'road: A of a ClusterIP, explained', run: asked(new ServerBlock(LINES), trace) },
  ]
}
