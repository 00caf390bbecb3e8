// The licences of packages, whole: what the bundle holds of others is given away under them.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { lockedPackages, nameIn } from './lockfile.ts'

const ROOT = join(import.meta.dirname, '..')
const RULE = '-'.repeat(80)

/**
 * One text with the licence files of packages.
 * @param folders - as package-lock.json names them
 * @throws Error where one has none
 */
export function licencesOf(folders: Iterable<string>): string {
  const locked = lockedPackages()
  const sections = [...folders].sort().map(folder => {
    const files = readdirSync(join(ROOT, folder))
      .filter(file => /^(?:licen[cs]e|copying|notice)/i.test(file))
      .sort()
    if (files.length === 0) throw new Error(`${folder} has no licence file`)
    const texts = files.map(file => readFileSync(join(ROOT, folder, file), 'utf8').trim())
    const { version = '', license = '' } = locked.get(folder) ?? {}
    return `${RULE}\n${nameIn(folder)} ${version}: ${license}\n${RULE}\n\n${texts.join('\n\n')}\n`
  })
  return `Seamark holds code of these packages, under their licences.\n\n${sections.join('\n')}`
}
