// Reads the `autopath` directive: the search path that is walked, or that it is the one of the Pod that asks.

import { resolve } from 'node:path'
import { type Line, last, readLine } from '../../corefile/arguments.ts'
import type { Directive } from '../../corefile/corefile.ts'
import type { Problems } from '../../corefile/problem.ts'
import type { Token } from '../../corefile/token.ts'
import { verifiesPods } from '../kubernetes/clients.ts'
import type { BlockContext, Word } from '../plugin.ts'
import { type AutopathConfig, KUBERNETES, QUERY } from './config.ts'
import { readSearch } from './search.ts'

const HOST_FILE = '/etc/resolv.conf'

/** Of several in a block the last one counts; a file behind @kubernetes gives its zones alone, as in CoreDNS. */
export const parseAutopath: Word<AutopathConfig>['parse'] = (directives, problems, block) => {
  let config: AutopathConfig | undefined
  for (const directive of directives) {
    const read = readDirective(directive, problems, block)
    config = config && config.of !== 'file' && read?.of === 'file' ? { ...config, zones: read.zones } : read
  }
  last(directives, problems)
  return config
}

function readDirective(
  directive: Directive,
  problems: Problems,
  block: BlockContext,
): AutopathConfig | undefined {
  const path = directive.args.at(-1)
  if (path === undefined) {
    problems.error(directive.word, `autopath needs ${KUBERNETES}, ${QUERY} or a file`)
    return undefined
  }
  let config: AutopathConfig | undefined
  readLine({ ...directive, args: directive.args.slice(0, -1) }, problems, line => {
    const zones = line.zones(block.zones)
    if (path.text.startsWith('@')) {
      const search = readPodPath(path, line, block)
      config = { zones, of: path.text === QUERY ? 'query' : 'pod', search }
    } else config = { zones, of: 'file', search: readPath(path, line, block) }
  })
  return config
}

function readPath(path: Token, line: Line, { directory }: BlockContext): readonly string[] {
  const search = readSearch(resolve(directory, path.text))
  if ('error' in search) {
    line.unreadable(path, 'no search path', search.error)
    return []
  }
  if (search.length === 0)
    line.problems.warning(path, 'this file has no search path: autopath does nothing', { found: path.text })
  return search
}

/** What follows the domains of the cluster: this machine's own search path, if it has one. */
function readPodPath(path: Token, line: Line, block: BlockContext): readonly string[] {
  if (path.text !== KUBERNETES && path.text !== QUERY) {
    line.error(path, 'this plugin knows no search path', { found: path.text, allowed: [KUBERNETES, QUERY] })
    return []
  }
  const kubernetes = block.directives.get('kubernetes')
  if (kubernetes === undefined || (path.text === KUBERNETES && !verifiesPods(block))) {
    const missing = kubernetes ? '`pods verified` in kubernetes' : 'the directive kubernetes'
    line.problems.warning(path, `autopath ${path.text} does nothing without ${missing}`)
  }
  const search = readSearch(HOST_FILE)
  return 'error' in search ? [] : search
}
