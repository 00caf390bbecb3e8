// What a person writes in place of a name: a URL, an address, something with a blank in it. No resolver finds it, and what was meant
// is mostly plain.

import { domainToASCII } from 'node:url'
import { familyOf, reverseName } from '../shared/ip.ts'
import { parseName } from '../wire/name.ts'
import type { Verdict } from './case.ts'

/** Of what is asked for by a person: four characters for each octet at most. */
export const NAME_MAX_CHARACTERS = 1004
const LABEL_MAX_OCTETS = 63

/** What is wrong with it, and what to ask for; undefined where it is a name. */
export function whyNoName(text: string): Verdict | undefined {
  const quoted = JSON.stringify(text.length > NAME_MAX_CHARACTERS ? `${text.slice(0, 60)}…` : text)
  const meant = meantBy(text)
  const advice = meant === '' ? 'Give a name such as web.shop or www.example.org.' : `Ask for ${meant}.`
  const no = (cause: string): Verdict => ({ cause: `${quoted} ${cause}.`, advice })
  if (text === '') return no('is no name: it is empty')
  if (familyOf(text) !== 0)
    return {
      cause: `${quoted} is an address, which nobody asks a name server for.`,
      advice: `Ask for its name: ${reverseName(text.replace(/%.*$/, ''))} PTR.`,
    }
  if (text.includes('://')) return no('is a URL and no name')
  const odd = /[\s,;/'"()[\]<>@]/.exec(text)?.[0]
  if (odd !== undefined) return no(`is no name: it has ${odd.trim() === '' ? 'a blank' : odd} in it`)
  if (text.includes(':')) return no('is no name: a port is no part of it')
  if (/[^\0-\x7f]/.test(text)) return no('is not written in ASCII, as names in DNS are')
  if (text.length > NAME_MAX_CHARACTERS || parseName(text) === undefined)
    return no(`is no name: ${unparsed(text)}`)
  return undefined
}

function unparsed(text: string): string {
  const labels = text.replace(/\.$/, '').split('.')
  if (labels.includes('')) return 'it has an empty label, between two dots or at its beginning'
  const long = labels.find(label => label.length > LABEL_MAX_OCTETS)
  if (long !== undefined && !long.includes('\\'))
    return `a label of it has ${long.length} octets, and ${LABEL_MAX_OCTETS} is the most`
  return 'labels have 1 to 63 octets, a name 255 at most'
}

/** '' where that is not plain. */
function meantBy(text: string): string {
  const host = text
    .trim()
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
    .replace(/^[^@/]*@/, '')
    .replace(/[/?#].*$/s, '')
    .replace(/:\d*$/, '')
    .replaceAll(/^["'<([]+|["'>)\],;.\s]+$/g, '')
    .replaceAll(/\.{2,}/g, '.')
  const ascii = domainToASCII(host)
  return ascii !== '' && parseName(ascii) !== undefined && familyOf(ascii) === 0 ? ascii : ''
}
