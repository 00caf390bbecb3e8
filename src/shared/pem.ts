// Whether certificates, keys and authorities in PEM can be used.

import { lazy } from './lazy.ts'

/** PEM texts. */
export interface PemTexts {
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly ca?: string | undefined
}

/** Throws where OpenSSL cannot use the texts, or the key is another certificate's. */
export function usePem({ cert, key, ca }: PemTexts): void {
  const { createPrivateKey, X509Certificate } = lazy.crypto
  // Of an empty text OpenSSL says nothing, nor of an authority that is none.
  if (ca !== undefined) new X509Certificate(ca)
  if (cert !== undefined && !new X509Certificate(cert).checkPrivateKey(createPrivateKey(key ?? ''))) {
    throw new Error("the key is another certificate's")
  }
  lazy.tls.createSecureContext({ ...(cert && { cert }), ...(key && { key }), ...(ca && { ca }) })
}
