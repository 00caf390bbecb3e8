// `multisocket [N]`: how many serving threads there are, each with sockets of its own (CoreDNS plugin/multisocket). It is
// looked at when the process starts, over all server blocks.

import { once, readLine } from '../corefile/arguments.ts'
import type { Word } from './plugin.ts'

/** The configuration of `multisocket`. */
export interface MultisocketConfig {
  /** Undefined: one for each core. */
  readonly threads: number | undefined
}

/** CoreDNS's bound. */
const SOCKETS_MAX = 1024
/** A thread takes about 32 MiB; response caches are one for all. */
const THREADS_MAX = 16
/** Without `multisocket`: the more threads, the more often upstreams are asked for the same. */
const THREADS_DEFAULT_MAX = 4

/** `multisocket`, once in a server block; of several blocks the largest number counts. */
export const multisocketWord: Word<MultisocketConfig> = {
  word: 'multisocket',
  doc: {
    usage: 'multisocket [N]',
    meaning: 'serves with N threads, each with sockets of its own on every port',
    default: `one for each core that the process may use; without the directive at most ${THREADS_DEFAULT_MAX}`,
    range: `1 to ${SOCKETS_MAX}, of which at most ${THREADS_MAX} are started`,
    options: [],
    notes: [
      'The largest N of all blocks holds for all listeners, from the start of the process to its end. Each takes about 32 MiB, response caches are one for all: more threads than cores only cost memory.',
      'Under a CPU limit of half a core or less (`500m`) a single thread also does what another one does elsewhere: it follows the cluster and answers scrapes. It is ready in two thirds of the time, with 24 MiB less.',
    ],
    example: `
      . {
          multisocket 2
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    const directive = once(directives, problems)
    if (directive === undefined) return undefined
    let threads: number | undefined
    readLine(directive, problems, line => {
      if (!line.has) return
      const found = line.peek ?? ''
      threads = line.integer('the number of threads', 1, SOCKETS_MAX)
      if (threads === undefined || threads <= THREADS_MAX) return
      problems.warning(line.word, `no more than ${THREADS_MAX} threads are started`, { found })
    })
    return { threads }
  },
}

/** How many threads the process is to have, where it may use that many cores. */
export function threadsOf(configs: readonly MultisocketConfig[], cores: number): number {
  if (configs.length === 0) return Math.min(THREADS_DEFAULT_MAX, cores)
  return Math.min(THREADS_MAX, Math.max(...configs.map(({ threads }) => threads ?? cores)))
}
