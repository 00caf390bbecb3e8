// How `hosts` is written.

import type { WordDoc } from '../../corefile/doc.ts'
import { FILE, RELOAD_MIN_MS, RELOAD_MS, TTL_MAX_SECONDS, TTL_SECONDS } from './config.ts'
import { FILE_MAX_OCTETS } from './load.ts'
import { ENTRIES_MAX } from './table.ts'

export const hostsDoc: WordDoc = {
  usage: 'hosts [FILE [ZONE…]]',
  meaning:
    'answers A, AAAA and PTR from a hosts file, and from lines of that shape in the block, before `fallthrough`; a name may begin with `*.`',
  default: `${FILE}, the server block's zones`,
  range: `${FILE_MAX_OCTETS / 1024 / 1024} MiB, ${ENTRIES_MAX} names with an address`,
  options: [
    {
      usage: 'ttl SECONDS',
      meaning: 'the TTL of all records',
      default: `${TTL_SECONDS}`,
      range: `1 to ${TTL_MAX_SECONDS}`,
    },
    { usage: 'no_reverse', meaning: 'makes no PTR records' },
    {
      usage: 'reload DURATION',
      meaning: 'how often the file is looked at; 0s is never',
      default: `${RELOAD_MS / 1000}s`,
      range: `from ${RELOAD_MIN_MS}ms`,
    },
    {
      usage: 'fallthrough [ZONE…]',
      meaning: 'hands names that are not listed to the next plugin, all or those in the zones',
      default: 'SERVFAIL',
    },
    {
      usage: 'fallthrough_unsupported',
      meaning: 'hands types other than A, AAAA and PTR to the next plugin even where the name is listed',
      range: 'with fallthrough',
    },
  ],
  notes: [
    'A file beyond the bounds stops a start, and a reload keeps what serves; one that has grown beyond them, or cannot be read any more, changes nothing and is logged once.',
    'A name takes some 60 octets, with its PTR record 110, once for all serving threads: a block list of 500,000 names 30 MiB with `no_reverse`, and three times that while it is read.',
    'A listed name counts before a wildcard wherever the two are written; an address that is listed twice is answered once.',
  ],
  example: `
    . {
        hosts /etc/coredns/NodeHosts {
            192.0.2.10 registry.example.org
            192.0.2.11 *.apps.example.org
            ttl 60
            fallthrough
        }
        forward . /etc/resolv.conf
    }`,
}
