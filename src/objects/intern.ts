// One object for equal ones. Most Services have the same few port lists, most objects one of the same few namespaces; the
// API server's JSON brings a copy of each with every object.

import type { SlimPort } from './objects.ts'

/** What is known at most; beyond it the pool begins anew, and what was handed out stays what it is. */
const POOL_MAX = 4096
/** Longer lists are nobody else's: the pool would keep megabytes of them. */
const LIST_MAX = 32

class Pool<T> {
  readonly #known = new Map<string, T>()

  get(key: string, value: T): T {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (this.#known.size >= POOL_MAX) this.#known.clear()
    this.#known.set(key, value)
    return value
  }
}

const texts = new Pool<string>()
const portLists = new Pool<readonly SlimPort[]>()
const NONE: readonly never[] = Object.freeze([])

/** The same text, the one that was seen first. */
export const internText = (text: string): string => texts.get(text, text)

/** An equal list of ports, the one that was seen first. */
export function internPorts(ports: readonly SlimPort[]): readonly SlimPort[] {
  if (ports.length === 0) return NONE
  if (ports.length > LIST_MAX) return ports
  const key = ports.map(({ name, port, protocol }) => `${name}/${port}/${protocol}`).join()
  return portLists.get(key, ports)
}

/** An equal list of just its length (one that has grown keeps room to grow on); of empty ones always the same. */
export const internList = <T>(list: readonly T[]): readonly T[] => (list.length === 0 ? NONE : list.slice())
