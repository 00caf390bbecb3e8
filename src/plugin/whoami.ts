// `whoami`: tells the client how it came (CoreDNS plugin/whoami): no answer, its address in the additional section, and
// an SRV record with its port below the transport's label.
//
//   example.org.       0 IN A   10.240.0.1
//   _udp.example.org.  0 IN SRV 0 0 40212 .

import { first, readLine } from '../corefile/arguments.ts'
import type { Query } from '../query/query.ts'
import { answer, type Reply } from '../query/reply.ts'
import { parseIp } from '../shared/ip.ts'
import { NAME_MAX_OCTETS, type Name, ROOT } from '../wire/name.ts'
import { type Rr, srvRdata } from '../wire/record.ts'
import { TYPE } from '../wire/rrtype.ts'
import type { Word } from './plugin.ts'

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
  create: () => ({ trees: true, handle: (query: Query) => whoami(query) }),
}

/** The reply to any question. Where `_udp.` makes the name too long, the SRV record is left out. */
export function whoami({ question, client, transport }: Query): Reply {
  const { qname, qclass } = question
  const additional: Rr[] = []
  const record = (owner: Name, type: number, rdata: Uint8Array): void => {
    additional.push({ owner, type, class: qclass, ttlSeconds: 0, rdata })
  }
  const ip = parseIp(client.address)
  if (ip !== undefined) record(qname, ip.family === 4 ? TYPE.A : TYPE.AAAA, ip.bytes)
  const owner = below(transport === 'udp' ? '_udp' : '_tcp', qname)
  if (owner !== undefined) record(owner, TYPE.SRV, srvRdata(0, 0, client.port, ROOT))
  return answer('whoami', [], additional)
}

function below(label: string, name: Name): Name | undefined {
  if (name.length + label.length + 1 > NAME_MAX_OCTETS) return undefined
  return Uint8Array.of(label.length, ...Buffer.from(label), ...name)
}
