// Folders that a start waits for, and whoever checks a Corefile wants to know of at once.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ServerBlock } from '../../corefile/corefile.ts'
import { type Problem, Problems } from '../../corefile/problem.ts'
import { option } from './blocks.ts'

/** The folders of manifests that are not there. */
export function absentFolders(blocks: readonly ServerBlock[], directory: string): readonly Problem[] {
  const problems = new Problems()
  for (const { directives } of blocks) {
    const root = directives.findLast(({ word }) => word.text === 'root')?.args[0]?.text ?? ''
    for (const directive of directives) {
      const token = directive.word.text === 'kubernetes' ? option(directive, 'manifests')?.args[0] : undefined
      if (token === undefined || existsSync(resolve(directory, root, token.text))) continue
      const message = 'this folder does not exist: nothing is known of the cluster until it does'
      problems.error(token, message, { found: token.text, absent: true })
    }
  }
  return problems.list
}
