// Reads the `k8s_records` directive.

import { once } from '../../corefile/arguments.ts'
import type { Word } from '../plugin.ts'
import { type RecordsConfig, readRecords } from './config.ts'

export const parseRecords: Word<RecordsConfig>['parse'] = (directives, problems, block) => {
  const directive = once(directives, problems)
  if (directive === undefined) return undefined
  const config = readRecords(directive, problems)
  if (!block.words.has('kubernetes'))
    problems.error(
      directive.word,
      'k8s_records needs kubernetes in this server block, which reads the objects',
    )
  return config
}
