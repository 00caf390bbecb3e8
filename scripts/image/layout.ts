// An image as the OCI describes it (image-spec 1.1): blobs by their digest, a manifest and a configuration for each platform, an
// index over them; as a folder, and as archives that `docker load`, `podman load` and `ctr images import` take.

import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Platform } from './platforms.ts'
import { type Entry, writeTar } from './tar.ts'

const OCI = 'application/vnd.oci.image'
/** Of a gzip header: the octet that names the system it was made on. 255 is "unknown". */
const GZIP_SYSTEM = 9

/** What runs and how, as `config` of the configuration has it. */
export interface RunConfig {
  readonly User: string
  readonly ExposedPorts: Readonly<Record<string, object>>
  readonly Env: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly WorkingDir: string
  readonly Labels: Readonly<Record<string, string>>
}

/** What something is, how long, and its digest. */
interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

/** An image for one platform: its manifest and every blob that it needs. */
export interface Image {
  readonly platform: Platform
  readonly manifest: Descriptor
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly blobs: ReadonlyMap<string, Buffer>
}

const digestOf = (octets: Buffer): string => `sha256:${createHash('sha256').update(octets).digest('hex')}`

/** Makes the image of these layers, the lowest first. */
export async function makeImage(
  platform: Platform,
  layers: readonly (readonly Entry[])[],
  config: RunConfig,
  madeSeconds: number,
): Promise<Image> {
  const blobs = new Map<string, Buffer>()
  const put = (mediaType: string, octets: Buffer): Descriptor => {
    const digest = digestOf(octets)
    blobs.set(digest, octets)
    return { mediaType, digest, size: octets.length }
  }
  const json = (mediaType: string, value: object): Descriptor =>
    put(mediaType, Buffer.from(JSON.stringify(value)))
  const archives = layers.map(entries => writeTar(entries, madeSeconds))
  const packed = await Promise.all(
    archives.map(async archive => {
      const octets = await promisify(gzip)(archive, { level: 6 })
      octets[GZIP_SYSTEM] = 255
      return put(`${OCI}.layer.v1.tar+gzip`, octets)
    }),
  )
  const created = new Date(madeSeconds * 1000).toISOString()
  const { arch, variant } = platform
  const configuration = json(`${OCI}.config.v1+json`, {
    created,
    architecture: arch,
    ...(variant === undefined ? {} : { variant }),
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: archives.map(digestOf) },
    history: archives.map(() => ({ created, created_by: 'npm run image' })),
  })
  const manifest = json(`${OCI}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: configuration,
    layers: packed,
  })
  return { platform, manifest, config: configuration, layers: packed, blobs }
}

/** Files of a layout by their paths: of all images under one name. */
function layoutOf(images: readonly Image[], name: string, version: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  const json = (value: object): Buffer => Buffer.from(JSON.stringify(value))
  const path = (digest: string): string => `blobs/${digest.replace(':', '/')}`
  const manifests = images.map(({ manifest, platform: { arch, variant } }) => ({
    ...manifest,
    platform: { architecture: arch, os: 'linux', ...(variant === undefined ? {} : { variant }) },
  }))
  for (const { blobs } of images) for (const [digest, octets] of blobs) files.set(path(digest), octets)
  const list = json({ schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests })
  const [only] = images.length === 1 ? manifests : []
  if (only === undefined) files.set(path(digestOf(list)), list)
  const top = only ?? { mediaType: `${OCI}.index.v1+json`, digest: digestOf(list), size: list.length }
  const annotations = {
    'org.opencontainers.image.ref.name': version,
    'io.containerd.image.name': `docker.io/library/${name}:${version}`,
  }
  files.set('oci-layout', json({ imageLayoutVersion: '1.0.0' }))
  files.set(
    'index.json',
    json({ schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests: [{ ...top, annotations }] }),
  )
  // `docker load` of engines that do not know layouts.
  const [image] = images.length === 1 ? images : []
  if (image !== undefined)
    files.set(
      'manifest.json',
      json([
        {
          Config: path(image.config.digest),
          RepoTags: [`${name}:${version}`],
          Layers: image.layers.map(({ digest }) => path(digest)),
        },
      ]),
    )
  return files
}

/**
 * Writes into `folder`: `layout/`, with all platforms; `NAME-VERSION.tar`, the same as an archive; and
 * `NAME-VERSION-ARCH.tar`, one for each platform, for engines that take a single one.
 */
export function writeImages(
  folder: string,
  images: readonly Image[],
  name: string,
  version: string,
  madeSeconds: number,
): void {
  rmSync(folder, { recursive: true, force: true })
  const all = layoutOf(images, name, version)
  for (const [path, octets] of all) {
    mkdirSync(join(folder, 'layout', path, '..'), { recursive: true })
    writeFileSync(join(folder, 'layout', path), octets)
  }
  const archive = (files: ReadonlyMap<string, Buffer>): Buffer =>
    writeTar(
      [...files].map(([path, content]) => ({ path, kind: 'file', mode: 0o644, content })),
      madeSeconds,
    )
  writeFileSync(join(folder, `${name}-${version}.tar`), archive(all))
  for (const image of images)
    writeFileSync(
      join(folder, `${name}-${version}-${image.platform.arch}.tar`),
      archive(layoutOf([image], name, version)),
    )
}
