// The interface with the cache's own addresses: a dummy one, as node-cache makes it, so that the addresses are of this node and go
// nowhere. Where the kernel has no dummy interfaces, they are put on `lo`.

import { parseIpOctets } from '../shared/ip.ts'
import { attribute, interfaceIndex, NETLINK, NetlinkError, netlink } from './netlink.ts'

const RTM = { NEWLINK: 16, DELLINK: 17, NEWADDR: 20, DELADDR: 21 } as const
const IFLA_IFNAME = 3
const IFLA_LINKINFO = 18
const IFLA_INFO_KIND = 1
const IFF_UP = 1
const IFA_ADDRESS = 1
const IFA_LOCAL = 2
/** No other node is asked whether it has an address of this kind: all have. */
const IFA_F_NODAD = 2
const AF = { 4: 2, 6: 10 } as const
const LOOPBACK = 'lo'

export interface InterfaceWanted {
  readonly name: string
  readonly addresses: readonly string[]
  readonly family: 4 | 6
}

/** The interface that has the addresses now, and whether it was made, or they were put there, by this call. */
export interface InterfaceState {
  readonly name: string
  readonly added: boolean
}

/** Sees to it that the interface is there with its addresses. Throws NetlinkError. */
export async function ensureInterface({ name, addresses, family }: InterfaceWanted): Promise<InterfaceState> {
  let index = await interfaceIndex(name)
  let added = false
  let there = name
  if (index === 0) {
    try {
      await addDummy(name)
      index = await interfaceIndex(name)
      added = true
    } catch (error) {
      if (!(error instanceof NetlinkError) || error.code !== 'ENOTSUP') throw error
      there = LOOPBACK
      index = await interfaceIndex(LOOPBACK)
    }
  }
  // Addresses of a dummy interface that is down are reachable over IPv4 alone.
  if (family === 6 || there === LOOPBACK) await setUp(there, index)
  for (const address of addresses) {
    const isNew = await putAddress(there, index, address, family)
    added ||= isNew && there === LOOPBACK
  }
  return { name: there, added }
}

/** Takes the interface away, or its addresses from `lo`. What is gone already is no error. Throws NetlinkError. */
export async function removeInterface({ name, addresses, family }: InterfaceWanted): Promise<void> {
  const index = await interfaceIndex(name)
  if (index !== 0) {
    await request(RTM.DELLINK, 0, linkBody(index, 0), `removing the interface ${name}`)
    return
  }
  const loopback = await interfaceIndex(LOOPBACK)
  for (const address of addresses) {
    try {
      await request(
        RTM.DELADDR,
        0,
        addressBody(loopback, address, family),
        `taking ${address} from ${LOOPBACK}`,
      )
    } catch (error) {
      if (!(error instanceof NetlinkError) || error.code !== 'EADDRNOTAVAIL') throw error
    }
  }
}

async function addDummy(name: string): Promise<void> {
  const body = Buffer.concat([
    linkBody(0, 0),
    attribute(IFLA_IFNAME, name),
    attribute(IFLA_LINKINFO, [attribute(IFLA_INFO_KIND, 'dummy')]),
  ])
  await request(RTM.NEWLINK, NETLINK.CREATE | NETLINK.EXCL, body, `adding the interface ${name}`)
}

const setUp = (name: string, index: number): Promise<void> =>
  request(RTM.NEWLINK, 0, linkBody(index, IFF_UP), `bringing the interface ${name} up`)

/** Whether it was not there before. */
async function putAddress(name: string, index: number, address: string, family: 4 | 6): Promise<boolean> {
  try {
    const body = addressBody(index, address, family)
    await request(RTM.NEWADDR, NETLINK.CREATE | NETLINK.EXCL, body, `putting ${address} on ${name}`)
    return true
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'EEXIST') return false
    throw error
  }
}

async function request(type: number, flags: number, body: Uint8Array, doing: string): Promise<void> {
  await netlink(NETLINK.ROUTE, [{ type, flags: flags | NETLINK.ACK, body }], doing)
}

/** struct ifinfomsg. */
function linkBody(index: number, flags: number): Uint8Array {
  const body = new Uint8Array(16)
  const view = new DataView(body.buffer)
  view.setInt32(4, index, true)
  view.setUint32(8, flags, true)
  view.setUint32(12, flags, true)
  return body
}

/** struct ifaddrmsg and the address, which stands alone in its network. */
function addressBody(index: number, address: string, family: 4 | 6): Uint8Array {
  const octets = parseIpOctets(address)!
  const head = new Uint8Array(8)
  head.set([AF[family], octets.length * 8, family === 6 ? IFA_F_NODAD : 0, 0])
  new DataView(head.buffer).setUint32(4, index, true)
  return Buffer.concat([head, attribute(IFA_LOCAL, octets), attribute(IFA_ADDRESS, octets)])
}
