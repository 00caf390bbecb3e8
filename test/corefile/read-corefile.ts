// What the Corefile tests share: a machine made of strings, and short texts of what was read.

import { dirname, matchesGlob } from 'node:path'
import type { Corefile, Directive } from '../../src/corefile/corefile.ts'
import type { CorefileHost } from '../../src/corefile/host.ts'
import { parseCorefile } from '../../src/corefile/parser.ts'
import { formatProblem, type Problem } from '../../src/corefile/problem.ts'

/** A host with these files and variables and nothing else. */
export function memoryHost(files: Record<string, string>, env: Record<string, string> = {}): CorefileHost {
  return {
    readFile: path => {
      const text = files[path]
      if (text === undefined) throw new Error('no such file')
      return text
    },
    glob: pattern =>
      Object.keys(files)
        .filter(path => dirname(path) === dirname(pattern) && matchesGlob(path, pattern))
        .sort(),
    env,
  }
}

/** Reads `text` as the file `Corefile`, with further files beside it. */
export function read(
  text: string,
  files: Record<string, string> = {},
  env: Record<string, string> = {},
): Corefile {
  return parseCorefile('Corefile', memoryHost({ Corefile: text, ...files }, env))
}

/** Each block as its keys and its directives: `dns://. | errors ; cache 30 { success 1 }`. */
export function outline(corefile: Corefile): string[] {
  return corefile.blocks.map(({ keys, directives }) => {
    const heads = keys.map(
      ({ scheme, zone, port }) => `${scheme}://${zone}${port === undefined ? '' : `:${port}`}`,
    )
    return `${heads.join(' ')} | ${lines(directives)}`.trimEnd()
  })
}

/** Directives on one line, words that hold blanks or nothing in quotes. */
export function lines(directives: readonly Directive[]): string {
  return directives
    .map(({ word, args, block }) => {
      const words = [word, ...args].map(({ text }) => (/^[^\s"]+$/.test(text) ? text : JSON.stringify(text)))
      return block === undefined ? words.join(' ') : `${words.join(' ')} { ${lines(block)} }`
    })
    .join(' ; ')
}

/** Each problem as the line a user sees. */
export const complaints = ({ problems }: { readonly problems: readonly Problem[] }): string[] =>
  problems.map(formatProblem)
