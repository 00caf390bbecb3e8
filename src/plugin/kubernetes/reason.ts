// HOT: why a name of the cluster gives nothing, in words for the person who asked with EDNS (RFC 8914): what CoreDNS never
// tells. A reason is a row of words and of parts of the question; writing it allocates nothing.
//
//   $ dig web.shop.svc.cluster.local
//   ; EDE: 0 (Other): (no service web in namespace shop)

import type { Counter, Meters } from '../../observe/meters.ts'
import { reasonCounter } from '../../observe/reason-meters.ts'
import { EDE } from '../../wire/extended-error.ts'
import type { Scan } from '../../wire/scan.ts'
import type { Request } from './parse-name.ts'

/** Parts of the question by the offset that Request has of them. */
const PART = {
  service: 'serviceAt',
  namespace: 'namespaceAt',
  endpoint: 'endpointAt',
  port: 'portAt',
} as const

/** Pieces of the asked name, before and behind where a search domain begins. */
const PIECE = { asked: true, search: true } as const

/** A reason: the code, and words with the question's labels between them. */
export interface Reason {
  /** Its place among all. */
  readonly index: number
  readonly code: number
  readonly words: readonly (Uint8Array | Part)[]
}

type Part = keyof typeof PART | keyof typeof PIECE

let made = 0

/** A reason out of a text: `{service}` is the label that the question has for it. */
function reason(text: string, code: number = EDE.OTHER): Reason {
  const words = text.split(/[{}]/).map((word, i) => {
    if (i % 2 === 0) return Uint8Array.from(Buffer.from(word))
    if (Object.hasOwn(PART, word) || Object.hasOwn(PIECE, word)) return word as Part
    throw new RangeError(`a question has no part ${word}`)
  })
  return { index: made++, code, words }
}

const SEARCHED = '{asked} with the search domain {search} behind it'
const SERVICE = 'service {service} in namespace {namespace}'

/** All reasons. */
export const REASON = {
  // No such name.
  NO_NAMESPACE: reason('no namespace {namespace}'),
  NO_SERVICE: reason(`no ${SERVICE}`),
  NO_READY: reason(`headless ${SERVICE} has no ready endpoints`),
  IGNORED: reason(`${SERVICE} has no ready endpoints, and ignore empty_service hides it`),
  BAD_TARGET: reason(`the externalName of ${SERVICE} is no host name`),
  BELOW_EXTERNAL: reason(`${SERVICE} is an ExternalName: no name is below it`),
  NO_ENDPOINT: reason(`no ready endpoint {endpoint} of ${SERVICE}`),
  NO_PORT: reason(`no port {port} of that protocol in ${SERVICE}`),
  NOT_ZONAL: reason(`${SERVICE} is not headless: only headless services have zonal names`),
  PODS_DISABLED: reason('names of Pods are disabled (pods disabled)'),
  NO_POD_ADDRESS: reason('{service} is no address of a Pod'),
  NO_POD: reason('no Pod with the address {service} runs in namespace {namespace}'),
  NO_SUCH_SHAPE: reason('names of this zone end in svc or pod: SERVICE.NAMESPACE.svc'),
  SEARCHED: reason(`${SEARCHED} is no name of the cluster`),
  NO_SERVICE_SEARCHED: reason(`no ${SERVICE}: is it ${SEARCHED}?`),
  NO_NAMESPACE_SEARCHED: reason(`no namespace {namespace}: is it ${SEARCHED}?`),
  NO_OWNER: reason('no service and no ready endpoint has this address'),
  // No such record.
  NO_V4: reason(`${SERVICE} has no IPv4 address`),
  NO_V6: reason(`${SERVICE} has no IPv6 address`),
  NO_PORTS: reason(`${SERVICE} has no ports`),
  NO_TARGET: reason(`the externalName of ${SERVICE} leads to no such record`),
  NO_TYPE: reason('the name exists, and has no record of this type'),
  // Not given.
  NO_TRANSFERS: reason('this server block transfers no zones', EDE.NOT_SUPPORTED),
  // Neither is known yet.
  NOT_SYNCED: reason('the cluster is not listed yet', EDE.NOT_READY),
} as const

/** All reasons by `index`, with the names that metrics have for them: `no_service`. */
const NAMED = Object.entries(REASON).map(([key, { code }]) => ({ name: key.toLowerCase(), code }))
/** Clients without EDNS are told nothing: nobody looks whether it is the service or its namespace that is missing. */
const NO_SERVICE_OR_NAMESPACE = { name: 'no_service_or_namespace', code: EDE.OTHER }

/** The counters of all reasons by `index`, and behind them that of a name for which nobody looked for one. */
export const reasonCounters = (meters: Meters): readonly Counter[] =>
  [...NAMED, NO_SERVICE_OR_NAMESPACE].map(({ code, name }) => reasonCounter(meters, code, name))

const QUESTION_MARK = 0x3f
const DOT = 0x2e

/**
 * Writes the reason's text at `at`, where it ends before `limit`; returns the offset behind it, or -1 where it does not fit.
 * Octets of labels that are no printable ASCII are shown as `?`.
 */
export function writeReason(
  reason: Reason,
  out: Uint8Array,
  at: number,
  limit: number,
  scan: Scan,
  request: Request,
): number {
  let to = at
  if (to > limit) return -1
  for (let i = 0; i < reason.words.length; i++) {
    const word = reason.words[i]!
    if (word === 'asked' || word === 'search') {
      const { searchAt } = request
      const from = word === 'asked' ? 0 : searchAt
      to = writeLabels(scan.folded, from, word === 'asked' ? searchAt : scan.foldedLength - 1, out, to, limit)
      if (to < 0) return -1
    } else if (typeof word === 'string') {
      const labelAt = request[PART[word]]
      if (labelAt < 0) continue
      to = writeLabels(scan.folded, labelAt, labelAt + 1, out, to, limit)
      if (to < 0) return -1
    } else {
      if (to + word.length > limit) return -1
      for (let k = 0; k < word.length; k++) out[to++] = word[k]!
    }
  }
  return to
}

/** Writes the labels that begin in folded[from … end), with dots between them; returns the offset behind them, or -1. */
function writeLabels(
  folded: Uint8Array,
  from: number,
  end: number,
  out: Uint8Array,
  to: number,
  limit: number,
): number {
  for (let at = from; at < end; at += 1 + folded[at]!) {
    const length = folded[at]!
    if (to + 1 + length > limit) return -1
    if (at > from) out[to++] = DOT
    for (let k = 1; k <= length; k++) {
      const octet = folded[at + k]!
      out[to++] = octet > 0x20 && octet < 0x7f ? octet : QUESTION_MARK
    }
  }
  return to
}
