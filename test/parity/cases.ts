// The cases as they are written (cases/*.yaml, README.md): a Corefile with its files and scripted upstreams, the questions
// in their order, and what of the answers is compared. A word that is not known here is a mistake in a case and throws.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { type EdnsOption, TYPES } from '../support/dns-question.ts'
import { ipOctets } from './rdata.ts'

/** A regular expression and what is put in the place of what it matches, in the text of an answer. */
export type Mask = readonly [pattern: string, put: string]

/** What an upstream does with the questions that the rule is for; the first rule that fits is taken. */
export interface Rule {
  /** With `*` and `?`, in lower case and with a final dot; default all. */
  readonly name?: string
  readonly type?: string
  readonly proto?: 'udp' | 'tcp'
  /** The rule is there for so many questions; and not for the first so many. */
  readonly times?: number
  readonly after?: number
  readonly rcode?: string
  readonly answer?: readonly string[]
  readonly authority?: readonly string[]
  readonly additional?: readonly string[]
  /** No record at all. */
  readonly empty?: boolean
  /** One record of the asked name and type with these data, which tells upstreams apart. */
  readonly number?: string
  readonly ttl?: number
  /** TC over UDP; without anything else to say, an empty reply. */
  readonly tc?: boolean
  readonly drop?: boolean
  /** Seconds. */
  readonly delay?: number
  /** Header bits to set, with `-` to clear. */
  readonly flags?: string
  readonly ede?: readonly [code: number, text: string]
  /** `CODE:HEX`. */
  readonly options?: readonly string[]
  readonly wrongid?: boolean
  /** `NAME TYPE` in place of the question; or none. */
  readonly question?: string
  readonly noquestion?: boolean
  /** Octets behind the ID, in hexadecimal digits. */
  readonly garbage?: string
  /** More than 512 octets without EDNS. */
  readonly big?: boolean
}

/** One upstream, the n-th of a case at the port {upN}. */
export interface UpstreamScript {
  /** Zone-file lines `NAME TTL IN TYPE DATA`. */
  readonly records?: string
  readonly rules?: readonly Rule[]
  /** An old server: no OPT in replies. */
  readonly quiet_edns?: boolean
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Nobody listens. */
  readonly down?: boolean
  /** TLS with the case's certificate in place of TCP and UDP. */
  readonly tls?: boolean
}

/** One question of a case with what happens before it and what is compared of its answer. */
export interface Question {
  /** As written. */
  readonly text: string
  readonly name: string
  readonly type: string
  readonly class: string
  readonly over: 'udp' | 'tcp' | 'tls'
  readonly rd: boolean
  readonly ad: boolean
  readonly cd: boolean
  readonly opcode: number
  readonly edns?: {
    readonly udpSize: number
    readonly version: number
    readonly dnssecOk: boolean
    readonly options: readonly EdnsOption[]
  }
  /** The client's address, and the server's. */
  readonly from?: string
  readonly at: string
  readonly to: 'port' | 'port2' | 'port3'
  readonly times: number
  readonly waitSeconds: number
  readonly timeoutSeconds: number
  readonly write: Readonly<Record<string, string>>
  readonly remove: readonly string[]
  readonly signal?: NodeJS.Signals
  readonly deviates?: string
  /** The order of the answer section is compared. */
  readonly ordered: boolean
  readonly masks: readonly Mask[]
  /** What of the questions to the upstreams is compared; none: nothing. */
  readonly seen: readonly string[]
  /** How long upstreams are listened to behind the answer; what comes again and again counts once. */
  readonly lingerSeconds: number
  /** Differences that do not count. */
  readonly ignore: readonly string[]
  readonly ttlSlackSeconds: number
}

/** A case. */
export interface Case {
  readonly id: string
  readonly corefile: string
  readonly files: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  /** Local addresses that the case needs. */
  readonly addresses: readonly string[]
  /** {dir} gets cert.pem, key.pem (localhost, 127.0.0.1, ::1) and ca.pem. */
  readonly certificate: boolean
  readonly upstream: readonly UpstreamScript[]
  readonly questions: readonly Question[]
  readonly masks: readonly Mask[]
  /** Extended errors are compared. */
  readonly ede: boolean
  /** Which lines of the log, which samples, which pages (`PORT/PATH`) are compared at the end. */
  readonly log?: string
  readonly metrics?: readonly string[]
  readonly http?: readonly string[]
}

const CASES = join(import.meta.dirname, 'cases')
const TIMEOUT_SECONDS = 3
const TTL_SLACK_SECONDS = 1
const UDP_SIZE = 1232
/** Local addresses that every case may use, beside those of the loopback. */
export const COMMON_ADDRESSES: readonly string[] = [
  '192.0.2.4',
  '10.9.9.9',
  '192.168.9.9',
  '172.16.9.9',
  '2001:db8::9',
]

// biome-ignore format: tables
const CASE_KEYS = ['id', 'corefile', 'files', 'env', 'addresses', 'certificate', 'upstream', 'ask', 'names', 'types', 'words',
  'deviate', 'deviates', 'seen', 'ordered', 'mask', 'ignore', 'ttl_slack', 'timeout', 'ede', 'log', 'metrics', 'http']
// biome-ignore format: tables
const ASK_KEYS = ['q', 'write', 'remove', 'signal', 'deviates', 'ordered', 'mask', 'seen', 'linger', 'ignore', 'ttl_slack', 'note']
const UPSTREAM_KEYS = ['records', 'rules', 'quiet_edns', 'host', 'down', 'tls']
// biome-ignore format: tables
const RULE_KEYS = ['name', 'type', 'proto', 'times', 'after', 'rcode', 'answer', 'authority', 'additional', 'empty', 'number',
  'ttl', 'tc', 'drop', 'delay', 'flags', 'ede', 'options', 'wrongid', 'question', 'noquestion', 'garbage', 'big']

/** A mapping of a case, its values yet to be believed. */
type Raw = { readonly [key: string]: unknown }

function checkKeys(what: string, raw: Raw, allowed: readonly string[]): void {
  for (const key of Object.keys(raw))
    if (!allowed.includes(key))
      throw new TypeError(`${what}: unknown word ${key}, known: ${allowed.join(' ')}`)
}

/** The cases of cases/FILE.yaml. Throws TypeError for what is not understood. */
export function readCases(file: string): Case[] {
  const list = parse(readFileSync(join(CASES, `${file}.yaml`), 'utf8')) as Raw[]
  return list.map(readCase)
}

function readCase(raw: Raw): Case {
  const id = String(raw.id)
  checkKeys(id, raw, CASE_KEYS)
  const upstream = (raw.upstream ?? []) as UpstreamScript[]
  for (const up of upstream) {
    checkKeys(`${id}: upstream`, up as Raw, UPSTREAM_KEYS)
    for (const rule of up.rules ?? []) checkKeys(`${id}: rule`, rule as Raw, RULE_KEYS)
  }
  const optional = Object.fromEntries(
    ['log', 'metrics', 'http'].filter(key => key in raw).map(key => [key, raw[key]]),
  )
  return {
    id,
    corefile: String(raw.corefile),
    files: (raw.files ?? {}) as Record<string, string>,
    env: (raw.env ?? {}) as Record<string, string>,
    addresses: (raw.addresses ?? []) as string[],
    certificate: raw.certificate === true,
    upstream,
    questions: questionsOf(raw).map(each => readQuestion(id, raw, each)),
    masks: (raw.mask ?? []) as Mask[],
    ede: raw.ede === true,
    ...optional,
  }
}

/** `ask`, and every name of `names` with every type of `types`; `deviate` is a list of [glob of `NAME TYPE`, reason]. */
function questionsOf(raw: Raw): Raw[] {
  const types = (raw.types ?? ['A', 'AAAA', 'SRV']) as string[]
  const words = raw.words === undefined ? '' : ` ${raw.words}`
  const crossed = ((raw.names ?? []) as string[]).flatMap(name =>
    types.map(type => `${name} ${type}${words}`),
  )
  const deviate = (raw.deviate ?? []) as [string, string][]
  return [...((raw.ask ?? []) as (Raw | string)[]), ...crossed].map(item => {
    const ask: Raw = typeof item === 'string' ? { q: item } : item
    const reason = deviate.find(([pattern]) => globPattern(pattern).test(String(ask.q)))?.[1]
    return reason === undefined ? ask : { deviates: reason, ...ask }
  })
}

/** A pattern in which `*` is any text and `?` any character. */
export const globPattern = (glob: string): RegExp =>
  new RegExp(
    `^${glob
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    's',
  )

const CLASSES = /^(?:IN|CH|HS|NONE|ANY|CLASS\d+)$/

/** `NAME TYPE [CLASS] [word…]`, and the keys beside it. */
function readQuestion(id: string, one: Raw, ask: Raw): Question {
  const text = String(ask.q)
  checkKeys(`${id}: ${text}`, ask, ASK_KEYS)
  const [name = '', type = 'A', ...words] = text.split(/\s+/)
  const asked = { class: 'IN', over: 'udp' as Question['over'], rd: true, ad: false, cd: false, opcode: 0 }
  const how = { to: 'port' as Question['to'], times: 1, waitSeconds: 0, timeoutSeconds: timeoutOf(one) }
  const options: EdnsOption[] = []
  let edns: { udpSize?: number; version?: number; dnssecOk?: boolean } | undefined
  let from: string | undefined
  let at: string | undefined
  for (const word of words) {
    const [key = '', value = ''] = word.split('=')
    if (CLASSES.test(word)) asked.class = word
    else if (word === 'tcp' || word === 'tls') asked.over = word
    else if (word === 'cd' || word === 'ad') asked[word] = true
    else if (word === 'nord') asked.rd = false
    else if (word === 'do') edns = { ...edns, dnssecOk: true }
    else if (word === 'nsid') options.push({ code: 3, data: new Uint8Array(0) })
    else if (key === 'edns') edns = { ...edns, udpSize: Number(value || UDP_SIZE) }
    else if (key === 'version') edns = { ...edns, version: Number(value) }
    else if (key === 'cookie') options.push({ code: 10, data: Buffer.from(value, 'hex') })
    else if (key === 'ecs') options.push({ code: 8, data: subnetOctets(value) })
    else if (key === 'opt') options.push(readOption(value))
    else if (key === 'from') from = value
    else if (key === 'at') at = value
    else if (key === 'to') how.to = value as Question['to']
    else if (key === 'x') how.times = Number(value)
    else if (key === 'wait') how.waitSeconds = Number(value)
    else if (key === 'timeout') how.timeoutSeconds = Number(value)
    else if (key === 'opcode') asked.opcode = Number(value)
    else throw new TypeError(`${id}: ${text}: unknown word ${word}`)
  }
  const { udpSize = UDP_SIZE, version = 0, dnssecOk = false } = edns ?? {}
  const deviates = (ask.deviates ?? one.deviates) as string | undefined
  return {
    text,
    name,
    type: type in TYPES || /^TYPE\d+$/.test(type) ? type : fail(`${id}: ${text}: unknown type ${type}`),
    ...asked,
    ...(edns || options.length > 0 ? { edns: { udpSize, version, dnssecOk, options } } : {}),
    ...(from === undefined ? {} : { from }),
    at: at ?? (from?.includes(':') ? '::1' : '127.0.0.1'),
    ...how,
    write: (ask.write ?? {}) as Record<string, string>,
    remove: (ask.remove ?? []) as string[],
    ...(ask.signal === undefined ? {} : { signal: ask.signal as NodeJS.Signals }),
    ...(deviates === undefined ? {} : { deviates }),
    ordered: (ask.ordered ?? one.ordered) === true,
    masks: [...((ask.mask ?? []) as Mask[]), ...((one.mask ?? []) as Mask[])],
    seen: (ask.seen ?? one.seen ?? []) as string[],
    lingerSeconds: Number(ask.linger ?? 0),
    ignore: (ask.ignore ?? one.ignore ?? []) as string[],
    ttlSlackSeconds: Number(ask.ttl_slack ?? one.ttl_slack ?? TTL_SLACK_SECONDS),
  }
}

const timeoutOf = (one: Raw): number => Number(one.timeout ?? TIMEOUT_SECONDS)

const fail = (message: string): never => {
  throw new TypeError(message)
}

/** `CODE:HEX`. */
export function readOption(text: string): EdnsOption {
  const [code, hex = ''] = text.split(':')
  return { code: Number(code), data: Buffer.from(hex, 'hex') }
}

/** The option of a client subnet `ADDRESS/BITS` (RFC 7871 6), scope 0. */
function subnetOctets(net: string): Uint8Array {
  const [address = '', bits] = net.split('/')
  const octets = ipOctets(address).subarray(0, Math.ceil(Number(bits) / 8))
  return Buffer.from([0, address.includes(':') ? 2 : 1, Number(bits), 0, ...octets])
}
