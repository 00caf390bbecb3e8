// Where Seamark answers otherwise than CoreDNS on purpose, as data: each row says when it applies and why. A difference
// that no row covers fails the parity run. docs/differences.md says the same to those who run it.

import type { Reply } from '../support/dns-client.ts'
import type { ParityQuestion } from './questions.ts'

/** One accepted difference. */
export interface AcceptedDifference {
  readonly id: string
  readonly reason: string
  /** True where exactly this difference is what the two replies show; undefined is no reply at all. */
  readonly applies: (
    question: ParityQuestion,
    coredns: Reply | undefined,
    seamark: Reply | undefined,
  ) => boolean
}

/** The payload that Seamark announces and never exceeds over UDP. */
const PAYLOAD_OCTETS = 1232

const isNodata = (reply: Reply | undefined): boolean =>
  reply?.rcode === 'NOERROR' &&
  reply.answer.length === 0 &&
  reply.authority.some(line => / IN SOA /.test(line))

/** Some of CoreDNS's records and no other. */
const isSubset = (reply: Reply | undefined, of: Reply): boolean =>
  reply !== undefined && reply.answer.length > 0 && reply.answer.every(line => of.answer.includes(line))

const lower = ({ name }: ParityQuestion): string => name.toLowerCase().replace(/\.$/, '')

/** The apex, the categories, the namespaces and the name server's own name. */
const isStructure = (question: ParityQuestion): boolean =>
  /^(?:(?:(?:[^.]+\.)?(?:svc|pod)\.|ns\.dns\.)?cluster(?:set)?\.local|(?:in-addr|ip6)\.arpa)$/.test(
    lower(question),
  )

const isReverse = (question: ParityQuestion): boolean => /\.(?:in-addr|ip6)\.arpa$/.test(lower(question))

/** An imported Service that has no address yet. */
const PENDING_IMPORT = 'pending.demo.svc.clusterset.local'

/** The rows, in the order in which they are tried. */
export const ACCEPTED_DIFFERENCES: readonly AcceptedDifference[] = [
  {
    id: 'txt-at-structure',
    reason:
      'TXT at the apex, svc, pod, a namespace or ns.dns is NODATA: the name exists, and NXDOMAIN would deny all names below it (RFC 8020)',
    applies: (question, coredns, seamark) =>
      question.type === 'TXT' && isStructure(question) && coredns?.rcode === 'NXDOMAIN' && isNodata(seamark),
  },
  {
    id: 'txt-at-pending-import',
    reason: 'a ServiceImport without an address yet exists for TXT as for every other type: NODATA',
    applies: (question, coredns, seamark) =>
      question.type === 'TXT' &&
      lower(question) === PENDING_IMPORT &&
      coredns?.rcode === 'NXDOMAIN' &&
      isNodata(seamark),
  },
  {
    id: 'reverse-name-other-type',
    reason:
      'another type than PTR at an existing reverse name is NODATA instead of going upstream: the name is ours',
    applies: (question, coredns, seamark) =>
      question.type !== 'PTR' && isReverse(question) && coredns?.rcode === 'NXDOMAIN' && isNodata(seamark),
  },
  {
    id: 'soa-of-missing-name',
    reason:
      'SOA of a name that does not exist is a name error like any other type (RFC 8020), and falls through as others do; CoreDNS gives NODATA',
    applies: (question, coredns, seamark) =>
      question.type === 'SOA' && isNodata(coredns) && (seamark?.rcode === 'NXDOMAIN' || isReverse(question)),
  },
  {
    id: 'alias-end',
    reason:
      'an alias whose last name does not exist, fails or has no such record has its code, and the SOA that denies it (RFC 6604); CoreDNS gives the links alone',
    applies: (_question, coredns, seamark) =>
      coredns?.rcode === 'NOERROR' &&
      coredns.answer.length > 0 &&
      coredns.answer.every(line => / IN CNAME /.test(line)) &&
      seamark?.answer.join() === coredns.answer.join() &&
      seamark.authority.every(line => / IN SOA /.test(line)),
  },
  {
    id: 'class',
    reason: 'classes other than IN are refused: this server has no data of theirs (CoreDNS gives IN data)',
    applies: (question, _coredns, seamark) => question.class !== undefined && seamark?.rcode === 'REFUSED',
  },
  {
    id: 'opt-unasked',
    reason:
      'no OPT record goes to a client that sent none (RFC 6891 7); the acl of CoreDNS puts one on its refusals and empty answers',
    applies: (question, coredns, seamark) =>
      question.udpSize === undefined &&
      question.dnssecOk === undefined &&
      coredns?.edns !== undefined &&
      seamark?.edns === undefined &&
      seamark?.rcode === coredns.rcode &&
      seamark.answer.length + coredns.answer.length === 0,
  },
  {
    id: 'payload',
    reason: `replies over UDP stay within ${PAYLOAD_OCTETS} octets, so that none is ever fragmented (RFC 9715)`,
    applies: (question, coredns, seamark) =>
      !question.tcp &&
      coredns?.flags.tc === false &&
      seamark?.flags.tc === true &&
      coredns.bytes.length > PAYLOAD_OCTETS,
  },
  {
    id: 'transfer',
    reason:
      'AXFR and IXFR are refused and never sent to an upstream: no resolver transfers a zone for a client',
    applies: (question, coredns, seamark) =>
      (question.type === 'AXFR' || question.type === 'IXFR') &&
      seamark?.rcode === 'REFUSED' &&
      coredns?.rcode !== 'REFUSED' &&
      coredns?.flags.aa !== true,
  },
  {
    id: 'ptr-at-ns-dns',
    reason: 'ns.dns exists for every type (NODATA); CoreDNS denies it for PTR',
    applies: (question, coredns, seamark) =>
      question.type === 'PTR' &&
      /^ns\.dns\.cluster(?:set)?\.local$/.test(lower(question)) &&
      coredns?.rcode === 'NXDOMAIN' &&
      isNodata(seamark),
  },
  {
    id: 'category-in-reverse-zone',
    reason:
      'svc and pod mean nothing in a reverse zone: the name goes to the next plugin like any other that is no address',
    applies: (question, coredns, seamark) =>
      /^(?:svc|pod)\.(?:in-addr|ip6)\.arpa$/.test(lower(question)) &&
      isNodata(coredns) &&
      seamark?.rcode === 'NXDOMAIN',
  },
  {
    id: 'ptr-of-malformed-name',
    reason:
      'a name in ip6.arpa of other than 32 nibbles is no address (RFC 3596 2.5); CoreDNS reads some of them as one',
    applies: (question, _coredns, seamark) =>
      question.type === 'PTR' &&
      /\.ip6\.arpa$/.test(lower(question)) &&
      lower(question).split('.').length !== 34 &&
      seamark?.rcode === 'NXDOMAIN',
  },
  {
    id: 'ptr-of-hidden-namespace',
    reason: 'namespaces that namespace_labels hide are hidden from PTR too; CoreDNS shows their names there',
    applies: (question, coredns, seamark) =>
      question.type === 'PTR' &&
      isReverse(question) &&
      coredns?.rcode === 'NOERROR' &&
      (seamark?.rcode === 'NXDOMAIN' || isSubset(seamark, coredns)),
  },
  {
    id: 'apex-ns-case',
    reason: 'the apex answers NS however it is spelled (RFC 4343); CoreDNS only in lower case',
    applies: (question, coredns, seamark) =>
      question.type === 'NS' &&
      lower(question) === 'cluster.local' &&
      question.name !== question.name.toLowerCase() &&
      isNodata(coredns) &&
      seamark?.rcode === 'NOERROR',
  },
  {
    id: 'ptr-of-unnamed-slice',
    reason:
      'an EndpointSlice without service name gives no PTR; CoreDNS makes one with an empty label, cannot encode it and stays silent',
    applies: (question, coredns, seamark) =>
      question.type === 'PTR' &&
      isReverse(question) &&
      coredns === undefined &&
      seamark?.rcode === 'NXDOMAIN',
  },
]

/** Differences that show in many replies together with others, and are taken out of both before the comparison. */
export const FORWARDED_DIFFERENCES = [
  'AA is set in what comes out of a cache, as in CoreDNS; but every thread has its own, and asks for itself first',
  'CD is copied from the query (RFC 4035 3.2.2); CoreDNS shows what the upstream sent',
  "owner names are spelled as this client asked; CoreDNS's cache has the first client's spelling",
] as const

/** The lines of a forwarded reply (RA is set) without what FORWARDED_DIFFERENCES names; other replies as they are. */
export function withoutForwarded(lines: readonly string[]): string[] {
  const flags = lines.find(line => line.startsWith('flags ')) ?? ''
  if (!/ ra\b/.test(flags)) return [...lines]
  return lines.map(line => {
    if (line === flags) return line.replace(/ (?:aa|cd)\b/g, '')
    return line.replace(
      /^(answer|authority) (\S+)/,
      (_, section: string, owner: string) => `${section} ${owner.toLowerCase()}`,
    )
  })
}

/** The only row where CoreDNS is compared with itself: it is silent about the same questions. */
export const CORE_DNS_SILENCE: AcceptedDifference = {
  id: 'silence',
  reason: 'CoreDNS cannot encode the PTR of an EndpointSlice without service name',
  applies: (question, coredns, other) =>
    question.type === 'PTR' && isReverse(question) && coredns === undefined && other === undefined,
}
