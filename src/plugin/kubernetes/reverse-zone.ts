// Which zones have the names of addresses.

import { isWithin, type Name, name, parseName } from '../../wire/name.ts'

const IN_ADDR_ARPA = name('in-addr.arpa.')
const IP6_ARPA = name('ip6.arpa.')

/** Whether a zone, as octets, has names of addresses. */
export const isReverseName = (zone: Name): boolean => isWithin(zone, IN_ADDR_ARPA) || isWithin(zone, IP6_ARPA)

/** The same of its text. */
export const isReverseZone = (text: string): boolean => {
  const zone = parseName(text)
  return zone !== undefined && isReverseName(zone)
}
