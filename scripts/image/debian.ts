// Debian's runtime libraries, out of the packages that debian.json names, with their copyright files. `npm run image --
// --update` names the newest packages of the release instead; only then is anything asked but for the files themselves.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import locked from './debian.json' with { type: 'json' }
import { kept, output } from './download.ts'
import { PLATFORMS, type Platform } from './platforms.ts'
import { type Entry, readTar } from './tar.ts'

const APT_HELPER = '/usr/lib/apt/apt-helper'
/** What Node and koffi are linked with, and where the licences are that copyright files name. */
const NAMES = ['base-files', 'gcc-12-base', 'libc6', 'libgcc-s1', 'libstdc++6']
const RELEASE = 'bookworm'
const MIRROR = 'http://deb.debian.org/debian'
const SUITES = [
  `${MIRROR} ${RELEASE}`,
  `${MIRROR} ${RELEASE}-updates`,
  `${MIRROR}-security ${RELEASE}-security`,
]

/** A package of one architecture. */
export interface DebianPackage {
  readonly name: string
  readonly version: string
  readonly url: string
  /** `sha256-…`, base64. */
  readonly checksum: string
}

export const packagesOf = ({ arch }: Platform): readonly DebianPackage[] => locked[arch]

/** What of the packages belongs into an image: libraries, copyright files, licences, who it is, what is installed. */
export function debianEntries(platform: Platform): Entry[] {
  const taken = [
    new RegExp(`^(?:usr/)?lib/${platform.triplet}/[^/]+\\.so[^/]*$`),
    /^lib(?:64)?\/ld-linux[^/]*$/,
    /^usr\/share\/doc\/[^/]+(?:\/copyright)?$/,
    /^usr\/share\/common-licenses\//,
    /^(?:etc|usr\/lib)\/os-release$/,
    /^etc\/debian_version$/,
  ]
  return packagesOf(platform).flatMap(each => {
    const file = fetched(each)
    const inside = readTar(output('dpkg-deb', ['--fsys-tarfile', file]))
    return [
      ...inside.filter(({ path, kind }) => kind !== 'folder' && taken.some(pattern => pattern.test(path))),
      {
        path: `var/lib/dpkg/status.d/${each.name}`,
        kind: 'file' as const,
        mode: 0o644,
        content: output('dpkg-deb', ['--field', file]),
      },
    ]
  })
}

/** The package's file, fetched where it is not kept. */
function fetched({ url, checksum }: DebianPackage): string {
  const name = decodeURIComponent(url.slice(url.lastIndexOf('/') + 1))
  return kept(name, checksum, file => void output(APT_HELPER, ['download-file', url, file]))
}

/** Writes debian.json anew: the newest versions of all packages. Needs apt, and no rights. */
export function update(): void {
  const folder = mkdtempSync(join(tmpdir(), 'seamark-apt-'))
  try {
    for (const each of ['lists/partial', 'cache/archives/partial'])
      mkdirSync(join(folder, each), { recursive: true })
    const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
    writeFileSync(
      join(folder, 'sources'),
      SUITES.map(suite => `deb [signed-by=${keyring}] ${suite} main\n`).join(''),
    )
    writeFileSync(
      join(folder, 'conf'),
      `APT::Architectures { ${PLATFORMS.map(({ arch }) => `"${arch}";`).join(' ')} };
Dir::State "${folder}"; Dir::State::lists "${folder}/lists"; Dir::State::status "/dev/null"; Dir::Cache "${folder}/cache";
Dir::Etc::sourcelist "${folder}/sources"; Dir::Etc::sourceparts "/dev/null"; APT::Sandbox::User "root";\n`,
    )
    const apt = (...args: string[]): string =>
      output('apt-get', args, {
        cwd: folder,
        env: { ...process.env, APT_CONFIG: join(folder, 'conf') },
      }).toString()
    apt('update')
    const found = PLATFORMS.map(({ arch }) => [
      arch,
      NAMES.map(name => readUri(name, apt('download', '--print-uris', `${name}:${arch}`))),
    ])
    writeFileSync(
      join(import.meta.dirname, 'debian.json'),
      `${JSON.stringify(Object.fromEntries(found), undefined, 2)}\n`,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** `'URL' NAME_VERSION_ARCH.deb SIZE SHA256:HEX` of apt-get. */
function readUri(name: string, printed: string): DebianPackage {
  const [, url, file = '', hex = ''] = /^'(\S+)' (\S+) \d+ SHA256:([0-9a-f]{64})$/m.exec(printed) ?? []
  if (url === undefined) throw new Error(`apt-get tells no address of ${name}: ${printed}`)
  const version = decodeURIComponent(file.split('_')[1] ?? '')
  return { name, version, url, checksum: `sha256-${Buffer.from(hex, 'hex').toString('base64')}` }
}
