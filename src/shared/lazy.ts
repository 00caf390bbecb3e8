// What only some configurations use is loaded when it is first used: every serving thread has a heap of its own and pays for
// each module again. Resident memory of one thread with Node 24, in MiB: http 3.1 by `import`, which reads every export and
// with those of the WebSocket loads a whole HTTP client; http2 1.9, tls 1.4, re2js 1.0, yaml 0.7, crypto 0.6.

import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

declare const SEAMARK_VERSION: string | undefined

/** A package: installed, or as a file beside the bundle, which nothing is installed for (scripts/bundle.ts). */
const load = (name: string): unknown => require(typeof SEAMARK_VERSION === 'string' ? `./${name}.cjs` : name)

/** Modules of Node and packages, each loaded by its first use. */
export const lazy = {
  get crypto() {
    return process.getBuiltinModule('node:crypto')
  },
  get dns() {
    return process.getBuiltinModule('node:dns/promises')
  },
  get http() {
    return process.getBuiltinModule('node:http')
  },
  get http2() {
    return process.getBuiltinModule('node:http2')
  },
  get https() {
    return process.getBuiltinModule('node:https')
  },
  get tls() {
    return process.getBuiltinModule('node:tls')
  },
  get v8() {
    return process.getBuiltinModule('node:v8')
  },
  get zlib() {
    return process.getBuiltinModule('node:zlib')
  },
  get re2js(): typeof import('re2js') {
    return load('re2js') as typeof import('re2js')
  },
  get yaml(): typeof import('yaml') {
    return load('yaml') as typeof import('yaml')
  },
}
