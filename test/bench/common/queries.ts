// What is asked: lines of query files, `NAME TYPE`, in an order that is the same in every run and that no cache likes.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type EdnsOption, encodeQuestion } from '../../support/dns-question.ts'
import { Random } from '../../support/random.ts'
import { NAMESPACES, type ServiceShape } from './cluster.ts'

const SEED = 20_261
/** A Pod's search path (`ndots:5`), and the namespace that the Pod is in. */
const SEARCH_PATH = ['ns-1.svc.cluster.local', 'svc.cluster.local', 'cluster.local']
const EXTERNAL_NAMES = 1000

/** The values in another order (Fisher and Yates), always the same. */
export function shuffled<Value>(values: readonly Value[]): Value[] {
  const random = new Random(SEED)
  const order = [...values]
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const other = order[j]!
    order[j] = order[i]!
    order[i] = other
  }
  return order
}

const isWide = ({ name }: ServiceShape): boolean => name.startsWith('wide-')

/** A of every Service with a cluster IP. */
export const clusterIps = (services: readonly ServiceShape[]): string[] =>
  shuffled(services.filter(({ clusterIp }) => clusterIp).map(({ fqdn }) => `${fqdn} A`))

const headless = (services: readonly ServiceShape[]): ServiceShape[] =>
  shuffled(services.filter(service => !service.clusterIp && !isWide(service)))

/** A of every headless Service. */
export const headlessAddresses = (services: readonly ServiceShape[]): string[] =>
  headless(services).map(({ fqdn }) => `${fqdn} A`)

/** SRV of the port of every headless Service. */
export const headlessPorts = (services: readonly ServiceShape[]): string[] =>
  headless(services).map(({ fqdn }) => `_http._tcp.${fqdn} SRV`)

/** A of the Service with so many endpoints. */
export const wide = (endpoints: number): string[] => [`wide-${endpoints}.ns-0.svc.cluster.local A`]

/** A of names that no Service has. */
export const missing = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => `missing-${n}.ns-${n % NAMESPACES}.svc.cluster.local A`)

/** Names of which each serial has its own, so that none of them is in a cache, or about to leave it. */
const externalNames = (serial: number): string[] =>
  shuffled(Array.from({ length: EXTERNAL_NAMES }, (_, n) => `ext-${serial}-${n}.example.org`))

/** A and AAAA of names beyond the cluster. */
export const externals = (serial: number): string[] =>
  externalNames(serial).flatMap(name => [`${name} A`, `${name} AAAA`])

/** The same names as a Pod asks for them: with each suffix of its search path, and alone at last. */
export const searchPathWalk = (serial: number): string[] =>
  externalNames(serial).flatMap(name =>
    [...SEARCH_PATH.map(suffix => `${name}.${suffix}`), name].flatMap(full => [`${full} A`, `${full} AAAA`]),
  )

/** Names beyond the cluster that exist, so many, and that no other serial asks for. */
export const freshNames = (serial: number, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `fresh-${serial}-${n}.example.org A`)

/** Names beyond the cluster that nobody asked for before: half of them exist. `first` is the number of the first. */
export const distinctExternals = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${i % 2 === 0 ? 'there' : 'gone'}-${first + i}.example.net A`)

/** `count` random names, 70 % of them below the cluster's zone, 30 % beyond it; `round` makes them new. */
export function randomNames(round: number, count: number): string[] {
  const random = new Random(SEED + round)
  return Array.from({ length: count }, (_, i) => {
    const label = `r${round}-${i}-${random.below(1 << 30).toString(36)}`
    return random.chance(70) ? `${label}.ns-${i % NAMESPACES}.svc.cluster.local A` : `${label}.example.net A`
  })
}

/** The lines as messages with one EDNS option, for which dnsperf has no words where it is empty. Gives the file's path. */
export function writePackets(
  folder: string,
  name: string,
  lines: readonly string[],
  option: EdnsOption,
): string {
  const file = join(folder, `${name}.packets`)
  const messages = lines.flatMap(line => {
    const [qname = '', type = 'A'] = line.split(' ')
    const octets = encodeQuestion({ name: qname, type, edns: { options: [option] } }, 0)
    return [Uint8Array.of(octets.length >> 8, octets.length & 255), octets]
  })
  writeFileSync(file, Buffer.concat(messages))
  return file
}

/** Writes a query file into the folder and gives its path. */
export function writeQueries(folder: string, name: string, lines: readonly string[]): string {
  const file = join(folder, `${name}.queries`)
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}
