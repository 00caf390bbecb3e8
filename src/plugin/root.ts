// `root FOLDER`: what relative file names in the server block start from (CoreDNS plugin/root).

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { last, readLine } from '../corefile/arguments.ts'
import type { Word } from './plugin.ts'

/** The configuration of `root`. */
export interface RootConfig {
  /** Absolute. */
  readonly directory: string
}

/** `root`; of several in a block the last one counts. ../setup/build.ts hands it to the words behind it. */
export const rootWord: Word<RootConfig> = {
  word: 'root',
  doc: {
    usage: 'root FOLDER',
    meaning: 'the folder that relative names of files in this server block start from',
    default: "the Corefile's folder",
    options: [],
    notes: ["A relative FOLDER starts from the Corefile's folder; in CoreDNS, from the process's."],
    example: `
      example.org {
          root /etc/coredns/zones
          file db.example.org
      }`,
  },
  parse(directives, problems, block) {
    let directory: string | undefined
    for (const directive of directives) {
      readLine(directive, problems, line => {
        const token = line.token('a folder')
        if (token === undefined) return
        directory = resolve(block.directory, token.text)
        if (!existsSync(directory))
          problems.warning(token, 'this folder does not exist yet', { found: token.text })
      })
    }
    last(directives, problems)
    return directory === undefined ? undefined : { directory }
  },
}
