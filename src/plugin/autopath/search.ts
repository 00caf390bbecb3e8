// The search path of a resolv.conf (resolv.conf(5)): the domains of the last line `search`, or the one of `domain`.

import { parseZone } from '../../corefile/zone.ts'
import { readRegular, SETTINGS_MAX_OCTETS } from '../../shared/regular-file.ts'

/** Domains of a search path; each costs a look-up where a name is not found. */
export const SEARCH_MAX = 16

/** The domains in a file, lower-case absolute names; why it cannot be read. */
export function readSearch(file: string): readonly string[] | { readonly error: unknown } {
  try {
    return searchOf(readRegular(file, SETTINGS_MAX_OCTETS))
  } catch (error) {
    return { error }
  }
}

/** The domains in the text of a file; what is no domain is left out, and what is beyond SEARCH_MAX. */
export function searchOf(text: string): readonly string[] {
  let domains: readonly string[] = []
  for (const line of text.split('\n')) {
    const [word = '', ...rest] = line.trim().split(/\s+/)
    if (word === 'search') domains = rest
    else if (word === 'domain') domains = rest.slice(0, 1)
  }
  return domains
    .flatMap(domain => {
      const zone = parseZone(domain)
      return 'value' in zone ? [zone.value] : []
    })
    .slice(0, SEARCH_MAX)
}
