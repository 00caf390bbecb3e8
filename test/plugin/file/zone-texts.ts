// Zones of the tests: read from texts in place of files, and written out again as one line a record.

import { formatProblem, Problems } from '../../../src/corefile/problem.ts'
import { FileHandler } from '../../../src/plugin/file/handler.ts'
import { ZoneImage } from '../../../src/plugin/file/image.ts'
import { type ReadFile, ZoneReader } from '../../../src/plugin/file/reader.ts'
import { formatName, name } from '../../../src/wire/name.ts'
import type { Rr } from '../../../src/wire/record.ts'
import { typeName } from '../../../src/wire/rrtype.ts'
import { shortForm, testThread } from '../../support/words.ts'

/** What became of a zone's text. */
export interface ReadZone {
  readonly zone: ZoneImage | undefined
  /** Its mistakes and warnings, `db:LINE:COLUMN: …`. */
  readonly complaints: readonly string[]
}

/** Reads the zone `origin` out of the file `db`; `files` are those that it may include. */
export function readZone(
  text: string,
  origin = 'example.org.',
  files: Readonly<Record<string, string>> = {},
): ReadZone {
  const problems = new Problems()
  const read: ReadFile = file => {
    const found = files[file]
    return found === undefined ? { reason: 'no such file' } : { text: found }
  }
  const reading = new ZoneReader(name(origin), read, problems).read('db', text)
  for (;;) {
    const step = reading.next()
    if (!step.done) continue
    const zone = step.value && new ZoneImage(step.value)
    return { zone, complaints: problems.list.map(formatProblem) }
  }
}

/** Like readZone, for a text without mistakes: throws where there is one. */
export function zoneOf(text: string, origin = 'example.org.'): ZoneImage {
  const { zone, complaints } = readZone(text, origin)
  if (!zone) throw new TypeError(complaints.join('\n'))
  return zone
}

/** `www.example.org. 300 A 192.0.2.1`; of types that shortForm does not show the data is in hexadecimal digits. */
export function line(record: Rr): string {
  const [short = ''] = shortForm([record])
  const shown = short.includes(' ')
    ? short
    : `${typeName(record.type)} ${Buffer.from(record.rdata).toString('hex')}`
  return `${formatName(record.owner)} ${record.ttlSeconds} ${shown}`
}

export const lines = (records: Iterable<Rr>): string[] => [...records].map(line)

/** A handler that serves the zone. */
export const handlerOf = (zone: ZoneImage, fallthrough?: readonly string[]): FileHandler =>
  new FileHandler(
    {
      zones: [
        {
          origin: formatName(zone.origin),
          file: 'db',
          reloadMs: 0,
          byModification: false,
          loaded: { image: zone.buffer, serial: zone.serial, stamps: [] },
        },
      ],
      fallthrough,
    },
    testThread().context,
  )
