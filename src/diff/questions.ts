// What both servers are asked: the questions of a query log, of what `seamark tap` printed, of a file of dnstap, or of a plain
// list, each once, the most frequent first.

import { parseName } from '../wire/name.ts'
import { parseType } from '../wire/rrtype.ts'
import { isTap, tapQuestions } from './tap.ts'

/** A question of class IN. */
export interface Asked {
  /** With its final dot, in lower case. */
  readonly name: string
  readonly type: string
}

/** Questions, and how many lines were none. */
export interface Found {
  readonly questions: readonly Asked[]
  readonly passedOver: number
}

/** `log` of CoreDNS, whatever stands before and behind: "A IN example.org. udp 41 false 4096". */
const LOGGED = /"([A-Z0-9]+) IN (\S+) (?:udp|tcp|tls|https|dot|doh) \d+ (?:true|false) \d+"/
/** A line of `seamark tap` (explain/tap.ts): "2026-11-30T10:00:00.000Z 10.0.0.7:40212 (shop/curl) A example.org. udp NOERROR …". */
const TAPPED = /^\d{4}-\S+Z \S+:\d+ (?:\(\S+\) )?([A-Z0-9]+) (\S+) \S+ [A-Z-]/
/** A line of a list, as dnsperf reads it: NAME, or NAME TYPE. */
const LISTED = /^(\S+)(?:\s+([A-Za-z0-9]+))?$/

/** Reads a log or a tap as text or JSON, a list, or dnstap. */
export function questionsOf(octets: Uint8Array): Found {
  const counts = new Map<string, { readonly asked: Asked; times: number }>()
  let passedOver = 0
  const take = (asked: Asked | undefined): void => {
    if (asked === undefined) {
      passedOver++
      return
    }
    const key = `${asked.name} ${asked.type}`
    const known = counts.get(key)
    if (known) known.times++
    else counts.set(key, { asked, times: 1 })
  }
  if (isTap(octets)) for (const { name, type } of tapQuestions(octets)) take(asked(name, type))
  else {
    const lines = Buffer.from(octets)
      .toString('utf8')
      .split(/\r?\n/)
      .map(line => line.trim())
    // What else a log has, such as a banner, is no list.
    const isLog = lines.some(line => LOGGED.test(line) || TAPPED.test(line) || line.includes('{"'))
    for (const line of lines)
      if (line !== '' && !/^[#;]/.test(line)) take(isLog ? logged(line) : listed(line))
  }
  const questions = [...counts.values()].sort((a, b) => b.times - a.times).map(({ asked }) => asked)
  return { questions, passedOver }
}

function logged(line: string): Asked | undefined {
  const [, type, name] = LOGGED.exec(line) ?? TAPPED.exec(line) ?? []
  if (type !== undefined) return asked(name!, type)
  // Behind whatever a collector of logs puts in front.
  return line.includes('{"') ? ofJson(line.slice(line.indexOf('{"'))) : undefined
}

function listed(line: string): Asked | undefined {
  const [, name, type = 'A'] = LISTED.exec(line) ?? []
  return name === undefined ? undefined : asked(name, type)
}

/** A line of -log-format=json, or of `seamark tap --json`, which names things otherwise. */
function ofJson(text: string): Asked | undefined {
  try {
    const {
      name,
      type,
      qname = name,
      qtype = type,
      qclass = 'IN',
    } = JSON.parse(text) as Record<string, unknown>
    if (typeof qname !== 'string' || typeof qtype !== 'string' || qclass !== 'IN') return undefined
    return asked(qname, qtype)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function asked(written: string, type: string): Asked | undefined {
  const name = (written.endsWith('.') ? written : `${written}.`).toLowerCase()
  const known = parseType(type.toUpperCase())
  return known === undefined || parseName(name) === undefined ? undefined : { name, type: type.toUpperCase() }
}
