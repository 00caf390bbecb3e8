// `npm run krew -- URL`: kubectl-seamark as a plugin of krew, in dist/krew: the archive, the same octets each time, and the manifest
// that names it at that URL by its checksum. `kubectl krew install --manifest FILE --archive FILE` installs it from both.

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { gzipSync } from 'node:zlib'
import { stringify } from 'yaml'
import manifest from '../package.json' with { type: 'json' }
import { writeTar } from './image/tar.ts'

const ROOT = join(import.meta.dirname, '..')
const PROGRAM = 'kubectl-seamark'
/** The header of gzip says otherwise which system wrote it (RFC 1952, 2.3.1). */
const OS_OCTET = 9
const OS_UNKNOWN = 255

/** The archive: the script and its licence. */
export function krewArchive(): Buffer {
  const file = (path: string, from: string, mode: number) =>
    ({ path, kind: 'file', mode, content: readFileSync(join(ROOT, from)) }) as const
  const entries = [file('LICENSE', 'LICENSE', 0o644), file(PROGRAM, join('bin', PROGRAM), 0o755)]
  const octets = gzipSync(writeTar(entries, 0))
  octets[OS_OCTET] = OS_UNKNOWN
  return octets
}

/** The plugin's manifest (krew.googlecontainertools.github.com/v1alpha2), for an archive that is to be had at that address. */
export const krewManifest = (archive: Buffer, uri: string): string =>
  stringify({
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: manifest.name },
    spec: {
      version: `v${manifest.version}`,
      shortDescription: 'Say why a name does not resolve',
      description:
        'Runs `seamark explain`, `tap` and other commands in a Pod of Seamark, which serves the cluster as its DNS: why a name ' +
        'resolves or does not, and queries as they are answered.\n',
      caveats:
        'It looks for deploy/coredns in kube-system; SEAMARK_TARGET and SEAMARK_NAMESPACE name another place.\n',
      platforms: [
        {
          selector: { matchExpressions: [{ key: 'os', operator: 'In', values: ['linux', 'darwin'] }] },
          uri,
          sha256: createHash('sha256').update(archive).digest('hex'),
          bin: PROGRAM,
        },
      ],
    },
  })

if (import.meta.main) {
  const [uri] = argv.slice(2)
  if (uri === undefined || !/^https:\/\/\S+\.tar\.gz$/.test(uri)) {
    console.error('usage: npm run krew -- https://…/NAME.tar.gz, where the archive will be')
    process.exitCode = 2
  } else {
    const folder = join(ROOT, 'dist', 'krew')
    mkdirSync(folder, { recursive: true })
    const archive = krewArchive()
    writeFileSync(join(folder, `${manifest.name}.tar.gz`), archive)
    writeFileSync(join(folder, `${manifest.name}.yaml`), krewManifest(archive, uri))
    console.log(`${folder}: ${manifest.name}.tar.gz, ${manifest.name}.yaml`)
  }
}
