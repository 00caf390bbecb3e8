// Reads the `loadbalance` directives of a block, and the weight file that they name.

import { isAbsolute, join } from 'node:path'
import { type Line, readLine } from '../../corefile/arguments.ts'
import { formatDuration } from '../../shared/duration.ts'
import type { BlockContext, Word } from '../plugin.ts'
import { type LoadbalanceConfig, PREFER_MAX, RELOAD_MIN_MS, RELOAD_MS, type WeightFile } from './config.ts'
import { readWeightText } from './weight-file.ts'

/** Of several directives in a block the last policy counts and the networks add up, as in CoreDNS. */
export const parseLoadbalance: Word<LoadbalanceConfig>['parse'] = (directives, problems, block) => {
  let weights: WeightFile | undefined
  const networks: string[] = []
  for (const directive of directives) {
    readLine(directive, problems, line => {
      weights = readPolicy(line, block, networks)
    })
  }
  return { weights, prefer: networks }
}

function readPolicy(line: Line, { directory }: BlockContext, networks: string[]): WeightFile | undefined {
  const policy = line.has ? line.choice('a policy', ['round_robin', 'weighted']) : 'round_robin'
  const token = policy === 'weighted' ? line.token('a weight file') : undefined
  let reloadMs = RELOAD_MS
  line.options({
    prefer: option => {
      while (option.has && networks.length <= PREFER_MAX) {
        const network = option.peek
        if (option.network('a network') !== undefined && network !== undefined) networks.push(network)
      }
      if (networks.length > PREFER_MAX)
        option.error(option.word, `more than ${PREFER_MAX} preferred networks`)
    },
    reload: option => {
      if (policy !== 'weighted') option.error(option.word, 'reload is for the policy weighted')
      const given = option.duration('the time between two looks at the file')
      if (given !== undefined) reloadMs = given === 0 ? 0 : Math.max(RELOAD_MIN_MS, given)
    },
  })
  if (token === undefined) return undefined
  const file = isAbsolute(token.text) ? token.text : join(directory, token.text)
  const read = readWeightText(file)
  if ('text' in read) return { file, reloadMs, text: read.text }
  const again = reloadMs === 0 ? '' : `; tried again every ${formatDuration(reloadMs)}`
  if (read.unreadable && reloadMs !== 0)
    line.problems.warning(token, `${read.problem}${again}`, { found: token.text })
  else line.error(token, read.problem, { found: token.text })
  return { file, reloadMs, text: undefined }
}
