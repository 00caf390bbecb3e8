// What proves to a validator that there is nothing, or that a wildcard was all there was (RFC 4035 3.1.3, RFC 5155 7.2), in
// the authority section. A zone is signed with NSEC, whose records stand at its names and name the next one, or with NSEC3,
// whose records stand at hashes of its names.
//
//                        NSEC                                 NSEC3
//   no such name         denies the name; denies *.encloser   matches the encloser; denies next closer, *.encloser
//   no such type         at the name; of an empty one denies  matches the name
//   none at a wildcard   denies the name; at the wildcard     matches the encloser; denies next closer; matches *.encloser
//   a wildcard's answer  denies the name                      denies next closer
//   no DS at a cut       at the cut                           matches the cut; where it opted out as no such name, less the *
//
// The next closer name is the one below the closest encloser on the way to the name.

import type { Name } from '../../wire/name.ts'
import { parentName } from '../../wire/name.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { SECTION } from '../../wire/walk.ts'
import { hashedName } from './hash.ts'
import type { Node } from './image.ts'
import { labelStarts, wildcardOf } from './names.ts'
import type { ZoneReply } from './reply.ts'

const { AUTHORITY } = SECTION

/** How the zone denies; undefined where the client does not want to know, or nothing is signed. */
function kindOf({ zone, dnssecOk }: ZoneReply): 'NSEC' | 'NSEC3' | undefined {
  if (!dnssecOk) return undefined
  if (zone.has(zone.apex, TYPE.NSEC)) return 'NSEC'
  return zone.hashedCount > 0 && zone.has(zone.apex, TYPE.NSEC3PARAM) ? 'NSEC3' : undefined
}

/** Adds the NSEC record that stands at the name, or before it. */
const deny = (reply: ZoneReply, name: Name): unknown =>
  reply.add(AUTHORITY, reply.zone.denier(name), TYPE.NSEC)

/** Adds the NSEC3 record whose hash is the name's, or before it. */
const denyHashed = (reply: ZoneReply, name: Name): unknown =>
  reply.add(AUTHORITY, reply.zone.denierOfHash(hashedName(reply.zone, name)), TYPE.NSEC3)

/** The NSEC3 record that matches, or denies where it must, the encloser; and the one that denies the next closer name. */
function denyNextCloser(reply: ZoneReply, name: Name, encloserAt: number): void {
  denyHashed(reply, name.subarray(encloserAt))
  denyHashed(reply, nextCloser(name, encloserAt))
}

const nextCloser = (name: Name, encloserAt: number): Name =>
  name.subarray(labelStarts(name, encloserAt)[0] ?? 0)

/** That there is no such name; name[encloserAt …) is the longest part of it that exists. */
export function proveNoName(reply: ZoneReply, name: Name, encloserAt: number): void {
  const kind = kindOf(reply)
  if (kind === undefined) return
  if (kind === 'NSEC') {
    deny(reply, name)
    deny(reply, wildcardOf(name, encloserAt))
    return
  }
  denyNextCloser(reply, name, encloserAt)
  denyHashed(reply, wildcardOf(name, encloserAt))
}

/** That a name has no records of the type. */
export function proveNoType(reply: ZoneReply, node: Node, name: Name): void {
  const kind = kindOf(reply)
  if (kind === 'NSEC') {
    if (!reply.add(AUTHORITY, node, TYPE.NSEC)) deny(reply, name)
  } else if (kind === 'NSEC3') proveAtHash(reply, name)
}

/** That a name which a wildcard stands in for has no records of the type. */
export function proveNoWildcardType(reply: ZoneReply, name: Name, encloserAt: number, wildcard: Node): void {
  const kind = kindOf(reply)
  if (kind === 'NSEC') {
    deny(reply, name)
    if (!reply.add(AUTHORITY, wildcard, TYPE.NSEC)) deny(reply, wildcardOf(name, encloserAt))
  } else if (kind === 'NSEC3') {
    denyNextCloser(reply, name, encloserAt)
    denyHashed(reply, wildcardOf(name, encloserAt))
  }
}

/** That no name is closer to the one that was asked for than the wildcard which answers it. */
export function proveExpansion(reply: ZoneReply, name: Name, encloserAt: number): void {
  const kind = kindOf(reply)
  if (kind === 'NSEC') deny(reply, name)
  else if (kind === 'NSEC3') denyHashed(reply, nextCloser(name, encloserAt))
}

/** That a zone cut has no DS record: what lies below is not signed (RFC 4035 3.1.4). */
export function proveNoDs(reply: ZoneReply, cut: Node): void {
  const kind = kindOf(reply)
  if (kind === 'NSEC') reply.add(AUTHORITY, cut, TYPE.NSEC)
  else if (kind === 'NSEC3') proveAtHash(reply, reply.zone.nameOf(cut))
}

/** The NSEC3 record of the name itself; one that was left out is denied behind the closest encloser that was not (7.2.4). */
function proveAtHash(reply: ZoneReply, name: Name): void {
  const { zone } = reply
  const isThere = (each: Name): boolean => zone.find(hashedName(zone, each)) !== 0
  if (isThere(name)) {
    denyHashed(reply, name)
    return
  }
  let encloser = parentName(name)
  while (encloser.length > zone.origin.length && !isThere(encloser)) encloser = parentName(encloser)
  denyNextCloser(reply, name, name.length - encloser.length)
}
