// Directives that no query reaches, and queries that reach nothing.

import type { Directive } from '../../corefile/corefile.ts'
import type { Problems } from '../../corefile/problem.ts'
import { placeText } from '../../corefile/token.ts'
import { DIRECTIVE_WORDS } from '../../corefile/words.ts'
import { isUnder, type Lint, type LintBlock, type NamedZone, option, overlap, zonesNamed } from './blocks.ts'

/** Words that answer queries, in the order of the chain. */
const ANSWERING = DIRECTIVE_WORDS.map(({ word }) => word).filter(word =>
  [
    'template',
    'hosts',
    'k8s_records',
    'k8s_external',
    'kubernetes',
    'file',
    'stubdomains',
    'forward',
    'whoami',
  ].includes(word),
)
/** Those that answer whatever is in their zones, unless it falls through. */
const ENDING = new Set(['hosts', 'kubernetes', 'file'])

/** A zone of a directive that its server block is never asked for. */
export const unreachableZones: Lint = (block, all, problems) => {
  for (const word of ANSWERING) {
    for (const directive of block.all(word)) {
      for (const named of word === 'forward' ? forwardZone(directive) : block.zonesOf(directive)) {
        reportUnreachable(named, block, all, problems)
      }
    }
  }
}

const forwardZone = ({ args }: Directive): NamedZone[] => args.slice(0, 1).flatMap(zonesNamed)

function reportUnreachable(
  { zone, token }: NamedZone,
  block: LintBlock,
  all: readonly LintBlock[],
  problems: Problems,
): void {
  const met = block.served.filter(served => overlap(served.zone, zone))
  if (met.length === 0) {
    const zones = block.served.map(served => served.zone).join(', ')
    problems.warning(token, `no query for this zone comes here: the server block serves ${zones}`, {
      found: zone,
    })
    return
  }
  if (block.has('view')) return
  const takers = met.map(({ zone: served, port, scheme }) =>
    all
      .flatMap(other => (other === block ? [] : other.served))
      .find(
        other =>
          other.port === port &&
          other.scheme === scheme &&
          other.zone !== served &&
          isUnder(other.zone, served) &&
          isUnder(zone, other.zone),
      ),
  )
  if (takers.includes(undefined)) return
  const taker = takers[0]!
  problems.warning(
    token,
    `no query for this zone comes here: the server block at ${placeText(taker.token)} takes it`,
    { found: zone },
  )
}

/** A directive behind one that answers everything. */
export const neverAsked: Lint = (block, _all, problems) => {
  ANSWERING.forEach((word, at) => {
    if (!ENDING.has(word)) return
    const ending = block
      .all(word)
      .find(
        directive =>
          option(directive, 'fallthrough') === undefined &&
          block.served.every(({ zone }) => block.zonesOf(directive).some(named => isUnder(zone, named.zone))),
      )
    if (ending === undefined) return
    const later = ANSWERING.slice(at + 1).flatMap(other => block.all(other))
    for (const directive of later) {
      const message = `never asked: ${word} at ${placeText(ending.word)} answers whatever this server block serves and has no fallthrough`
      problems.warning(directive.word, message, { found: directive.word.text })
    }
  })
}

/** `fallthrough` where nothing comes after, or for zones that the directive does not have. */
export const fallsNowhere: Lint = (block, _all, problems) => {
  ANSWERING.forEach((word, at) => {
    const directives = block.all(word)
    const followed = ANSWERING.slice(at + 1).some(later => block.has(later))
    directives.forEach((directive, i) => {
      const line = option(directive, 'fallthrough')
      if (line === undefined) return
      // One template falls through to the next.
      const nextOfItsKind = word === 'template' && i + 1 < directives.length
      if (!followed && !nextOfItsKind) {
        const message = `nothing in this server block comes after ${word}: what falls through is answered with SERVFAIL`
        problems.warning(line.word, message)
      }
      const zones = block.zonesOf(directive)
      for (const { zone, token } of line.args.flatMap(zonesNamed)) {
        if (zones.some(own => overlap(own.zone, zone))) continue
        problems.warning(token, `${word} has no such zone: nothing falls through`, { found: zone })
      }
    })
  })
}
