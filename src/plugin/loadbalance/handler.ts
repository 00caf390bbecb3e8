// `loadbalance` at work: orders every reply on its way back, and looks at the weight file from time to time.

import { BACK, DONE, NEXT, type Packet, type Step } from '../../query/packet.ts'
import { parseCidr } from '../../shared/ip.ts'
import { Networks } from '../../shared/networks.ts'
import { Polled } from '../../shared/polled.ts'
import { readRegularSoon, SETTINGS_MAX_OCTETS } from '../../shared/regular-file.ts'
import type { Composer } from '../../wire/composer.ts'
import { readU16 } from '../../wire/header.ts'
import { copyFoldedName } from '../../wire/message-name.ts'
import { NAME_MAX_OCTETS } from '../../wire/name.ts'
import { RecordList, roundRobin } from '../../wire/order.ts'
import { RCODE } from '../../wire/rcode.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { type RecordWalk, SECTION } from '../../wire/walk.ts'
import type { Handler, ServingContext } from '../plugin.ts'
import type { LoadbalanceConfig, WeightFile } from './config.ts'
import { prefer, weighted, weightedInPlace } from './order.ts'
import { checkWeightText } from './weight-file.ts'
import { parseWeights, WeightIndex } from './weights.ts'

/** A name that is a pointer alone begins with no less. */
const POINTER = 0xc000

const list = new RecordList()
const owner = new Uint8Array(NAME_MAX_OCTETS + 1)

/** The policy of one server block on one serving thread. */
export class LoadbalanceHandler implements Handler {
  readonly #context: ServingContext
  readonly #file: WeightFile | undefined
  /** The most wanted first. */
  readonly #networks: readonly Networks[]
  #text = ''
  readonly #weights = new OwnersWeights()
  readonly #polled: Polled | undefined

  constructor({ weights, prefer }: LoadbalanceConfig, context: ServingContext) {
    this.#context = context
    this.#file = weights
    this.#networks = prefer.flatMap(text => parseCidr(text) ?? []).map(network => new Networks([network]))
    if (weights?.text !== undefined) this.#take(weights.text)
    this.#polled = weights && this.#watch(weights)
    this.#polled?.start()
  }

  stop(): void {
    void this.#polled?.stop()
  }

  handle({ scan: { qtype } }: Packet): Step {
    return qtype === TYPE.AXFR || qtype === TYPE.IXFR ? NEXT : BACK
  }

  /** HOT. */
  back(packet: Packet): Step {
    if (packet.rcode !== RCODE.NOERROR) return DONE
    const { qtype } = packet.scan
    const isChosen = qtype === TYPE.A || qtype === TYPE.AAAA || qtype === TYPE.SRV
    if (this.#file === undefined) packet.reorder(this.#roundRobin)
    else if (isChosen) packet.reorder(this.#weighted)
    if (this.#networks.length > 0) packet.reorder(this.#prefer)
    return DONE
  }

  readonly #roundRobin = (
    octets: Uint8Array,
    start: number,
    end: number,
    composer: Composer,
    spare: Uint8Array,
  ): number => roundRobin(octets, start, end, this.#context.random, composer, spare)

  readonly #weighted = (
    octets: Uint8Array,
    start: number,
    end: number,
    composer: Composer,
    spare: Uint8Array,
  ): number => {
    const { random } = this.#context
    const { weightOf } = this.#weights.begin()
    if (weightedInPlace(octets, start, end, weightOf, random)) return 0
    return ordered(octets, start, end, composer, spare, (from, to) =>
      weighted(list, from, to, weightOf, random),
    )
  }

  readonly #prefer = (
    octets: Uint8Array,
    start: number,
    end: number,
    composer: Composer,
    spare: Uint8Array,
  ): number =>
    ordered(octets, start, end, composer, spare, (from, to) => prefer(list, from, to, this.#rankOf))

  readonly #rankOf = ({ octets, type, rdataAt }: RecordWalk): number => {
    const networks = this.#networks
    for (let i = 0; i < networks.length; i++)
      if (type === TYPE.A ? networks[i]!.hasV4(octets, rdataAt) : networks[i]!.hasV6(octets, rdataAt))
        return i
    return networks.length
  }

  #take(text: string): void {
    const weights = parseWeights(text)
    if (typeof weights === 'string') return
    this.#text = text
    this.#weights.index = new WeightIndex(weights)
  }

  /** Looks at the file; what cannot be read or understood changes nothing. */
  #watch({ file, reloadMs }: WeightFile): Polled {
    return new Polled({
      clock: this.#context.clock,
      look: () => this.#look(file),
      intervalMs: () => reloadMs,
      trouble: problem => this.#log('ERROR', `${problem}; the weights stay as they are`),
      well: () => this.#log('INFO', `the weight file ${file} is there again`),
    })
  }

  async #look(file: string): Promise<string | undefined> {
    const read = await readRegularSoon(file, SETTINGS_MAX_OCTETS).then(checkWeightText, (error: Error) => ({
      problem: `reading the weight file: ${error.message}`,
    }))
    if (!('text' in read)) return read.problem
    if (read.text !== this.#text && !this.#polled?.stopped) {
      this.#take(read.text)
      this.#log('INFO', `Successfully reloaded weight file ${file}`)
    }
    return undefined
  }

  /** Every serving thread reads the file; one of them tells. */
  #log(level: 'ERROR' | 'INFO', text: string): void {
    if (this.#context.thread === 0) this.#context.log.write(level, 'plugin/loadbalance', text)
  }
}

/** The weights of addresses, whose owner mostly is the one before. */
class OwnersWeights {
  index = new WeightIndex(new Map())
  #pointer = 0

  /** Another message is to be ordered. */
  begin(): this {
    this.#pointer = 0
    return this
  }

  readonly weightOf = ({ octets, start, ownerAt, rdataAt, rdataEnd }: RecordWalk): number => {
    const pointer = readU16(octets, ownerAt)
    if (pointer < POINTER || pointer !== this.#pointer) {
      this.index.open(owner, copyFoldedName(octets, ownerAt, start, owner, 0))
      this.#pointer = pointer
    }
    return this.index.weightOf(octets, rdataAt, rdataEnd)
  }
}

/** Writes the message with its answer and additional sections in an order of their own. */
function ordered(
  octets: Uint8Array,
  start: number,
  end: number,
  composer: Composer,
  spare: Uint8Array,
  order: (from: number, to: number) => void,
): number {
  list.read(octets, start, end)
  for (let from = 0, to = 0; from < list.count; from = to) {
    to = list.sectionEnd(from)
    if (list.sections[from] !== SECTION.AUTHORITY) order(from, to)
  }
  return list.write(composer, spare, spare.length)
}
