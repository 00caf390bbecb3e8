// `minimal`: answers without what nobody asked for (CoreDNS plugin/minimal; RFC 2181 section 9 has the sections beside the
// answer for help only). Negative answers keep the SOA that caches need, delegations their name servers.

import { readLine } from '../corefile/arguments.ts'
import { BACK, DONE } from '../query/packet.ts'
import { SECTION } from '../wire/walk.ts'
import { packetType } from './log/classify.ts'
import type { Word } from './plugin.ts'

/** `minimal`, without arguments; the fast path heeds it by itself (kubernetes/writer.ts). */
export const minimalWord: Word<Record<string, never>> = {
  word: 'minimal',
  doc: {
    usage: 'minimal',
    meaning: 'leaves out the authority and additional sections of positive answers',
    options: [],
    example: `
      . {
          minimal
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    for (const directive of directives) readLine(directive, problems, () => {})
    return {}
  },
  effect: () => ({ transparent: true, minimal: true }),
  create: (_config, { clock }) => ({
    handle(packet) {
      packet.becomesSmaller = true
      return BACK
    },
    back(packet) {
      if (packetType(packet, clock.wallMs()) === 'NOERROR') packet.dropSections(SECTION.AUTHORITY)
      return DONE
    },
  }),
}
