// Causes outside of the cluster: upstreams that fail, refuse, or know no such name; and what the cache keeps of it.

import type { TracedNote } from '../../serving/traced.ts'
import { bare, type Case, lastOf, notesOf, type Rule } from '../case.ts'

/** What upstreams said, each once. */
export function upstreamText(notes: readonly TracedNote[]): string {
  const texts = new Map<string, string>()
  for (const { facts, text } of notes) {
    const to = String(facts?.to ?? '')
    if (facts?.rcode !== undefined) texts.set(to, `${to} says ${facts.rcode}`)
    else if (facts?.error !== undefined)
      texts.set(to, `${to} does not answer (${reasonOf(String(facts.error))})`)
    else if (to === '' && /healthy|in time/.test(text)) texts.set(to, text)
  }
  return [...texts.values()].join(', ')
}

const reasonOf = (error: string): string => error.slice(error.lastIndexOf(': ') + 1).trim()

/** Where the alias leads that the answer ends with; '' where it has none. */
export const aliasOf = ({ transcript: { answer, type } }: Case): string => {
  const last = answer.at(-1)
  return last?.type === 'CNAME' && type !== 'CNAME' ? bare(last.data) : ''
}

/** Who names the upstreams that were asked: a StubDomain, a line of policy, or forward. */
function upstreamsOf({ transcript }: Case): string {
  const stub = lastOf(transcript, 'stubdomains')?.facts?.stub
  if (stub !== undefined) return `of StubDomain ${stub}`
  const line = notesOf(transcript, 'policy').findLast(({ facts }) => facts?.upstreams !== undefined)
  return line === undefined ? 'behind forward' : `of policy (${line.facts?.upstreams})`
}

export const upstream: Rule = one => {
  const { transcript, sought } = one
  const notes = notesOf(transcript, 'forward')
  const said = upstreamText(notes)
  if (said === '') return undefined
  const name = bare(sought)
  const answered = notes.findLast(({ facts }) => facts?.rcode !== undefined)
  const code = answered?.facts?.rcode
  if (code === undefined) {
    return {
      cause: `No upstream answers for ${name}: ${said}.`,
      advice: `See whether the addresses ${upstreamsOf(one)} are right and reached from this Pod.`,
    }
  }
  if (code === 'NXDOMAIN' || code === 'NOERROR') {
    const alias = aliasOf(one)
    const what = alias === '' ? name : `${name} is an alias of ${alias}, which`
    return {
      cause: `${what} ${code === 'NXDOMAIN' ? 'does not exist' : `has no ${transcript.type} record`} outside of the cluster: ${said}.`,
      advice: isReverse(name)
        ? 'If it is an address of this cluster, write its reverse zone behind kubernetes (in-addr.arpa ip6.arpa).'
        : code === 'NOERROR'
          ? 'The name is there: ask for another type, or those who keep its zone.'
          : 'Look at the spelling; if the name is right, ask those who keep its zone.',
    }
  }
  const { reason } = transcript
  const more = reason === '' || reason.includes(' says ') ? '' : ` (${reason})`
  return {
    cause: `The upstream gives no answer for ${name}: ${said}${more}.`,
    advice:
      code === 'REFUSED'
        ? `Let the upstream serve this client, or name another one ${upstreamsOf(one)}.`
        : `Ask the upstream itself for the name, or name another one ${upstreamsOf(one)}.`,
  }
}

const isReverse = (name: string): boolean => /\.(?:in-addr|ip6)\.arpa$/i.test(name)

export const cached: Rule = ({ transcript }) => {
  const note = lastOf(transcript, 'cache')
  if (note?.facts?.ttlSeconds === undefined) return undefined
  return {
    cause: `The cache holds ${transcript.rcode} for ${bare(transcript.name)}: ${note.text}.`,
    advice: `Wait ${Math.max(1, Number(note.facts.ttlSeconds))} s, and ask again.`,
  }
}
