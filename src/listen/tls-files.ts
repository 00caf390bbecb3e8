// Certificates, keys and authorities that change while serving: files are looked at from time to time, because a Secret that
// is rotated is a directory put in another's place, which no watch on a file sees. What does not fit together (a key that is
// written before its certificate) is looked at again.

import type { Clock } from '../shared/clock.ts'
import { Polled } from '../shared/polled.ts'
import { readRegularSoon, SETTINGS_MAX_OCTETS } from '../shared/regular-file.ts'

/** How often the files are looked at. */
export const FILES_INTERVAL_MS = 10_000

/** Paths, and what stood there when they were read last; `ca` is left out of both where there is none. */
export interface TlsTexts {
  readonly cert: string
  readonly key: string
  readonly ca?: string | undefined
}

export interface TlsFilesOptions {
  readonly paths: TlsTexts
  readonly texts: TlsTexts
  readonly clock: Clock
  /** Takes changed texts; throws where they cannot be used, and is called with them again when they change again. */
  readonly changed: (texts: TlsTexts) => void
  /** Told once of a state of the files that cannot be used. */
  readonly unusable: (reason: string) => void
}

/** The files of one listener. */
export class TlsFiles {
  readonly #options: TlsFilesOptions
  readonly #polled: Polled
  #texts: TlsTexts

  constructor(options: TlsFilesOptions) {
    this.#options = options
    this.#texts = options.texts
    this.#polled = new Polled({
      clock: options.clock,
      look: () => this.#look(),
      intervalMs: () => FILES_INTERVAL_MS,
      trouble: options.unusable,
    })
    this.#polled.start()
  }

  stop(): void {
    void this.#polled.stop()
  }

  async #look(): Promise<undefined> {
    const texts = await readTexts(this.#options.paths)
    if (this.#polled.stopped || isSame(texts, this.#texts)) return
    this.#options.changed(texts)
    this.#texts = texts
  }
}

async function readTexts({ cert, key, ca }: TlsTexts): Promise<TlsTexts> {
  const read = (path: string): Promise<string> => readRegularSoon(path, SETTINGS_MAX_OCTETS)
  const [certText, keyText, caText] = await Promise.all([read(cert), read(key), ca && read(ca)])
  return { cert: certText, key: keyText, ...(caText !== undefined && { ca: caText }) }
}

const isSame = (a: TlsTexts, b: TlsTexts): boolean => a.cert === b.cert && a.key === b.key && a.ca === b.ca
