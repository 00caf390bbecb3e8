// `npm run image`: the image without a container engine, for linux/amd64 and linux/arm64, as an OCI layout and as archives:
//
//   npm run image                       into image/: layout/, seamark-VERSION.tar, seamark-VERSION-ARCH.tar
//   npm run image -- --out FOLDER       elsewhere
//   npm run image -- --arch amd64       for one platform
//   npm run image -- --tree FOLDER      its files alone, of one platform, as the Dockerfile wants them
//   npm run image -- --update           name Debian's newest packages in scripts/image/debian.json, and make nothing
//
// Equal sources make equal octets, whatever the machine: SOURCE_DATE_EPOCH is the time of every file, 1970 without it. Needs
// apt's helper and dpkg-deb (Debian, Ubuntu), and the network for what is not kept from the last time. Exit status 69
// (EX_UNAVAILABLE): something cannot be had here, and says what.

import { chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import manifest from '../package.json' with { type: 'json' }
import { update } from './image/debian.ts'
import { Unavailable } from './image/download.ts'
import { type Image, makeImage, type RunConfig, writeImages } from './image/layout.ts'
import { PLATFORMS, type Platform, platformNamed } from './image/platforms.ts'
import { type Entry, withFolders } from './image/tar.ts'
import { layers } from './image/tree.ts'

const ROOT = join(import.meta.dirname, '..')
const EXIT_UNAVAILABLE = 69

/** How the image runs: in CoreDNS's place. */
export const RUN_CONFIG: RunConfig = {
  User: '65532:65532',
  ExposedPorts: { '53/tcp': {}, '53/udp': {}, '8080/tcp': {}, '8181/tcp': {}, '9153/tcp': {} },
  // One arena for all threads: glibc would keep one for each, 8 MiB in all.
  // Before the server hears of SIGUSR1, Node would open its inspector for it.
  Env: [
    'PATH=/usr/local/bin:/usr/bin:/bin',
    'NODE_ENV=production',
    'MALLOC_ARENA_MAX=1',
    'NODE_OPTIONS=--disable-sigusr1',
  ],
  Entrypoint: ['/coredns'],
  // As in CoreDNS's image: without arguments, ./Corefile is what would be read.
  WorkingDir: '/',
  Labels: {
    'org.opencontainers.image.title': manifest.name,
    'org.opencontainers.image.description': manifest.description,
    'org.opencontainers.image.version': manifest.version,
    'org.opencontainers.image.licenses': manifest.license,
  },
}

/** The files of a platform's image in a folder; their capabilities are the caller's, as only root may give them. */
function writeTree(folder: string, entries: readonly Entry[], madeSeconds: number): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const all = withFolders(entries)
  for (const { path, kind, mode, content, target } of all) {
    const to = join(folder, path)
    if (kind === 'folder') mkdirSync(to, { recursive: true })
    else if (kind === 'link') symlinkSync(target!, to)
    else writeFileSync(to, content!)
    if (kind !== 'link') chmodSync(to, mode)
  }
  for (const { path, kind } of all.reverse())
    if (kind !== 'link') utimesSync(join(folder, path), madeSeconds, madeSeconds)
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: join(ROOT, 'image') },
      arch: { type: 'string' },
      tree: { type: 'string' },
      update: { type: 'boolean', default: false },
    },
  })
  if (values.update) return update()
  const madeSeconds = Number(process.env.SOURCE_DATE_EPOCH ?? 0)
  const made = new Date(madeSeconds * 1000).toISOString()
  const layersFor = (platform: Platform): Promise<Entry[][]> => layers(platform, made)
  // Docker tells the platform of a build stage so.
  const arch = values.arch ?? process.env.TARGETARCH
  if (values.tree !== undefined) {
    const entries = (await layersFor(platformNamed(arch ?? 'amd64'))).flat()
    return writeTree(resolve(values.tree), entries, madeSeconds)
  }
  const images: Image[] = []
  for (const platform of arch === undefined ? PLATFORMS : [platformNamed(arch)])
    images.push(await makeImage(platform, await layersFor(platform), RUN_CONFIG, madeSeconds))
  const { name, version } = manifest
  writeImages(resolve(values.out), images, name, version, madeSeconds)
  for (const { platform, manifest, layers } of images) {
    const octets = layers.reduce((sum, { size }) => sum + size, 0)
    console.log(`linux/${platform.arch}: ${manifest.digest}, ${(octets / 2 ** 20).toFixed(1)} MiB`)
  }
}

if (import.meta.main)
  await main().catch((error: unknown) => {
    if (!(error instanceof Unavailable)) throw error
    console.error(error.message)
    process.exitCode = EXIT_UNAVAILABLE
  })
