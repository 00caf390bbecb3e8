// `whoami`: tells the client how it came (CoreDNS plugin/whoami): no answer, its address in the additional section, and
// an SRV record with its port below the transport's label.
//
//   example.org.       0 IN A   10.240.0.1
//   _udp.example.org.  0 IN SRV 0 0 40212 .

import { first, readLine } from '../corefile/arguments.ts'
import { pluginIndex } from '../observe/query-meters.ts'
import type { Packet, Step } from '../query/packet.ts'
import { ipv4At } from '../query/sockaddr.ts'
import { FLAG_AA } from '../wire/header.ts'
import { NAME_MAX_OCTETS, ROOT } from '../wire/name.ts'
import { RCODE } from '../wire/rcode.ts'
import { srvRdata } from '../wire/record.ts'
import { TYPE } from '../wire/rrtype.ts'
import { SECTION } from '../wire/walk.ts'
import type { Word } from './plugin.ts'

const PLUGIN = pluginIndex('whoami')
const { ADDITIONAL } = SECTION
const UDP = Uint8Array.of(4, ...Buffer.from('_udp'))
const TCP = Uint8Array.of(4, ...Buffer.from('_tcp'))
/** Of the reply at hand: the SRV record's owner, and its data, of which the port changes. */
const owner = new Uint8Array(NAME_MAX_OCTETS)
const srv = srvRdata(0, 0, 0, ROOT)

/** `whoami`, without arguments. */
export const whoamiWord: Word<Record<string, never>> = {
  word: 'whoami',
  doc: {
    usage: 'whoami',
    meaning: 'answers with the address and the port that the client asks from',
    options: [],
    example: `
      . {
          whoami
      }`,
  },
  parse(directives, problems) {
    const directive = first(directives, problems)
    if (directive !== undefined) readLine(directive, problems, () => {})
    return {}
  },
  create: () => ({ handle: whoami }),
}

/** The reply to any question. Where `_udp.` makes the name too long, the SRV record is left out. */
function whoami(packet: Packet): Step {
  const { question, qnameAt, scan, from, fromAt } = packet
  const { qclass } = scan
  const composer = packet.compose()
  const v4At = ipv4At(from, fromAt)
  const addressAt = v4At >= 0 ? v4At : fromAt + 8
  const [type, octets] = v4At >= 0 ? [TYPE.A, 4] : [TYPE.AAAA, 16]
  composer.record(ADDITIONAL, question, qnameAt, type, qclass, 0, from, addressAt, addressAt + octets)
  const label = packet.transport === 'udp' ? UDP : TCP
  const nameOctets = scan.foldedLength
  if (nameOctets + label.length > NAME_MAX_OCTETS) return packet.composed(RCODE.NOERROR, PLUGIN, FLAG_AA)
  owner.set(label)
  for (let i = 0; i < nameOctets; i++) owner[label.length + i] = question[qnameAt + i]!
  srv[4] = from[fromAt + 2]!
  srv[5] = from[fromAt + 3]!
  composer.record(ADDITIONAL, owner, 0, TYPE.SRV, qclass, 0, srv, 0, srv.length)
  return packet.composed(RCODE.NOERROR, PLUGIN, FLAG_AA)
}
