// What must come back, as a line: alternatives between bars, each the rcode and what else must be so.
//
//   NOERROR aa answer:SOA !opt
//   NXDOMAIN aa soa | silence
//
//   NOERROR …        that rcode; `reply` any; `error` any but NOERROR and NXDOMAIN
//   silence          no reply (over TCP the connection may end, too)
//   aa tc rd ra ad   the flag is set
//   answer           records in the answer section; answer:A of that type, too
//   soa              one SOA record in authority and nothing else there, its TTL no more than its minimum (RFC 2308 3)
//   records          records in any section (OPT does not count)
//   opt              an OPT record; option:10 an option of that code in it
//   !…               not so

import type { Decoded } from './dns-message.ts'

const FLAGS = ['aa', 'tc', 'rd', 'ra', 'ad'] as const

/** Whether silence is one of the alternatives. */
export const allowsSilence = (line: string): boolean =>
  alternativesOf(line).some(([head]) => head === 'silence')

/** What does not hold, or '' where one of the alternatives does; `reply` undefined is silence. */
export function mismatch(line: string, reply: Decoded | undefined): string {
  const faults = alternativesOf(line).map(words => words.filter(word => !holds(word, reply)))
  if (faults.some(words => words.length === 0)) return ''
  const got = reply ? [reply.rcode, ...FLAGS.filter(flag => reply.flags[flag])].join(' ') : 'silence'
  return `${got}, but not: ${faults.map(words => words.join(' ')).join(', or ')}`
}

const alternativesOf = (line: string): string[][] => line.split('|').map(part => part.trim().split(/\s+/))

function holds(word: string, reply: Decoded | undefined): boolean {
  if (word === 'silence') return reply === undefined
  if (reply === undefined) return false
  return word.startsWith('!') ? !isSo(word.slice(1), reply) : isSo(word, reply)
}

function isSo(word: string, reply: Decoded): boolean {
  const { rcode, flags, records, edns } = reply
  const [head = '', value] = word.split(':')
  if (/^[A-Z]/.test(head)) return rcode === head
  const flag = FLAGS.find(name => name === head)
  if (flag) return flags[flag]
  switch (head) {
    case 'reply':
      return true
    case 'error':
      return rcode !== 'NOERROR' && rcode !== 'NXDOMAIN'
    case 'answer':
      return records.answer.some(({ type }) => value === undefined || type === value)
    case 'soa':
      return isNegativeSoa(reply)
    case 'records':
      return records.answer.length + records.authority.length + records.additional.length > 0
    case 'opt':
      return edns !== undefined
    case 'option':
      return edns?.options.some(({ code }) => code === Number(value)) ?? false
    default:
      throw new TypeError(`unknown word in an expectation: ${word}`)
  }
}

function isNegativeSoa({ records: { authority }, question: [question = ''] }: Decoded): boolean {
  const [soa] = authority
  if (soa?.type !== 'SOA' || authority.length > 1) return false
  const minimum = Number(soa.data.split(' ').at(-1))
  const qname = question.split(' ')[0]!.toLowerCase()
  const owner = soa.name.toLowerCase()
  return soa.ttlSeconds <= minimum && (qname === owner || qname.endsWith(`.${owner}`))
}
