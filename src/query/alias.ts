// What stands behind an alias that was followed: the code is that of the last name (RFC 6604 3), a denial brings its SOA along
// (RFC 2308), and the reason says which name has nothing.

import { EDE, type ExtendedError } from '../wire/extended-error.ts'
import { formatName, type Name } from '../wire/name.ts'
import { RCODE } from '../wire/rcode.ts'
import type { KeptReply } from './reply.ts'

/** Why there is nothing behind an alias that leads to `target`, out of the reply about it. */
export const aliasReason = (
  target: Name,
  { rcode, reasonCode, reason }: Pick<KeptReply, 'rcode' | 'reasonCode' | 'reason'>,
): ExtendedError => reasonOf(target, rcode, reasonCode, Buffer.from(reason).toString('utf8'))

/** Of a chain of aliases the first target and the last. */
const CHAIN = /^the alias leads to (\S+?)(?:, in the end to (\S+?))?: (.*)$/s

function reasonOf(target: Name, rcode: number, code: number, text: string): ExtendedError {
  const [, next, last = next, why = text] = CHAIN.exec(text) ?? []
  const end = last === undefined ? '' : `, in the end to ${last}`
  return {
    code: Math.max(EDE.OTHER, code),
    text: `the alias leads to ${formatName(target)}${end}: ${why || outcome(rcode)}`,
  }
}

function outcome(rcode: number): string {
  if (rcode === RCODE.NXDOMAIN) return 'no such name'
  return rcode === RCODE.NOERROR ? 'no such record' : 'it cannot be resolved'
}
