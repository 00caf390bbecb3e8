// Certificates for tests, made here so that no test needs a program that may be missing: X.509 v3 with P-256 keys and
// ECDSA-SHA256 signatures (RFC 5280, RFC 5480, RFC 5758), written in DER by the few lines at the end.

import { createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'

/** A certificate and its key in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** A certification authority that signs for as long as the test runs. */
export interface Authority extends Certificate {
  /** A certificate for a server on localhost (or another host), 127.0.0.1 and ::1, or for a client of that name. */
  issue(commonName: string, host?: string): Certificate
}

/** Makes a certification authority with a new key. */
export function makeAuthority(name = 'test CA'): Authority {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const cert = certificate(name, pair.publicKey, name, pair.privateKey, [
    extension('551d13', sequence(Buffer.from('0101ff', 'hex')), true),
    extension('551d0f', tagged(0x03, Buffer.from('0106', 'hex')), true),
  ])
  return {
    cert,
    key: pem('PRIVATE KEY', pair.privateKey.export({ type: 'pkcs8', format: 'der' })),
    issue(commonName, host = 'localhost') {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const names = sequence(
        tagged(0x82, Buffer.from(host)),
        tagged(0x87, Buffer.from([127, 0, 0, 1])),
        tagged(0x87, Buffer.from([...new Array(15).fill(0), 1])),
      )
      return {
        cert: certificate(commonName, own.publicKey, name, pair.privateKey, [extension('551d11', names)]),
        key: pem('PRIVATE KEY', own.privateKey.export({ type: 'pkcs8', format: 'der' })),
      }
    },
  }
}

function certificate(
  subject: string,
  publicKey: KeyObject,
  issuer: string,
  issuerKey: KeyObject,
  extensions: readonly Buffer[],
): string {
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
  const year = new Date().getUTCFullYear()
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    distinguishedName(issuer),
    sequence(time(year - 1), time(year + 20)),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  )
  const signature = createSign('SHA256').update(body).sign(issuerKey)
  return pem(
    'CERTIFICATE',
    sequence(body, ecdsaWithSha256, tagged(0x03, Buffer.concat([Buffer.alloc(1), signature]))),
  )
}

/** With the shortest length that DER has: others are stricter than OpenSSL. */
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), content])
}

const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts))
const oid = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'))
const time = (year: number): Buffer => tagged(0x18, Buffer.from(`${year}0101000000Z`))

function distinguishedName(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(oid('550403'), tagged(0x0c, Buffer.from(commonName)))))
}

function extension(id: string, content: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [Buffer.from('0101ff', 'hex')] : []), tagged(0x04, content))
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
