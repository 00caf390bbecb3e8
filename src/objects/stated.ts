// What the status of an object says, as far as it was written here: whether the object is accepted, since when it is served. Kept
// beside the slim object, so that nothing is written that is there already.

import { field, fieldAt, listAt, textAt } from './field.ts'

/** Kinds whose status is written. */
export const STATED_KINDS = ['DNSRecord', 'StubDomain', 'DNSPolicy'] as const
export type StatedKind = (typeof STATED_KINDS)[number]

export const CONDITION_TYPES = ['Accepted', 'Conflicting'] as const

/** One of metav1.Condition. */
export interface Condition {
  readonly type: (typeof CONDITION_TYPES)[number]
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
  /** When `status` became what it is, as RFC 3339 has it. */
  readonly lastTransitionTime: string
  readonly observedGeneration: number
}

export interface Stated {
  /** metadata.generation: it grows with each change of the object, not with those of its status. */
  readonly generation: number
  /** Of which generation the status is; 0 where it says nothing. */
  readonly observedGeneration: number
  /** '' where it is not served. */
  readonly servedSince: string
  readonly conditions: readonly Condition[]
}

/** As the API has times: whole seconds. */
export const timeText = (wallMs: number): string => new Date(wallMs).toISOString().replace(/\.\d+Z$/, 'Z')

/** Longer texts are none of ours. */
const TEXT_MAX = 1024

/** Of an object as the API has it; undefined for one without generations, as files have them. */
export function statedOf(raw: unknown): Stated | undefined {
  const generation = fieldAt(raw, 'metadata', 'generation')
  if (!isGeneration(generation)) return undefined
  const observed = fieldAt(raw, 'status', 'observedGeneration')
  return {
    generation,
    observedGeneration: isGeneration(observed) ? observed : 0,
    servedSince: short(textAt(raw, 'status', 'servedSince')),
    conditions: CONDITION_TYPES.flatMap(type => {
      const found = listAt(raw, 'status', 'conditions').find(each => field(each, 'type') === type)
      if (found === undefined) return []
      const observedGeneration = field(found, 'observedGeneration')
      return [
        {
          type,
          status: field(found, 'status') === 'True' ? 'True' : 'False',
          reason: short(textAt(found, 'reason')),
          message: short(textAt(found, 'message')),
          lastTransitionTime: short(textAt(found, 'lastTransitionTime')),
          observedGeneration: isGeneration(observedGeneration) ? observedGeneration : 0,
        },
      ]
    }),
  }
}

const isGeneration = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0

const short = (text: string): string => text.slice(0, TEXT_MAX)
