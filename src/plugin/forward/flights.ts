// The questions of a rule that are under way: whoever asks what is being asked already waits for the same reply. An attacker
// who makes many clients ask one name so gains one guess, not many (the birthday attack; CVE-2023-30464), and an upstream sees
// a popular name's miss once.

import type { Clock } from '../../shared/clock.ts'
import { FairShare } from '../../shared/fair-share.ts'
import { HashIndex, hashOf } from '../../shared/hash-index.ts'
import { draw } from './draw.ts'
import { Flight, type FlightRule } from './flight.ts'

/** Different questions under way at one moment, for one rule on one serving thread. */
export const FLIGHTS_MAX = 4096
/** What one client may have under way, as a multiple of what is left for the others: eight ninths of all at most. */
export const CLIENT_MULTIPLE = 8

/** Where what is different about a question begins: behind its ID. */
const KEY_AT = 2

export class Flights {
  readonly #make: () => Flight
  readonly #places = new FairShare<string | number>(FLIGHTS_MAX, CLIENT_MULTIPLE)
  readonly #index = new HashIndex(FLIGHTS_MAX)
  /** All there are, by their slot; 0 is none. */
  readonly #flights: (Flight | undefined)[] = [undefined]
  readonly #free: Flight[] = []
  readonly #seed = draw() * 65536 + draw()

  constructor(rule: FlightRule, clock: Clock) {
    this.#make = () => new Flight(rule, clock)
  }

  /** Questions under way. */
  get size(): number {
    return this.#index.size
  }

  /** A flight in which a question may be written, to see whether it is under way. */
  blank(): Flight {
    const free = this.#free.at(-1)
    if (free) return free
    const flight = this.#make()
    flight.slot = this.#flights.push(flight) - 1
    this.#free.push(flight)
    return flight
  }

  /** The flight that asks what is written in the blank one. */
  find(blank: Flight): Flight | undefined {
    const { question, questionOctets, overTcp } = blank
    blank.hash = hashOf(overTcp ? ~this.#seed : this.#seed, question, KEY_AT, questionOctets)
    const index = this.#index
    for (let slot = index.first(blank.hash); slot !== 0; slot = index.next()) {
      const flight = this.#flights[slot]!
      if (isSame(flight, blank)) return flight
    }
    return undefined
  }

  /** The blank flight, once `find` has not found another one, becomes one of those under way; false where it has no place. */
  enter(blank: Flight, client: string | number): boolean {
    if (!this.#places.enter(client)) return false
    if (!this.#index.add(blank.hash, blank.slot)) {
      this.#places.leave(client)
      return false
    }
    blank.client = client
    this.#free.pop()
    return true
  }

  /** A flight is over: nobody finds it any more. */
  leave(flight: Flight): void {
    this.#index.remove(flight.hash, flight.slot)
    this.#places.leave(flight.client)
  }

  /** A flight that has left is not needed any more. */
  free(flight: Flight): void {
    flight.addedOptions = undefined
    this.#free.push(flight)
  }
}

function isSame(a: Flight, b: Flight): boolean {
  if (a.questionOctets !== b.questionOctets || a.overTcp !== b.overTcp) return false
  for (let i = KEY_AT; i < a.questionOctets; i++) if (a.question[i] !== b.question[i]) return false
  return true
}
