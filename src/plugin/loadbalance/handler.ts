// `loadbalance [round_robin | weighted FILE] { reload DURATION; prefer CIDR… }`: the order of the records in answers
// (CoreDNS plugin/loadbalance). It stands before the cache, so that every answer out of it has an order of its own.

import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { type Line, readLine } from '../../corefile/arguments.ts'
import type { Query } from '../../query/query.ts'
import { DROP, type Outcome, type Reply } from '../../query/reply.ts'
import type { Timer } from '../../shared/clock.ts'
import { formatDuration } from '../../shared/duration.ts'
import { type Cidr, ipFromBytes, parseCidr } from '../../shared/ip.ts'
import { nameKey } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import type { Rr } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { BlockContext, Handler, Next, ServingContext, Word } from '../plugin.ts'
import { prefer, roundRobin, weighted } from './order.ts'
import { parseWeights, WEIGHT_FILE_MAX_OCTETS, type Weights } from './weights.ts'

/** CoreDNS's default. */
const RELOAD_MS = 30_000
/** A file is not looked at more often. */
const RELOAD_MIN_MS = 100
/** Networks of `prefer`. */
const PREFER_MAX = 256

/** The weights of `weighted`. */
export interface WeightFile {
  /** Absolute, or as the process's folder has it. */
  readonly file: string
  /** 0 is never. */
  readonly reloadMs: number
  /** Its text when the Corefile was read; undefined where it could not be read then. */
  readonly text: string | undefined
}

/** The configuration of `loadbalance`. */
export interface LoadbalanceConfig {
  /** Without it the policy is round_robin. */
  readonly weights: WeightFile | undefined
  /** Networks in CIDR notation, the most wanted first. */
  readonly prefer: readonly string[]
}

/** `loadbalance`; of several in a block the last policy counts and the networks add up, as in CoreDNS. */
export const loadbalanceWord: Word<LoadbalanceConfig> = {
  word: 'loadbalance',
  doc: {
    usage: 'loadbalance [round_robin | weighted FILE]',
    meaning: 'orders the addresses of every answer anew: at random, or by the weights in FILE',
    default: 'round_robin',
    options: [
      {
        usage: 'reload DURATION',
        meaning: 'how often the weight file is looked at; 0s is never',
        default: `${RELOAD_MS / 1000}s`,
        range: `from ${RELOAD_MIN_MS}ms`,
      },
      {
        usage: 'prefer CIDR…',
        meaning: 'puts addresses in these networks first',
        range: `${PREFER_MAX} networks`,
      },
    ],
  },
  parse(directives, problems, block) {
    let weights: WeightFile | undefined
    const networks: string[] = []
    for (const directive of directives) {
      readLine(directive, problems, line => {
        weights = readPolicy(line, block, networks)
      })
    }
    return { weights, prefer: networks }
  },
  create: (config, context) => new LoadbalanceHandler(config, context),
}

function readPolicy(line: Line, { directory }: BlockContext, networks: string[]): WeightFile | undefined {
  const policy = line.has ? line.choice('a policy', ['round_robin', 'weighted']) : 'round_robin'
  const token = policy === 'weighted' ? line.token('a weight file') : undefined
  let reloadMs = RELOAD_MS
  line.options({
    prefer: option => {
      while (option.has && networks.length <= PREFER_MAX) {
        const network = option.peek
        if (option.network('a network') !== undefined && network !== undefined) networks.push(network)
      }
      if (networks.length > PREFER_MAX)
        option.error(option.word, `more than ${PREFER_MAX} preferred networks`)
    },
    reload: option => {
      if (policy !== 'weighted') option.error(option.word, 'reload is for the policy weighted')
      const given = option.duration('the time between two looks at the file')
      if (given !== undefined) reloadMs = given === 0 ? 0 : Math.max(RELOAD_MIN_MS, given)
    },
  })
  if (token === undefined) return undefined
  const file = isAbsolute(token.text) ? token.text : join(directory, token.text)
  const read = readWeightText(file)
  if ('text' in read) return { file, reloadMs, text: read.text }
  const again = reloadMs === 0 ? '' : `; tried again every ${formatDuration(reloadMs)}`
  if (read.unreadable && reloadMs !== 0)
    line.problems.warning(token, `${read.problem}${again}`, { found: token.text })
  else line.error(token, read.problem, { found: token.text })
  return { file, reloadMs, text: undefined }
}

type ReadText = { readonly text: string } | { readonly problem: string; readonly unreadable: boolean }

function readWeightText(file: string): ReadText {
  try {
    return checkWeightText(readFileSync(file, 'utf8'))
  } catch (error) {
    return { problem: `reading the weight file: ${(error as Error).message}`, unreadable: true }
  }
}

function checkWeightText(text: string): ReadText {
  if (text.length > WEIGHT_FILE_MAX_OCTETS) {
    return { problem: `the weight file has more than ${WEIGHT_FILE_MAX_OCTETS} octets`, unreadable: false }
  }
  const weights = parseWeights(text)
  return typeof weights === 'string'
    ? { problem: `the weight file: ${weights}`, unreadable: false }
    : { text }
}

class LoadbalanceHandler implements Handler {
  readonly #context: ServingContext
  readonly #file: WeightFile | undefined
  readonly #networks: readonly Cidr[]
  #text = ''
  #weights: Weights = new Map()
  #timer: Timer | undefined
  #stopped = false

  constructor({ weights, prefer }: LoadbalanceConfig, context: ServingContext) {
    this.#context = context
    this.#file = weights
    this.#networks = prefer.flatMap(text => parseCidr(text) ?? [])
    if (weights?.text !== undefined) this.#take(weights.text)
    this.#schedule()
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const outcome = next(query)
    return outcome instanceof Promise
      ? outcome.then(late => this.#order(query, late))
      : this.#order(query, outcome)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #order({ question: { qtype } }: Query, outcome: Outcome): Outcome {
    if (outcome === DROP || outcome.rcode !== RCODE.NOERROR) return outcome
    if (qtype === TYPE.AXFR || qtype === TYPE.IXFR) return outcome
    const ordered = this.#file === undefined ? this.#roundRobin(outcome) : this.#weighted(qtype, outcome)
    if (this.#networks.length === 0) return ordered
    return {
      ...ordered,
      answer: prefer(ordered.answer, this.#networks),
      additional: prefer(ordered.additional, this.#networks),
    }
  }

  #roundRobin(reply: Reply): Reply {
    const { random } = this.#context
    return {
      ...reply,
      answer: roundRobin(reply.answer, random),
      authority: roundRobin(reply.authority, random),
      additional: roundRobin(reply.additional, random),
    }
  }

  #weighted(qtype: number, reply: Reply): Reply {
    if (qtype !== TYPE.A && qtype !== TYPE.AAAA && qtype !== TYPE.SRV) return reply
    const weightOf = (record: Rr): number => this.#weightOf(record)
    const { random } = this.#context
    return {
      ...reply,
      answer: weighted(reply.answer, weightOf, random),
      additional: weighted(reply.additional, weightOf, random),
    }
  }

  #weightOf({ owner, rdata }: Rr): number {
    return this.#weights.get(nameKey(owner))?.get(ipFromBytes(rdata).text) ?? 1
  }

  #take(text: string): void {
    const weights = parseWeights(text)
    if (typeof weights === 'string') return
    this.#text = text
    this.#weights = weights
  }

  #schedule(): void {
    if (this.#file === undefined || this.#file.reloadMs === 0 || this.#stopped) return
    const { file, reloadMs } = this.#file
    this.#timer = this.#context.clock.after(reloadMs, () => {
      this.#reload(file).then(() => this.#schedule())
    })
  }

  /** Reads the file again; what cannot be read or understood is logged and changes nothing. */
  async #reload(file: string): Promise<void> {
    const read = await readFile(file, 'utf8').then(checkWeightText, (error: Error) => ({
      problem: `reading the weight file: ${error.message}`,
      unreadable: true,
    }))
    if (this.#stopped) return
    if (!('text' in read)) {
      this.#log('ERROR', read.problem)
    } else if (read.text !== this.#text) {
      this.#take(read.text)
      this.#log('INFO', `Successfully reloaded weight file ${file}`)
    }
  }

  /** Every serving thread reads the file; one of them tells. */
  #log(level: 'ERROR' | 'INFO', text: string): void {
    if (this.#context.thread === 0) this.#context.log.write(level, 'plugin/loadbalance', text)
  }
}
