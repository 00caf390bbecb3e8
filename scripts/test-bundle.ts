// The bundle that tests start servers from: what is shipped, and a sixth of the processor time that a start from the sources
// takes. It is built when a source is newer, into `.test/bundle-…` of this checkout, named for the sources it was built from;
// `npm test` does so first (`pretest`), and a test file that is run by itself would.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const FOLDER = join(ROOT, '.test')
const PREFIX = 'bundle-'
/** What the bundle is made of: folders with all that is in them, and files. */
const SOURCES = ['src', 'scripts/bundle.ts', 'scripts/licences.ts', 'package.json', 'package-lock.json']

/** The folder of the bundle of the sources as they are; builds it where it is missing, and throws where that fails. */
export function testBundle(): string {
  const bundle = join(FOLDER, PREFIX + fingerprint())
  if (!existsSync(bundle)) build(bundle)
  return bundle
}

/** Changes with every path, time of change and length of the sources. */
function fingerprint(): string {
  const hash = createHash('sha256')
  for (const source of SOURCES) {
    const path = join(ROOT, source)
    const inside = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true, encoding: 'utf8' })
      : []
    for (const file of ['', ...inside.sort()]) {
      const stat = statSync(join(path, file))
      if (stat.isFile()) hash.update(`${source}/${file} ${stat.mtimeMs} ${stat.size}\n`)
    }
  }
  return hash.digest('hex').slice(0, 16)
}

/** Two test files may build at once: each beside it, and who comes second keeps what the first one made. */
function build(bundle: string): void {
  const beside = join(FOLDER, `building-${process.pid}`)
  mkdirSync(FOLDER, { recursive: true })
  // The test runner's hooks are for tests.
  const { NODE_OPTIONS: _, ...env } = process.env
  const built = spawnSync(process.execPath, [join(ROOT, 'scripts', 'bundle.ts'), beside], {
    env,
    encoding: 'utf8',
  })
  if (built.status !== 0)
    throw new Error(`the bundle for tests cannot be built: ${built.stderr || built.error}`)
  try {
    renameSync(beside, bundle)
  } catch (error) {
    rmSync(beside, { recursive: true })
    if (!existsSync(bundle)) throw error
  }
}

/** Removes the bundles of other sources. */
function removeOthers(bundle: string): void {
  for (const name of readdirSync(FOLDER)) {
    const path = join(FOLDER, name)
    if (name.startsWith(PREFIX) && path !== bundle) rmSync(path, { recursive: true, force: true })
  }
}

if (import.meta.main) removeOthers(testBundle())
