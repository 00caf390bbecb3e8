// `file DBFILE [ZONES…] { … }`: answers for zones out of master files (CoreDNS plugin/file).

import { ownedZones } from '../owned-zones.ts'
import type { Word } from '../plugin.ts'
import type { FileConfig } from './config.ts'
import { fileDoc } from './doc.ts'
import { FileHandler } from './handler.ts'
import { parseFile } from './parse.ts'

/** `file`, as often in a server block as there are files. */
export const fileWord = {
  word: 'file',
  doc: fileDoc,
  parse: parseFile,
  create: (config, context) => new FileHandler(config, context),
  effect: ({ zones, fallthrough }) => ({
    owns: ownedZones(
      zones.map(({ origin }) => origin),
      fallthrough,
    ),
  }),
} satisfies Word<FileConfig>
