// Runs before `npm start` and `npm test`, on any Node from 18 on: installs what package-lock.json names
// (Node 24 included) when node_modules is missing or older than the lock file. No install script is run.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const lock = readFileSync(join(root, 'package-lock.json'), 'utf8')
const stamp = join(root, 'node_modules', '.seamark-lock')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  console.log('installing the packages that package-lock.json names (once)')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const done = spawnSync(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
  })
  if (done.status !== 0) {
    console.error(`npm ci failed (${done.error?.message ?? `exit status ${done.status}`})`)
    process.exit(1)
  }
  writeFileSync(stamp, lock)
}
