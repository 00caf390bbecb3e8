// Seamark as its image runs it: the bundle that the Dockerfile builds, with the flags and the environment of its
// ENTRYPOINT and ENV, read from the Dockerfile.

import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildBundle, ROOT } from '../../packaging/bundle.ts'
import { lastStage, readStages } from '../../packaging/dockerfile.ts'

/** Where the bundle lies in the image. */
const ENTRY = '/seamark/seamark.mjs'

/** How to start the server of an image. */
export interface ImageCommand {
  readonly words: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** The command of the image for the bundle in `folder`, run by our own Node. */
export function imageCommand(
  folder: string,
  dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8'),
): ImageCommand {
  const { instructions } = lastStage(readStages(dockerfile))
  const entrypoint = instructions.find(({ word }) => word === 'ENTRYPOINT')
  const [node, ...flags] = JSON.parse(entrypoint?.rest ?? '[]') as string[]
  if (node === undefined || flags.at(-1) !== ENTRY)
    throw new TypeError(`the Dockerfile's ENTRYPOINT does not end with ${ENTRY}`)
  const settings = instructions.filter(({ word }) => word === 'ENV').flatMap(({ rest }) => rest.split(/\s+/))
  const env = settings.map(setting => setting.split('=') as [string, string])
  return {
    words: [process.execPath, ...flags.slice(0, -1), join(folder, 'seamark.mjs')],
    env: Object.fromEntries(env),
  }
}

/** The bundles of one run. */
export interface Bundles {
  readonly whole: string
  /** Without koffi: it serves UDP through node:dgram. */
  readonly withoutKoffi: string
}

/** Builds the bundle of this checkout below `folder`, as `npm run build` does, and the same without its native package. */
export async function buildBundles(folder: string): Promise<Bundles> {
  const whole = join(folder, 'whole')
  const withoutKoffi = join(folder, 'without-koffi')
  await buildBundle(whole)
  cpSync(whole, withoutKoffi, { recursive: true, filter: path => path !== join(whole, 'node_modules') })
  return { whole, withoutKoffi }
}
