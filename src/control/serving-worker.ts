// One serving thread as the control thread sees it: a worker; or, where there is no cluster to watch and one thread is wanted, a part
// of the control thread itself, which saves the memory of a second one.

import { totalmem } from 'node:os'
import { performance } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import type { PassedSocket } from '../listen/listener.ts'
import { acknowledgeLines, lineCountMemory } from '../observe/batched-log.ts'
import type { LogForm } from '../observe/json-line.ts'
import type { ProcessLog } from '../observe/log.ts'
import type { Registry } from '../observe/registry.ts'
import type { TapBatch } from '../observe/tap.ts'
import type { Traffic } from '../observe/traffic.ts'
import type { OperatorEvent } from '../plugin/plugin.ts'
import type { FromThread, ThreadStart, ToThread } from '../serving/messages.ts'
import { freeThreadsOfFlags, serveHeapLimits, streamOctets } from './heap-limits.ts'
import { serveEntry } from './serve-entry.ts'

export interface ThreadsOptions {
  readonly registry: Registry
  readonly log: ProcessLog
  readonly quiet: boolean
  readonly logForm: LogForm
  readonly traffic: Pick<Traffic, 'take'>
  /** Takes what followers of queries wanted to see. */
  readonly tapped: (batches: readonly TapBatch[]) => void
  /** Told of what a person has to mend. */
  readonly operatorEvent: (event: OperatorEvent) => void
  /** The container's limit of memory in octets, as Node reads it unless given. */
  readonly memoryOctets?: number
  /** Sockets that were opened before the server was. */
  readonly passed?: readonly PassedSocket[]
}

/** What all threads of a process have in common. */
export interface Shared {
  /** How many there are. */
  readonly count: number
  /** Whether queries came over HTTPS when they were started. */
  readonly hasHttp: boolean
  readonly ticketSecret: Uint8Array
  readonly cookieSecret: Uint8Array
}

/** Where the program of a serving thread runs. */
interface Host {
  post(message: ToThread): void
  utilization(): ReturnType<typeof performance.eventLoopUtilization>
  terminate(): Promise<unknown>
}

type Ended = (reason: string) => void
type Heard = (message: FromThread) => void

export class ServingWorker {
  readonly thread: number
  readonly id: number
  readonly #host: Host
  readonly #waiting = new Map<string, { readonly take: Heard; readonly ended: () => void }>()
  #isAlive = true

  /** With `here`, in this thread: then it cannot end alone. */
  constructor(
    thread: number,
    { count, hasHttp, ticketSecret, cookieSecret }: Shared,
    options: ThreadsOptions,
    here: boolean,
    onExit: (worker: ServingWorker, reason: string) => void,
  ) {
    this.thread = thread
    const counters = options.registry.addThread()
    this.id = counters.id
    const logLines = lineCountMemory()
    const memoryOctets = options.memoryOctets ?? process.constrainedMemory()
    const start: ThreadStart = {
      thread,
      threads: count,
      counters: counters.memory,
      logLines,
      ticketSecret,
      cookieSecret,
      streamOctets: streamOctets(memoryOctets, totalmem(), count),
      passed: options.passed ?? [],
      quiet: options.quiet,
      logForm: options.logForm,
    }
    const ended: Ended = reason => {
      this.#isAlive = false
      for (const waiting of [...this.#waiting.values()]) waiting.ended()
      onExit(this, reason)
    }
    const heard: Heard = message => {
      if (message.type === 'register') options.registry.register(this.id, message.registration)
      else if (message.type === 'log') {
        options.log.writeLines(message.octets, message.lines)
        acknowledgeLines(logLines, message.lines)
      } else if (message.type === 'samples') {
        options.traffic.take(thread, message.octets, message.periodMs)
        this.send({ type: 'sampled' })
      } else if (message.type === 'tapped') options.tapped(message.batches)
      else if (message.type === 'event') options.operatorEvent(message.event)
      else this.#waiting.get(message.type)?.take(message)
    }
    this.#host = here
      ? serveHere(start, heard, ended)
      : serveInWorker(start, serveHeapLimits(memoryOctets, totalmem(), count, hasHttp), heard, ended)
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  send(message: ToThread): void {
    this.#host.post(message)
  }

  utilization(): ReturnType<Host['utilization']> {
    return this.#host.utilization()
  }

  terminate(): Promise<unknown> {
    return this.#host.terminate()
  }

  /** The next message of that type; undefined when the thread ends before it comes, or has ended. */
  next<T extends FromThread['type']>(type: T): Promise<Extract<FromThread, { type: T }> | undefined> {
    if (!this.#isAlive) return Promise.resolve(undefined)
    return new Promise(resolve => {
      const done = (message: FromThread | undefined): void => {
        this.#waiting.delete(type)
        resolve(message as Extract<FromThread, { type: T }> | undefined)
      }
      this.#waiting.set(type, { take: done, ended: () => done(undefined) })
    })
  }
}

function serveInWorker(
  start: ThreadStart,
  resourceLimits: ReturnType<typeof serveHeapLimits>,
  heard: Heard,
  ended: Ended,
): Host {
  freeThreadsOfFlags()
  const worker = new Worker(serveEntry(), {
    workerData: start,
    name: `serving-${start.thread}`,
    resourceLimits,
  })
  let reason = ''
  worker.on('error', (error: Error) => {
    reason = error.stack ?? error.message
  })
  worker.on('exit', code => ended(reason || `exit status ${code}`))
  worker.on('message', heard)
  return {
    post: message => worker.postMessage(message),
    utilization: () => worker.performance.eventLoopUtilization(),
    terminate: () => worker.terminate(),
  }
}

/** Messages come in their order, and after whoever sent them is done, as those of a worker do. */
function serveHere(start: ThreadStart, heard: Heard, ended: Ended): Host {
  const serving = import('../serving/serving-thread.ts').then(
    ({ ServingThread }) => new ServingThread(start, message => queueMicrotask(() => heard(message))),
  )
  return {
    post: message => void serving.then(thread => thread.take(message)),
    utilization: () => performance.eventLoopUtilization(),
    terminate: async () => ended('the end'),
  }
}
