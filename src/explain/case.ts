// What a rule looks at to tell the cause (rules/), and what it says; with the words that rules have in common.

import type { TracedNote, Transcript } from '../serving/traced.ts'
import type { ClusterName } from './cluster-name.ts'
import type { Outcome, Resolver } from './resolver.ts'
import type { KnownService } from './service-facts.ts'
import type { World } from './world.ts'

export interface Case {
  /** As the person wrote it. */
  readonly asked: string
  readonly transcript: Transcript
  /** What the server looked for in the end (soughtName). */
  readonly sought: string
  readonly outcome: Outcome
  /** The address that asks. */
  readonly client: string
  readonly resolver: Resolver
  /** What is behind the name that the server looked for. */
  readonly found: ClusterName | undefined
  readonly known: KnownService | undefined
  readonly suggestions: readonly string[]
  /** The name that the search path of a Pod which says nothing of its own would have found; undefined where it finds none. */
  readonly wouldBe: string | undefined
  readonly world: World
}

export interface Verdict {
  readonly cause: string
  readonly advice: string
  /** Whether the name resolves, for this client; undefined: as the server's reply says; 'untold' where nobody can say. */
  readonly resolves?: false | 'untold'
}

/** The verdict where the rule fits. */
export type Rule = (one: Case) => Verdict | undefined

/** The name that the server looked for in the end: what `rewrite` or `autopath` made of the one that was asked. */
export function soughtName(
  asked: string,
  { name, notes, answer, rcode }: Transcript,
  { search }: Pick<Resolver, 'search'>,
): string {
  // As autopath answers, out of the cache, too: by an alias of what the search path would have come to.
  const [first] = answer
  if (first?.type === 'CNAME' && first.name.toLowerCase() === name.toLowerCase() && !asked.endsWith('.')) {
    const target = first.data.toLowerCase()
    if (
      ['', ...search].some(domain => target === `${asked}.${domain}${domain === '' ? '' : '.'}`.toLowerCase())
    )
      return first.data
  }
  // Where a walk fails it ends: what was tried last is what failed.
  const changes = rcode === 'NOERROR' || rcode === 'NXDOMAIN' ? ['rewrite'] : ['rewrite', 'autopath']
  const changed = notes.findLast(({ word, facts }) => changes.includes(word) && facts?.name !== undefined)
  return changed === undefined ? name : String(changed.facts?.name)
}

/** Without the final dot, as people write names. */
export const bare = (name: string): string => (name === '.' ? name : name.replace(/\.$/, ''))

export const notesOf = ({ notes }: Transcript, word: string): TracedNote[] =>
  notes.filter(note => note.word === word)

export const lastOf = (transcript: Transcript, word: string): TracedNote | undefined =>
  notesOf(transcript, word).at(-1)

/** Whether nothing of that name, or of that type, is there: nobody failed. */
export const isAbsent = ({ outcome }: Case): boolean => outcome === 'no-name' || outcome === 'no-data'

export const upper = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)
export const sentence = (text: string): string => `${upper(text)}.`
