// What the fuzzer starts from: good queries about all that the probed cluster has and lacks, in all types, and queries that
// are put together part by part, each part now and then a lie.
//
//   header    flags, opcode, counts          question  labels, their lengths, pointers, type, class
//   records   sections, owners, lengths      options   codes, lengths, OPT records that are too many

import { encodeQuestion, TYPES } from '../support/dns-question.ts'
import type { Random } from '../support/random.ts'
import {
  BIG, CHAIN, EXTERNAL, FORWARDED, FORWARDED_BIG, FORWARDED_MISSING, LOOP, MISSING, NAME, PARENT, REVERSE, REVERSE_MISSING,
  SRV, ZONE,
} from '../support/target-cluster.ts' // biome-ignore format: names

// biome-ignore format: names
const NAMES = [
  NAME, MISSING, PARENT, BIG, SRV, EXTERNAL, CHAIN, LOOP, REVERSE, REVERSE_MISSING, FORWARDED, FORWARDED_BIG,
  FORWARDED_MISSING, ZONE, '.', `ns.dns.${ZONE}`, `dns-version.${ZONE}`, `10-244-8-1.demo.pod.${ZONE}`, `10-244-8-7.${BIG}`,
  `${NAME}.svc.${ZONE}`, 'b.a.9.8.ip6.arpa', '127.in-addr.arpa', 'localhost',
]
/** Zone transfers are asked for over TCP by another sort of client. */
const QTYPES = Object.values(TYPES).filter(type => type !== TYPES.OPT)
const CLASSES = [1, 1, 1, 1, 1, 1, 3, 4, 254, 255, 0, 65280]
const OPTIONS = [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 20292, 65001, 65535]
const SIZES = [0, 1, 511, 512, 513, 600, 1232, 1400, 4096, 65535]
const LENGTHS = [0, 1, 2, 62, 63, 64, 127, 128, 191, 192, 255]
const COUNTS = [0, 1, 2, 3, 255, 256, 65535]

/** A query that has to be answered. */
export function goodQuery(random: Random): Uint8Array {
  return encodeQuestion({
    name: mixedCase(random, random.pick(NAMES)),
    type: random.chance(50) ? random.pick([1, 28, 33, 12, 65]) : random.pick(QTYPES),
    rd: random.chance(80),
    cd: random.chance(10),
    ad: random.chance(10),
    ...(random.chance(50) && {
      edns: {
        udpSize: random.pick(SIZES),
        dnssecOk: random.chance(30),
        options: random.chance(30) ? [goodOption(random)] : [],
      },
    }),
  })
}

const goodOption = (random: Random): { code: number; data: Uint8Array } =>
  random.pick([
    { code: 3, data: new Uint8Array(0) },
    { code: 8, data: Uint8Array.of(0, 1, 24, 0, 192, 0, 2) },
    { code: 10, data: octets(random, 8) },
    { code: 10, data: octets(random, 8 + 8 + random.below(25)) },
    { code: 11, data: new Uint8Array(0) },
    { code: 12, data: new Uint8Array(random.below(300)) },
    { code: 65001, data: octets(random, random.below(40)) },
  ])

const mixedCase = (random: Random, name: string): string =>
  random.chance(30) ? [...name].map(char => (random.chance(50) ? char.toUpperCase() : char)).join('') : name

/** Random octets. */
export const octets = (random: Random, length: number): Uint8Array =>
  Uint8Array.from({ length }, () => random.below(256))

const u16 = (value: number): number[] => [(value >> 8) & 255, value & 255]

/** A query put together part by part, most parts true. */
export function oddQuery(random: Random): Uint8Array {
  const questions = random.chance(95) ? 1 : random.below(3)
  const sections = [0, 0, 0].map((_, section) =>
    Array.from({ length: recordCount(random, section) }, () => record(random, section)),
  )
  const body: number[] = []
  for (let i = 0; i < questions; i++)
    body.push(...name(random), ...type(random), ...u16(random.pick(CLASSES)))
  for (const section of sections) for (const one of section) body.push(...one)
  const counts = [questions, ...sections.map(({ length }) => length)]
  const told = counts.map(count => (random.chance(97) ? count : random.pick(COUNTS)))
  const flags = random.chance(85)
    ? [random.below(2), 0]
    : [random.below(256) & (random.chance(90) ? 0x7f : 0xff), random.below(256)]
  return Uint8Array.of(0, 0, ...flags, ...told.flatMap(u16), ...body)
}

/**
 * A query with as many options as go into so many octets, or with one that fills them: padding, cookies, nothing at all. It may
 * be refused, and costs no more than its octets.
 */
export function heavyQuery(random: Random, octetsMax: number): Uint8Array {
  const query = encodeQuestion({ name: random.pick(NAMES), type: random.pick([1, 28, 33]), edns: true })
  const room = Math.min(octetsMax, 0xffff) - query.length
  const code = random.pick(OPTIONS)
  const length = random.chance(40) ? room - 4 : random.pick([0, 0, 1, 8, 40])
  const data = octets(random, Math.min(64, length))
  const option = Buffer.concat([
    Buffer.from([...u16(code), ...u16(length)]),
    data,
    Buffer.alloc(length - data.length),
  ])
  const count = Math.max(1, Math.floor((room * (1 + random.below(100))) / 100 / option.length))
  const options = Buffer.concat(Array.from({ length: count }, () => option))
  // What stands last is the length of the OPT record's data.
  query.set(u16(options.length), query.length - 2)
  return Uint8Array.from(Buffer.concat([query, options]))
}

const type = (random: Random): number[] => u16(random.chance(85) ? random.pick(QTYPES) : random.below(65536))

function recordCount(random: Random, section: number): number {
  if (section < 2) return random.chance(93) ? 0 : 1 + random.below(2)
  return random.chance(30) ? 0 : random.chance(90) ? 1 : random.below(5)
}

/** A name's octets: labels of names that there are, others among them, lengths that lie, pointers. */
function name(random: Random): number[] {
  const labels = random
    .pick(NAMES)
    .split('.')
    .filter(label => label !== '')
  const wire: number[] = []
  for (const label of labels) {
    if (random.chance(5)) wire.push(...odd(random))
    if (random.chance(3)) continue
    const bytes = [...Buffer.from(label)]
    wire.push(random.chance(98) ? bytes.length : random.pick(LENGTHS), ...bytes)
  }
  if (random.chance(2)) for (let left = random.below(130); left > 0; left--) wire.push(1, random.below(256))
  if (random.chance(6)) return [...wire, 0xc0 | random.below(64), random.below(256)]
  return random.chance(98) ? [...wire, 0] : wire
}

function odd(random: Random): number[] {
  const length = random.chance(90) ? 1 + random.below(12) : 1 + random.below(63)
  return [length, ...octets(random, length)]
}

function record(random: Random, section: number): number[] {
  if (section === 2 ? random.chance(85) : random.chance(10)) return opt(random)
  const data = octets(random, random.below(24))
  const length = random.chance(95) ? data.length : random.below(65536)
  const owner = random.chance(60) ? [0xc0, 12] : random.chance(50) ? [0] : name(random)
  return [
    ...owner,
    ...type(random),
    ...u16(random.pick(CLASSES)),
    ...octets(random, 4),
    ...u16(length),
    ...data,
  ]
}

function opt(random: Random): number[] {
  const options = Array.from({ length: random.chance(95) ? random.below(4) : random.below(100) }, () =>
    option(random),
  ).flat()
  const length = random.chance(97) ? options.length : random.below(65536)
  const version = random.chance(95) ? 0 : random.below(256)
  const flags = random.chance(90) ? [random.pick([0, 0x80]), 0] : [...octets(random, 2)]
  const owner = random.chance(98) ? [0] : name(random)
  return [
    ...owner,
    0,
    41,
    ...u16(random.pick(SIZES)),
    random.chance(97) ? 0 : random.below(256),
    version,
    ...flags,
    ...u16(length),
    ...options,
  ]
}

function option(random: Random): number[] {
  const { code, data } = random.chance(60)
    ? goodOption(random)
    : { code: random.pick(OPTIONS), data: octets(random, random.below(50)) }
  return [...u16(code), ...u16(random.chance(95) ? data.length : random.below(300)), ...data]
}
