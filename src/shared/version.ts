// The version of Seamark: of package.json beside the sources, baked in where there is a bundle.

import { readFileSync } from 'node:fs'

declare const SEAMARK_VERSION: string | undefined

/** `0.1.0`. */
export const VERSION: string =
  typeof SEAMARK_VERSION === 'string'
    ? SEAMARK_VERSION
    : (
        JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
          version: string
        }
      ).version
