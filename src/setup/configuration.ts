// From a Corefile to a Setup, for the start, for `seamark check` and for every reload: reads the file with all it imports,
// reports everything that is wrong, and tells two configurations apart by a hash, as CoreDNS's reload does.

import { createHash } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import type { Corefile, ServerBlock } from '../corefile/corefile.ts'
import { type CorefileHost, nodeHost } from '../corefile/host.ts'
import { parseCorefile, parseCorefileText } from '../corefile/parser.ts'
import { type Problem, Problems } from '../corefile/problem.ts'
import type { Token } from '../corefile/token.ts'
import { buildSetup } from './build.ts'
import { absentFolders } from './lint/folders.ts'
import { lint } from './lint/lint.ts'
import { type Hidden, hiddenOf, noting } from './public-text.ts'
import type { Setup } from './setup.ts'

/** What CoreDNS serves where there is no Corefile. */
export const DEFAULT_COREFILE = '. {\n    whoami\n    log\n}\n'

export interface Configuration {
  /** As read, for whoever keeps them. */
  readonly blocks: readonly ServerBlock[]
  readonly setup: Setup
  readonly problems: readonly Problem[]
  readonly errors: number
  /** What of it nobody may see who has no access to it. */
  readonly hidden: Hidden
  /** SHA-512 of what was read, in hex: equal for equal configurations. */
  readonly hash: string
}

export interface ConfigurationSource {
  /** Absolute, or a name to show for `text`. */
  readonly file: string
  /** Where the Corefile did not come from a file. */
  readonly text?: string
  /** The port of keys without one. */
  readonly port: number
  /** What the Corefile may read of the machine; everything unless given. */
  readonly host?: CorefileHost
}

/** Reads and judges a configuration. Never throws for what is written there. */
export function readConfiguration(source: ConfigurationSource): Configuration {
  const corefile = readCorefile(source)
  return judge(source, corefile, hashOf(corefile))
}

/** The configuration of blocks that were read earlier; `source` says where they came from. */
export function rejudge(source: ConfigurationSource, blocks: readonly ServerBlock[]): Configuration {
  const corefile: ReadCorefile = {
    blocks,
    problems: [],
    files: [],
    hidden: hiddenOf(source.file, { blocks }, new Set()),
  }
  return judge(source, corefile, hashOf(corefile))
}

/**
 * The same for `seamark check`: with what parses and surprises (setup/lint/lint.ts), where nothing is in error. What is not on
 * this machine is no error where `elsewhere` is set.
 */
export function checkConfiguration(source: ConfigurationSource, elsewhere = false): Configuration {
  const corefile = readCorefile(source)
  const judged = judge(source, corefile, '')
  const problems = [...judged.problems, ...absentFolders(corefile.blocks, dirname(resolve(source.file)))]
  const configuration = { ...judged, ...counted(elsewhere ? problems.map(excused) : problems) }
  if (configuration.errors > 0) return configuration
  const surprises = lint(corefile.blocks, source.port, dirname(resolve(source.file)))
  return { ...configuration, problems: [...configuration.problems, ...surprises] }
}

/** What is not here may be there. */
const excused = (problem: Problem): Problem =>
  problem.absent === undefined || problem.severity === 'warning'
    ? problem
    : { ...problem, severity: 'warning', message: `${problem.message}; the machine that serves must have it` }

/** The same unless it has that hash: what its directives name, such as zone files, is then not read again. */
export function readChanged(source: ConfigurationSource, hash: string): Configuration | undefined {
  const corefile = readCorefile(source)
  const changed = hashOf(corefile)
  return changed === hash ? undefined : judge(source, corefile, changed)
}

interface ReadCorefile extends Corefile {
  readonly hidden: Hidden
}

function readCorefile({ file, text, port, host = nodeHost }: ConfigurationSource): ReadCorefile {
  const options = { defaultPort: port }
  const values = new Set<string>()
  const noted = { ...host, env: noting(host.env, values) }
  const corefile =
    text === undefined ? parseCorefile(file, noted, options) : parseCorefileText(text, file, noted, options)
  return { ...corefile, hidden: hiddenOf(file, corefile, values) }
}

const hashOf = ({ blocks }: Corefile): string => createHash('sha512').update(canonical(blocks)).digest('hex')

function judge({ file, port }: ConfigurationSource, corefile: ReadCorefile, hash: string): Configuration {
  const problems = new Problems()
  const setup = buildSetup(corefile, problems, { port, file: resolve(file), env: nodeHost.env })
  const all = [...corefile.problems, ...problems.list]
  return {
    blocks: corefile.blocks,
    setup,
    ...counted(all),
    hidden: corefile.hidden,
    hash,
  }
}

/** Problems and how many of them are errors. */
export const counted = (problems: readonly Problem[]): Pick<Configuration, 'problems' | 'errors'> => ({
  problems,
  errors: problems.filter(({ severity }) => severity === 'error').length,
})

/** The words of all blocks, without their places. */
function canonical(blocks: readonly ServerBlock[]): string {
  return JSON.stringify(blocks, (key, value: unknown) => (isToken(value) && key !== '' ? value.text : value))
}

const isToken = (value: unknown): value is Token =>
  typeof value === 'object' && value !== null && 'text' in value && 'startsLine' in value
