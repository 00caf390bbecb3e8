// `npm run sbom`: the bill of materials (CycloneDX 1.5) of what is shipped: the packages with code in the bundle, and those that
// an installation brings beside it (koffi, a Node for the platform). What only builds or tests is not in it. It is npm's own
// bill, less everything else.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundledPackages } from './bundle.ts'

const ROOT = join(import.meta.dirname, '..')
const OUTPUT_MAX_OCTETS = 64 * 2 ** 20

interface Locked {
  readonly version: string
  readonly dev?: boolean
  readonly optional?: boolean
}

interface Component {
  readonly 'bom-ref': string
  readonly properties: readonly { readonly name: string }[]
}

interface Bill {
  readonly metadata: { readonly component: Component }
  readonly components: readonly Component[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

/** `NAME@VERSION` of every package that is shipped, and whether it is one of those that an installation may lack. */
async function shippedPackages(): Promise<Map<string, boolean>> {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>
  }
  const bundled = await bundledPackages()
  const shipped = Object.entries(lock.packages).filter(
    ([path, { dev, optional }]) => bundled.has(path) || (optional === true && dev !== true),
  )
  return new Map(
    shipped.map(([path, { version, optional = false }]) => [
      `${path.replace(/^.*node_modules\//, '')}@${version}`,
      optional,
    ]),
  )
}

/** npm's bill of everything that the lockfile names. */
function wholeBill(): Bill {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const flags = ['--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only']
  const { status, stdout, error } = spawnSync(npm, ['sbom', ...flags], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: OUTPUT_MAX_OCTETS,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`npm sbom ended with status ${status}`, { cause: error })
  return JSON.parse(stdout) as Bill
}

/** A component as what it is in what is shipped, wherever package.json names it. */
const shippedComponent = (component: Component, optional: boolean): Component & { scope: string } => ({
  ...component,
  scope: optional ? 'optional' : 'required',
  properties: component.properties.filter(({ name }) => name !== 'cdx:npm:package:development'),
})

const bill = wholeBill()
const shipped = await shippedPackages()
const root = bill.metadata.component['bom-ref']
console.log(
  JSON.stringify(
    {
      ...bill,
      // npm calls it after the checkout's folder.
      metadata: { ...bill.metadata, component: { ...bill.metadata.component, name: 'seamark' } },
      components: bill.components.flatMap(component => {
        const optional = shipped.get(component['bom-ref'])
        return optional === undefined ? [] : [shippedComponent(component, optional)]
      }),
      dependencies: bill.dependencies
        .filter(({ ref }) => ref === root || shipped.has(ref))
        .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter(name => shipped.has(name)) })),
    },
    undefined,
    2,
  ),
)
