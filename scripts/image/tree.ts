// What the image holds, file by file: Debian's libraries, Node, the bundle with koffi, who uid 65532 is, the licences of all of
// them and the bill of materials. The Dockerfile makes the same tree by `npm run image -- --tree FOLDER`.

import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { koffiFiles, writeBundle } from '../bundle.ts'
import { lockedPackages } from '../lockfile.ts'
import { billOf, type Component, hashOf, npmComponents } from '../sbom.ts'
import { debianEntries, packagesOf } from './debian.ts'
import { kept, output } from './download.ts'
import type { Platform } from './platforms.ts'
import { type Entry, readTar } from './tar.ts'

const ROOT = join(import.meta.dirname, '..', '..')
export const NODE = 'usr/local/bin/node'
/** What starts the server. The first line is for the kernel: no shell is needed, and none is there. */
const START = 'seamark/start.mjs'
/** Names that it is called by: CoreDNS's image has /coredns, OpenShift calls `coredns` on the PATH. */
const LINKS = ['coredns', 'usr/local/bin/coredns', 'usr/local/bin/seamark']
/**
 * Room for what a listing leaves behind, in MiB. It dies young: with more room the heap of the control thread would only be larger,
 * by 12 MiB with 4; with less, collecting it takes a seventh of the time of a start with 10,000 Services.
 */
export const NODE_FLAG = '--max-semi-space-size=2'
const START_TEXT = `#!/${NODE} ${NODE_FLAG}\nimport './seamark.mjs'\n`
const DOC = 'usr/share/doc/seamark'
/** cap_net_bind_service=+ep. With any other, Node would take itself for a setuid program and ignore NODE_OPTIONS. */
const NET_BIND_SERVICE = Buffer.from('0100000200040000000000000000000000000000', 'hex')

const file = (path: string, content: Buffer | string, mode = 0o644): Entry => ({
  path,
  kind: 'file',
  mode,
  content: Buffer.from(content),
})

/** The layers of the image for a platform, the one that seldom changes first. @throws Unavailable */
export async function layers(platform: Platform, made: string): Promise<Entry[][]> {
  return [
    [...debianEntries(platform), ...nodeEntries(platform), ...users()],
    await ownEntries(platform, made),
  ]
}

/** Node, which may bind port 53 for whoever runs it, and its licences. */
function nodeEntries({ npm }: Platform): Entry[] {
  const name = `node-linux-${npm}`
  return [
    { ...file(NODE, packageFile(name, 'bin/node'), 0o755), capability: NET_BIND_SERVICE },
    file('usr/share/doc/nodejs/copyright', packageFile(name, 'LICENSE')),
  ]
}

function users(): Entry[] {
  return [
    file(
      'etc/passwd',
      'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n',
    ),
    file('etc/group', 'root:x:0:\nnonroot:x:65532:\n'),
    file('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
    { path: 'home/nonroot', kind: 'folder', mode: 0o755 },
    { path: 'tmp', kind: 'folder', mode: 0o1777 },
  ]
}

/** The bundle with koffi, its names, and its papers. */
async function ownEntries(platform: Platform, made: string): Promise<Entry[]> {
  const bundle = mkdtempSync(join(tmpdir(), 'seamark-image-'))
  try {
    const bundled = await writeBundle(bundle)
    const koffi = `@koromix/koffi-linux-${platform.npm}`
    const binary = `linux_${platform.npm}/koffi.node`
    const bill = billOf(
      [
        ...npmComponents(bundled, name => ['koffi', koffi, `node-linux-${platform.npm}`].includes(name)),
        ...debianComponents(platform),
      ],
      made,
    )
    return [
      ...readdirSync(bundle).map(name => file(`seamark/${name}`, readFileSync(join(bundle, name)))),
      ...koffiFiles().map(path => file(`seamark/${path}`, readFileSync(join(ROOT, path)))),
      ...['package.json', 'index.js', binary].map(path =>
        file(`seamark/node_modules/${koffi}/${path}`, packageFile(koffi, path)),
      ),
      file(START, START_TEXT, 0o755),
      ...LINKS.map(path => ({ path, kind: 'link' as const, mode: 0o777, target: `/${START}` })),
      file(`${DOC}/LICENSE`, readFileSync(join(ROOT, 'LICENSE'))),
      file(`${DOC}/sbom.cdx.json`, `${bill}\n`),
    ]
  } finally {
    rmSync(bundle, { recursive: true })
  }
}

const debianComponents = (platform: Platform): Component[] =>
  packagesOf(platform).map(({ name, version, checksum }) => ({
    type: 'library',
    'bom-ref': `debian:${name}@${version}`,
    name,
    version,
    scope: 'required',
    hashes: hashOf(checksum),
    licenses: [],
    purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${platform.arch}&distro=debian-12`,
    needs: [],
  }))

/** A file of a package, from node_modules where npm put it there, else out of its archive. */
function packageFile(name: string, path: string): Buffer {
  const locked = lockedPackages().get(`node_modules/${name}`)
  if (locked === undefined) throw new Error(`package-lock.json has no ${name}`)
  const installed = join(ROOT, 'node_modules', name, path)
  if (existsSync(installed) && statSync(installed).isFile()) return readFileSync(installed)
  const inside = archiveOf(name, locked.version, locked.integrity)
  const found = inside.find(each => each.path === `package/${path}`)?.content
  if (found === undefined) throw new Error(`${name}@${locked.version} has no ${path}`)
  return found
}

const archives = new Map<string, Entry[]>()
function archiveOf(name: string, version: string, integrity: string): Entry[] {
  const found = archives.get(name)
  if (found !== undefined) return found
  const kind = `${name.replace(/^@/, '').replace('/', '-')}-${version}.tgz`
  const archive = kept(kind, integrity, to => {
    const folder = mkdtempSync(join(tmpdir(), 'seamark-npm-'))
    try {
      output('npm', [
        'pack',
        '--ignore-scripts',
        '--silent',
        '--pack-destination',
        folder,
        `${name}@${version}`,
      ])
      copyFileSync(join(folder, kind), to)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
  const entries = readTar(gunzipSync(readFileSync(archive)))
  archives.set(name, entries)
  return entries
}
