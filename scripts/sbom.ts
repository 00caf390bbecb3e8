// `npm run sbom`: the bill of materials (CycloneDX 1.5) of what is shipped: the packages with code in the bundle, and those that
// an installation brings beside it (koffi, with a binary for the platform). What only builds or tests is not in it. The image has
// one of its own, of what it holds (scripts/image/tree.ts).

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundledPackages } from './bundle.ts'
import { type Locked, lockedPackages, nameIn } from './lockfile.ts'

const ROOT = join(import.meta.dirname, '..')

/** One thing that is shipped. */
export interface Component {
  readonly type: 'library' | 'application'
  readonly 'bom-ref': string
  readonly group?: string
  readonly name: string
  readonly version: string
  /** Whether an installation may lack it. */
  readonly scope: 'required' | 'optional'
  readonly hashes: readonly { readonly alg: string; readonly content: string }[]
  readonly licenses: readonly { readonly expression: string }[]
  readonly purl: string
  /** The `bom-ref`s of what it needs. */
  readonly needs: readonly string[]
}

const ALGORITHMS: Readonly<Record<string, string>> = { sha256: 'SHA-256', sha512: 'SHA-512' }

/** A checksum as npm writes it, as a bill has it. */
export function hashOf(integrity: string): Component['hashes'] {
  const [algorithm = '', base64 = ''] = integrity.split('-')
  return [{ alg: ALGORITHMS[algorithm] ?? algorithm, content: Buffer.from(base64, 'base64').toString('hex') }]
}

/** Packages of npm that are shipped: those of the bundle, and the optional ones that `wanted` lets through. */
export function npmComponents(bundled: ReadonlySet<string>, wanted: (name: string) => boolean): Component[] {
  const locked = lockedPackages()
  const refs = new Map<string, string>()
  const shipped = [...locked].filter(
    ([folder, { optional, dev }]) =>
      bundled.has(folder) || (optional === true && dev !== true && wanted(nameIn(folder))),
  )
  for (const [folder, { version }] of shipped) refs.set(nameIn(folder), `${nameIn(folder)}@${version}`)
  return shipped.map(([folder, each]) => npmComponent(nameIn(folder), each, bundled.has(folder), refs))
}

function npmComponent(
  full: string,
  { version, integrity, license, dependencies, optionalDependencies }: Locked,
  bundled: boolean,
  refs: ReadonlyMap<string, string>,
): Component {
  const [name = '', group] = full.split('/').reverse()
  const needed = Object.keys({ ...dependencies, ...optionalDependencies })
  return {
    type: 'library',
    'bom-ref': `${full}@${version}`,
    ...(group === undefined ? {} : { group }),
    name,
    version,
    scope: bundled ? 'required' : 'optional',
    hashes: hashOf(integrity),
    licenses: license === undefined ? [] : [{ expression: license }],
    purl: `pkg:npm/${full.replace('@', '%40')}@${version}`,
    needs: needed.flatMap(name => refs.get(name) ?? []),
  }
}

/** The bill of components, as JSON. @param made - when, ISO 8601; without it the bill does not say */
export function billOf(components: readonly Component[], made?: string): string {
  const { name, version, license, optionalDependencies, devDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as {
    readonly name: string
    readonly version: string
    readonly license: string
    readonly optionalDependencies: object
    readonly devDependencies: object
  }
  const root = `${name}@${version}`
  const named = new Set(Object.keys({ ...optionalDependencies, ...devDependencies }))
  const ofNpm = ({ group, name }: Component): string => (group === undefined ? name : `${group}/${name}`)
  const sorted = [...components].sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1))
  const needs = sorted.filter(each => !each.purl.startsWith('pkg:npm/') || named.has(ofNpm(each)))
  return JSON.stringify(
    {
      $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
      bomFormat: 'CycloneDX',
      specVersion: '1.5',
      version: 1,
      metadata: {
        ...(made === undefined ? {} : { timestamp: made }),
        component: {
          type: 'application',
          'bom-ref': root,
          name,
          version,
          licenses: [{ expression: license }],
          purl: `pkg:npm/${name}@${version}`,
        },
      },
      components: sorted.map(({ needs: _, ...component }) => component),
      dependencies: [
        { ref: root, dependsOn: needs.map(each => each['bom-ref']) },
        ...sorted.map(each => ({ ref: each['bom-ref'], dependsOn: [...each.needs].sort() })),
      ],
    },
    undefined,
    2,
  )
}

/** The packages that an installation brings, on one platform or another. */
export function installedPackages(): ReadonlySet<string> {
  const locked = lockedPackages()
  const found = new Set<string>()
  const add = (names: object = {}): void => {
    for (const name of Object.keys(names)) {
      if (found.has(name)) continue
      found.add(name)
      const { dependencies, optionalDependencies } = locked.get(`node_modules/${name}`) ?? {}
      add(dependencies)
      add(optionalDependencies)
    }
  }
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as Pick<Locked, 'dependencies' | 'optionalDependencies'>
  add(dependencies)
  add(optionalDependencies)
  return found
}

if (import.meta.main) {
  const installed = installedPackages()
  console.log(billOf(npmComponents(await bundledPackages(), name => installed.has(name))))
}
