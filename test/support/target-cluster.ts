// The cluster that the probes ask about, and the names in it.
//
//   web.demo   10.96.1.10, port http 80/TCP
//   big.demo   headless, 300 endpoints: 4800 octets of A records
//   ext.demo   ExternalName www.example.net; inside.demo, of web.demo; loop-a.demo and loop-b.demo name one another; link-0.demo … link-50.demo are a chain

import type { UpstreamStub } from './upstream-stub.ts'
import { a, named, nameOf, replyTo, type Script, type StubRecord, soa } from './upstream-stub.ts'

export const ZONE = 'cluster.local'
/** Exists, with an A record and no other. */
export const NAME = `web.demo.svc.${ZONE}`
export const ADDRESS = '10.96.1.10'
export const MISSING = `nope.demo.svc.${ZONE}`
/** The parent of NAME: exists and has no records (RFC 8020). */
export const PARENT = `demo.svc.${ZONE}`
export const BIG = `big.demo.svc.${ZONE}`
export const BIG_RECORDS = 300
export const SRV = `_http._tcp.${NAME}`
export const EXTERNAL = `ext.demo.svc.${ZONE}`
export const LOOP = `loop-a.demo.svc.${ZONE}`
export const CHAIN = `link-0.demo.svc.${ZONE}`
export const CHAIN_LINKS = 50
export const REVERSE = '10.1.96.10.in-addr.arpa'
export const REVERSE_MISSING = '200.200.200.10.in-addr.arpa'

/** The address of an endpoint of `big`. */
export const bigAddress = (i: number): string => `10.244.${8 + (i >> 8)}.${i & 255}`

const service = (name: string, spec: object): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'demo' },
  spec,
})
const external = (name: string, externalName: string): object =>
  service(name, { type: 'ExternalName', externalName })

/** The manifests, JSON documents in one YAML file. */
export function manifests(): string {
  const ports = [{ name: 'http', port: 80, protocol: 'TCP' }]
  const addresses = Array.from({ length: BIG_RECORDS }, (_, i) => bigAddress(i))
  const slices = [0, 100, 200].map(from => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `big-${from}`, namespace: 'demo', labels: { 'kubernetes.io/service-name': 'big' } },
    addressType: 'IPv4',
    ports,
    endpoints: addresses
      .slice(from, from + 100)
      .map(address => ({ addresses: [address], conditions: { ready: true } })),
  }))
  const links = Array.from({ length: CHAIN_LINKS }, (_, i) =>
    external(`link-${i}`, `link-${i + 1}.demo.svc.${ZONE}`),
  )
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } },
    service('web', { clusterIP: ADDRESS, ports }),
    service('big', { clusterIP: 'None', ports }),
    ...slices,
    external('ext', FORWARDED),
    external('inside', NAME),
    external('loop-a', `loop-b.demo.svc.${ZONE}`),
    external('loop-b', LOOP),
    ...links,
    external(`link-${CHAIN_LINKS}`, FORWARDED),
  ]
  return objects.map(object => JSON.stringify(object)).join('\n---\n')
}

/** What the upstream knows. */
export const FORWARDED = 'www.example.net'
export const FORWARDED_MISSING = 'none.example.net'
/** TTL of `FORWARDED`, in seconds. */
export const FORWARDED_TTL = 20
/** Has 60 A records: 960 octets. */
export const FORWARDED_BIG = 'big.example.net'
/** The upstream answers with an option and a payload of its own. */
export const FORWARDED_OPTIONS = 'options.example.net'
/** The upstream never answers. */
export const FORWARDED_SILENT = 'silent.example.net'

/** Answers as the upstream; over UDP what is larger than the asker takes is truncated. */
export const upstreamScript: Script = (asked, back) => {
  const name = nameOf(asked).toLowerCase().replace(/\.$/, '')
  if (name === FORWARDED_SILENT) return
  const many = Array.from({ length: 60 }, (_, i) => a(nameOf(asked), 60, `192.0.2.${i}`))
  const answers: Readonly<Record<string, readonly StubRecord[]>> = {
    [FORWARDED]: [a(nameOf(asked), FORWARDED_TTL, '192.0.2.80')],
    'alias.example.net': [
      named(nameOf(asked), 'CNAME', 60, FORWARDED),
      a(FORWARDED, FORWARDED_TTL, '192.0.2.80'),
    ],
    [FORWARDED_BIG]: many,
    [FORWARDED_OPTIONS]: [a(nameOf(asked), 60, '192.0.2.81')],
  }
  const answer = answers[name]
  if (!answer || !asked.what.endsWith(' A')) {
    const authority = [{ ...soa('example.net', 15), rdata: SOA_RDATA }]
    back.send(replyTo(asked, { rcode: answer ? 0 : 3, authority, ...(asked.edns && { opt: NO_OPTIONS }) }))
    return
  }
  const opt = name === FORWARDED_OPTIONS ? OWN_OPTIONS : NO_OPTIONS
  const whole = replyTo(asked, { answer, ...(asked.edns && { opt }) })
  const tooLarge = asked.transport === 'udp' && whole.length > (asked.edns?.udpSize ?? 512)
  back.send(tooLarge ? replyTo(asked, { tc: true, ...(asked.edns && { opt }) }) : whole)
}

/** The root for both names, a serial of 1, a minimum of 15 s. */
const SOA_RDATA = Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 0, 14, 16, 0, 0, 14, 16, 0, 0, 14, 16, 0, 0, 0, 15)
const NO_OPTIONS = new Uint8Array(0)
/** An option of code 65001 and a cookie that is nobody's. */
const OWN_OPTIONS = Uint8Array.of(0xfd, 0xe9, 0, 2, 0xab, 0xcd, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8)

/** The EDNS options that the upstream was sent. */
export const optionsSentTo = (upstream: UpstreamStub): number[] =>
  upstream.asked.flatMap(({ edns }) => (edns?.options ?? []).map(({ code }) => code))
