// Seamark as its image runs it: the bundle with the flag and the environment of the image.

import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { NODE_FLAG } from '../../../scripts/image/tree.ts'
import { RUN_CONFIG } from '../../../scripts/image.ts'
import { buildBundle } from '../../packaging/bundle.ts'

/** How to start the server of an image. */
export interface ImageCommand {
  readonly words: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** The command of the image for the bundle in `folder`, run by our own Node. */
export function imageCommand(folder: string): ImageCommand {
  const settings = RUN_CONFIG.Env.map(setting => /^(\w+)=(.*)$/.exec(setting)!.slice(1) as [string, string])
  return {
    words: [process.execPath, NODE_FLAG, join(folder, 'seamark.mjs')],
    env: Object.fromEntries(settings.filter(([name]) => name !== 'PATH')),
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
