// How `file` is written.

import type { WordDoc } from '../../corefile/doc.ts'
import { RELOAD_MIN_MS, RELOAD_MS } from './config.ts'
import { ZONE_MAX_OCTETS } from './load.ts'
import { INCLUDES_MAX, RECORDS_MAX } from './reader.ts'

export const fileDoc: WordDoc = {
  usage: 'file DBFILE [ZONE…]',
  meaning: 'answers for zones out of a zone file (RFC 1035), read again when its serial changes',
  default: 'the zones of the server block',
  options: [
    {
      usage: 'reload DURATION',
      meaning: 'how often the file is looked at; 0 is never',
      default: `${RELOAD_MS / 1000}s`,
      range: `from ${RELOAD_MIN_MS}ms`,
    },
    {
      usage: 'reload_by_mtime',
      meaning: 'takes a file that was modified, whatever its serial',
    },
    {
      usage: 'fallthrough [ZONE…]',
      meaning: 'hands names that are not in the zone to the next plugin, in these zones only or in all',
      default: 'NXDOMAIN',
    },
  ],
  notes: [
    `A zone has at most ${RECORDS_MAX} records in ${INCLUDES_MAX} files of ${ZONE_MAX_OCTETS / 1024 ** 2} MiB together.`,
    'Signed zones are served with their signatures, and with the NSEC or NSEC3 records that prove what they have not; NSEC3 with more than 150 iterations is refused.',
    'Negative answers hold for the smaller of the TTL and the minimum of the SOA (RFC 2308).',
  ],
  example: `
    example.org {
        file db.example.org {
            reload 30s
        }
    }`,
}
