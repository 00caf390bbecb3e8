// The rules that keep DNS between Pods and the node's cache out of connection tracking: what node-cache adds with iptables to the
// table raw, in a table of nf_tables that is ours alone, over netlink. It is made and taken away as a whole, so that nobody else's
// rules are touched, no lock of iptables is waited for, and no rule is left behind. A firewall that drops what is not tracked
// needs a rule of its own: an accept in one table does not undo a drop in another.

import { parseIpOctets } from '../shared/ip.ts'
import { attribute, NETLINK, NetlinkError, type NetlinkMessage, netlink } from './netlink.ts'

export const TABLE = 'seamark_node_cache'

/** Messages of nf_tables: the subsystem's number before each. */
const NFT = { NEWTABLE: 0xa00, DELTABLE: 0xa02, NEWCHAIN: 0xa03, NEWRULE: 0xa06, GETRULE: 0xa07 } as const
const BATCH_BEGIN = 0x10
const BATCH_END = 0x11
const SUBSYSTEM = 10
const FAMILY = { 4: 2, 6: 10 } as const
/** NF_IP_PRI_RAW: before connection tracking. */
const PRIORITY_RAW = -300
const HOOKS = { prerouting: 0, output: 3 } as const
const REGISTER = 1
const NETWORK_HEADER = 1
const TRANSPORT_HEADER = 2
const META_L4PROTO = 16
const PROTOCOLS = { tcp: 6, udp: 17 } as const

export interface NotrackWanted {
  readonly addresses: readonly string[]
  readonly family: 4 | 6
  readonly port: number
  readonly healthPort: number
}

interface Rule {
  readonly chain: keyof typeof HOOKS
  readonly protocol: keyof typeof PROTOCOLS
  readonly side: 'source' | 'destination'
  readonly address: string
  readonly port: number
}

/** What goes to the cache or comes from it; from the node itself, too, with the kubelet's probes. */
export function notrackRules({ addresses, port, healthPort }: NotrackWanted): Rule[] {
  return addresses.flatMap(address => [
    ...(['tcp', 'udp'] as const).flatMap((protocol): Rule[] => [
      { chain: 'prerouting', protocol, side: 'destination', address, port },
      { chain: 'output', protocol, side: 'source', address, port },
      { chain: 'output', protocol, side: 'destination', address, port },
    ]),
    { chain: 'output', protocol: 'tcp', side: 'destination', address, port: healthPort },
    { chain: 'output', protocol: 'tcp', side: 'source', address, port: healthPort },
  ])
}

/** Sees to it that the rules are there; whether they had to be made. Throws NetlinkError. */
export async function ensureNotrack(wanted: NotrackWanted): Promise<boolean> {
  const rules = notrackRules(wanted)
  if ((await countRules(wanted.family)) === rules.length) return false
  const nft = (type: number, flags: number, ...attributes: Uint8Array[]): NetlinkMessage =>
    message(wanted.family, type, flags, attributes)
  const table = attribute(1, TABLE)
  await batch(
    [
      // Made where there is none, so that it can be taken away where there is one.
      nft(NFT.NEWTABLE, NETLINK.CREATE, table),
      nft(NFT.DELTABLE, 0, table),
      nft(NFT.NEWTABLE, NETLINK.CREATE, table),
      ...Object.entries(HOOKS).map(([name, hook]) =>
        nft(
          NFT.NEWCHAIN,
          NETLINK.CREATE,
          attribute(1, TABLE),
          attribute(3, name),
          attribute(4, [attribute(1, hook), attribute(2, PRIORITY_RAW)]),
          attribute(7, 'filter'),
        ),
      ),
      ...rules.map(rule =>
        nft(
          NFT.NEWRULE,
          NETLINK.CREATE | NETLINK.APPEND,
          attribute(1, TABLE),
          attribute(2, rule.chain),
          attribute(4, expressions(rule, wanted.family)),
        ),
      ),
    ],
    'adding the rules that keep DNS out of connection tracking',
  )
  return true
}

/** Takes the rules away. That there are none is no error. Throws NetlinkError. */
export async function removeNotrack(family: 4 | 6): Promise<void> {
  try {
    await batch(
      [message(family, NFT.DELTABLE, 0, [attribute(1, TABLE)])],
      'removing the rules that keep DNS out of connection tracking',
    )
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.code !== 'ENOENT') throw error
  }
}

async function countRules(family: 4 | 6): Promise<number> {
  const question = message(family, NFT.GETRULE, NETLINK.DUMP, [attribute(1, TABLE)])
  const replies = await netlink(NETLINK.NETFILTER, [question], 'looking for the rules of the node cache')
  return replies.filter(({ type }) => type === NFT.NEWRULE).length
}

/** All or nothing. */
async function batch(messages: readonly NetlinkMessage[], doing: string): Promise<void> {
  const edge = (type: number): NetlinkMessage => ({
    type,
    flags: 0,
    body: new Uint8Array([0, 0, 0, SUBSYSTEM]),
  })
  const acknowledged = messages.map(each => ({ ...each, flags: each.flags | NETLINK.ACK }))
  await netlink(NETLINK.NETFILTER, [edge(BATCH_BEGIN), ...acknowledged, edge(BATCH_END)], doing)
}

/** struct nfgenmsg and attributes. */
const message = (
  family: 4 | 6,
  type: number,
  flags: number,
  attributes: readonly Uint8Array[],
): NetlinkMessage => ({
  type,
  flags,
  body: Buffer.concat([new Uint8Array([FAMILY[family], 0, 0, 0]), ...attributes]),
})

/** `meta l4proto P; ip daddr A; th dport N; notrack`, as nf_tables runs it. */
function expressions({ protocol, side, address, port }: Rule, family: 4 | 6): Uint8Array[] {
  const octets = parseIpOctets(address)!
  const addressAt = family === 4 ? { source: 12, destination: 16 } : { source: 8, destination: 24 }
  return [
    expression('meta', attribute(1, REGISTER), attribute(2, META_L4PROTO)),
    equals(new Uint8Array([PROTOCOLS[protocol]])),
    payload(NETWORK_HEADER, addressAt[side], octets.length),
    equals(octets),
    payload(TRANSPORT_HEADER, side === 'source' ? 0 : 2, 2),
    equals(new Uint8Array([port >> 8, port & 255])),
    expression('notrack'),
  ]
}

const payload = (base: number, offset: number, length: number): Uint8Array =>
  expression(
    'payload',
    attribute(1, REGISTER),
    attribute(2, base),
    attribute(3, offset),
    attribute(4, length),
  )

const equals = (octets: Uint8Array): Uint8Array =>
  expression('cmp', attribute(1, REGISTER), attribute(2, 0), attribute(3, [attribute(1, octets)]))

const expression = (name: string, ...data: Uint8Array[]): Uint8Array =>
  attribute(1, data.length === 0 ? [attribute(1, name)] : [attribute(1, name), attribute(2, data)])
