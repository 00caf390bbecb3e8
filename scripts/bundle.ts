// `npm run build`: everything that `node` needs to serve, in one folder, without TypeScript and without npm:
//
//   dist/seamark.mjs     the control thread and the command line
//   dist/kubeconfig-….mjs and other parts of it that are loaded only when they are needed
//   dist/serve.mjs       the serving threads, one file
//   dist/LICENSES.txt    the licences of the packages in them
//   dist/*.cjs           packages that are loaded only when they are needed, a file each
//   dist/node_modules/   koffi and its binary for this platform, where it is installed
//
// `node scripts/bundle.ts FOLDER` writes elsewhere.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { type BuildOptions, type BuildResult, build, type Plugin } from 'esbuild'
import { licencesOf } from './licences.ts'

const ROOT = join(import.meta.dirname, '..')

/** Packages that are loaded when they are first used (src/shared/lazy.ts): a file of their own beside the bundle. */
const LAZY = ['re2js', 'yaml']
/** What has native code stays outside. */
const EXTERNAL = ['koffi']
/** What koffi's files at run time are; the rest is its C++ source and its manual. */
const KOFFI_FILES = [
  'package.json',
  'LICENSE.txt',
  ...['index', 'src/koffi/index', 'src/koffi/src/static'].flatMap(path => [`${path}.js`, `${path}.cjs`]),
]

/** CommonJS packages call `require`, `__filename` and `__dirname`, which a module has not. */
const BANNER = "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url)"

/** As src/watch/auth-provider.ts does at run time: what config.js imports only to build API clients stays out. */
const withoutApiClients: Plugin = {
  name: 'without-api-clients',
  setup({ onResolve, onLoad }) {
    const unused = new Map([
      ['./gen/index.js', ['createConfiguration', 'ServerConfiguration']],
      ['./middleware.js', ['setHeaderMiddleware']],
      ['undici', ['Agent', 'ProxyAgent']],
    ])
    onResolve({ filter: /^(\.\/gen\/index\.js|\.\/middleware\.js|undici)$/ }, ({ path, importer }) =>
      /client-node[\\/]dist[\\/]config\.js$/.test(importer) ? { path, namespace: 'unused' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'unused' }, ({ path }) => ({
      contents: (unused.get(path) ?? []).map(name => `export class ${name} {}`).join('\n'),
    }))
  },
}

/** A file as an import names it, the same wherever the checkout lies: the names of chunks come of it. */
const fromRoot = (path: string): string => JSON.stringify(`./${relative(ROOT, path)}`)

/**
 * What the control thread imports becomes one file, whatever is imported later also imports of it: each file more takes half a
 * millisecond of every start. So what comes later imports the start, too, which it finds loaded.
 */
const oneStart = (entry: string): Plugin => ({
  name: 'one-start',
  setup({ onResolve, onLoad }) {
    const start = (): string =>
      [...readFileSync(entry, 'utf8').matchAll(/^import (?!type ).* from '(\.[^']+)'$/gm)]
        .map(([, path]) => `import ${fromRoot(join(dirname(entry), path!))}`)
        .join('\n')
    onResolve({ filter: /^\.{1,2}\// }, ({ kind, path, resolveDir }) =>
      kind === 'dynamic-import' ? { path: fromRoot(join(resolveDir, path)), namespace: 'later' } : undefined,
    )
    onResolve({ filter: /^the start$/ }, ({ path }) => ({ path, namespace: 'start' }))
    onLoad({ filter: /.*/, namespace: 'later' }, ({ path }) => ({
      contents: `import 'the start'\nexport * from ${path}`,
      resolveDir: ROOT,
    }))
    onLoad({ filter: /.*/, namespace: 'start' }, () => ({ contents: start(), resolveDir: ROOT }))
  },
})

/**
 * Modules of Node without what `import` makes of them: it reads every export, and with some of those whole modules that nobody asked
 * for, which takes 7 ms of each thread. What is not used of them stays out.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'builtin', sideEffects: false } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => {
      const names = Object.getOwnPropertyNames(process.getBuiltinModule(path)).filter(
        name => /^[A-Za-z]\w*$/.test(name) && name !== 'default',
      )
      return {
        contents: [
          `const builtin = /* @__PURE__ */ process.getBuiltinModule(${JSON.stringify(path)})`,
          'export default builtin',
          ...names.map(name => `export const ${name} = /* @__PURE__ */ (() => builtin.${name})()`),
        ].join('\n'),
      }
    })
  },
}

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }

/** One entry; with `splitting`, what is imported by `import()` becomes a file of its own. */
function program(out: string, name: string, entry: string, splitting: boolean): BuildOptions {
  return {
    entryPoints: { [name]: join(ROOT, entry) },
    outdir: out,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    external: EXTERNAL,
    banner: { js: BANNER },
    define: { SEAMARK_VERSION: JSON.stringify(version) },
    plugins: [withoutApiClients, builtins, ...(splitting ? [oneStart(join(ROOT, entry))] : [])],
    // Each thread keeps the text of its program. Names stay: the log shows where an error came from.
    minifyWhitespace: true,
    minifySyntax: true,
  }
}

/** A package as a file beside the bundle, where src/shared/lazy.ts looks for it. */
function lazyPackage(out: string, name: string): BuildOptions {
  return {
    stdin: { contents: `module.exports = require(${JSON.stringify(name)})`, resolveDir: ROOT },
    outfile: join(out, `${name}.cjs`),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minify: true,
  }
}

/** The builds of a bundle into the folder `out`. */
const builds = (out: string): BuildOptions[] =>
  [
    program(out, 'seamark', 'src/main.ts', true),
    program(out, 'serve', 'src/serving/thread.ts', false),
    ...LAZY.map(name => lazyPackage(out, name)),
  ].map(options => ({
    ...options,
    absWorkingDir: ROOT,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    // Names of chunks depend on paths: the same ones wherever node_modules lies.
    preserveSymlinks: true,
  }))

/** The folders of the packages with code in the bundle, as package-lock.json names them; nothing is written. */
export async function bundledPackages(): Promise<Set<string>> {
  const found = new Set<string>()
  for (const options of builds(join(ROOT, 'dist')))
    for (const folder of packagesIn(await build({ ...options, write: false }))) found.add(folder)
  return found
}

function packagesIn({ metafile }: BuildResult): string[] {
  return Object.values(metafile!.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => {
      const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]
      return folder !== undefined && bytesInOutput > 0 ? [folder] : []
    }),
  )
}

/** The files of koffi beside a bundle, by their paths there, but for the binary. */
export const koffiFiles = (): string[] => KOFFI_FILES.map(file => join('node_modules', 'koffi', file))

function copyKoffi(out: string): void {
  const binaries = join('node_modules', '@koromix')
  if (!existsSync(join(ROOT, 'node_modules', 'koffi')) || !existsSync(join(ROOT, binaries))) {
    console.log('koffi is not installed: the bundle does without it')
    return
  }
  for (const path of [
    ...koffiFiles(),
    ...readdirSync(join(ROOT, binaries)).map(name => join(binaries, name)),
  ]) {
    mkdirSync(join(out, path, '..'), { recursive: true })
    cpSync(join(ROOT, path), join(out, path), { recursive: true })
  }
}

/** Writes the bundle into a folder, but for koffi, and gives the packages in it. */
export async function writeBundle(out: string): Promise<Set<string>> {
  rmSync(out, { recursive: true, force: true })
  const found = new Set<string>()
  for (const options of builds(out)) for (const folder of packagesIn(await build(options))) found.add(folder)
  writeFileSync(join(out, 'LICENSES.txt'), licencesOf(found))
  return found
}

if (import.meta.main) {
  const out = resolve(process.argv[2] ?? join(ROOT, 'dist'))
  await writeBundle(out)
  copyKoffi(out)
}
