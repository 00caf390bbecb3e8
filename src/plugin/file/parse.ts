// Reads the `file` directives of a block, and the zone files that they name.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Line, readLine } from '../../corefile/arguments.ts'
import { formatDuration } from '../../shared/duration.ts'
import type { BlockContext, Word } from '../plugin.ts'
import { type FileConfig, type FileZone, RELOAD_MIN_MS, RELOAD_MS } from './config.ts'
import { loadZone } from './load.ts'

/** No zone twice: of two directives the later one has it. */
export const parseFile: Word<FileConfig>['parse'] = (directives, problems, block) => {
  const zones = new Map<string, FileZone>()
  let fallthrough: readonly string[] | undefined
  for (const directive of directives) {
    readLine(directive, problems, line => {
      const read = readDirective(line, block)
      for (const zone of read.zones) zones.set(zone.origin, zone)
      fallthrough = read.fallthrough ?? fallthrough
    })
  }
  return { zones: [...zones.values()], fallthrough }
}

function readDirective(line: Line, block: BlockContext): FileConfig {
  const token = line.token('a zone file')
  const origins = line.zones(block.zones)
  let reloadMs = RELOAD_MS
  let byModification = false
  let fallthrough: readonly string[] | undefined
  line.options(
    {
      reload: option => {
        const given = option.duration('the time between two looks at the file')
        if (given !== undefined) reloadMs = given === 0 ? 0 : Math.max(RELOAD_MIN_MS, given)
      },
      reload_by_mtime: () => {
        byModification = true
      },
      fallthrough: option => {
        fallthrough = option.zones(['.'])
      },
    },
    { upstream: 'delete it; names outside the zone are resolved without it' },
  )
  if (token === undefined) return { zones: [], fallthrough }
  const file = resolve(block.directory, token.text)
  const zones = origins.map(origin => {
    const read = loadZone(file, origin, line.problems)
    if (read === 'mistakes') return { origin, file, reloadMs, byModification, loaded: undefined }
    if ('image' in read) return { origin, file, reloadMs, byModification, loaded: read }
    const found = { found: token.text }
    const absent = existsSync(file) ? {} : { absent: true as const }
    if (reloadMs === 0) line.error(token, read.unreadable, { ...found, ...absent })
    else {
      const again = `tried again every ${formatDuration(reloadMs)}`
      line.problems.warning(token, `${read.unreadable}; ${again}`, found)
    }
    return { origin, file, reloadMs, byModification, loaded: undefined }
  })
  return { zones, fallthrough }
}
