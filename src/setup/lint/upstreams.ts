// Forwarding that comes back, or goes where it was not meant to.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Directive } from '../../corefile/corefile.ts'
import { placeText, type Token } from '../../corefile/token.ts'
import { parseAddressPort } from '../../corefile/values.ts'
import { parseResolvConf } from '../../plugin/forward/resolv-conf.ts'
import { contains, familyOf, parseCidr, parseIp } from '../../shared/ip.ts'
import { readRegular, SETTINGS_MAX_OCTETS } from '../../shared/regular-file.ts'
import { isUnder, type Lint, type LintBlock, option, overlap, type ServedZone, zonesNamed } from './blocks.ts'

/** An upstream, plain DNS only. */
interface Target {
  readonly address: string
  readonly port: number
  readonly token: Token
  /** It stands in a file that the token names. */
  readonly inFile: boolean
}

/** The upstreams that a `forward` names by address or by file. */
function targets({ args }: Directive, directory: string): Target[] {
  return args.slice(1).flatMap((token): Target[] => {
    const text = token.text.replace(/^dns:\/\//i, '')
    if (text.includes('://')) return []
    const plain = parseAddressPort(text)
    if (plain) return [{ address: plain.address, port: plain.port ?? 53, token, inFile: false }]
    return readServers(resolve(directory, text)).map(({ address, port }) => ({
      address,
      port,
      token,
      inFile: true,
    }))
  })
}

/** The upstreams that are host names, without scheme and port. */
function hosts({ args }: Directive, directory: string): { readonly host: string; readonly token: Token }[] {
  return args.slice(1).flatMap(token => {
    const host = /^(?:[a-z]+:\/\/)?([^:/%]+)(?::\d+)?$/i.exec(token.text)?.[1]
    const isName = host !== undefined && familyOf(host) === 0 && !existsSync(resolve(directory, token.text))
    return isName ? [{ host, token }] : []
  })
}

function readServers(file: string): ReturnType<typeof parseResolvConf> {
  try {
    return parseResolvConf(readRegular(file, SETTINGS_MAX_OCTETS))
  } catch {
    // A host name, or a file that the directive itself has complained about.
    return []
  }
}

/** Addresses that mean another host at another site (RFC 1918, 6598, 4193, 3927, 4291). */
const PRIVATE = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '127.0.0.0/8',
  'fc00::/7',
  'fe80::/10',
  '::1/128',
].map(text => parseCidr(text)!)

function isPrivate(address: string): boolean {
  const ip = parseIp(address)
  return ip !== undefined && PRIVATE.some(network => contains(network, ip))
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1'

/** The zone that would answer a query sent to the target. */
function served(block: LintBlock, { address, port }: Target): ServedZone | undefined {
  const binds = block.all('bind').flatMap(({ args }) => args.map(({ text }) => text))
  const here = binds.length === 0 ? isLoopback(address) : binds.includes(address)
  return here ? block.served.find(zone => zone.scheme === 'dns' && zone.port === port) : undefined
}

/** A server that asks itself. */
export const asksItself: Lint = (block, _all, problems) => {
  for (const directive of block.all('forward')) {
    const [from] = directive.args.slice(0, 1).flatMap(zonesNamed)
    for (const target of targets(directive, block.directory)) {
      const self = served(block, target)
      if (self === undefined || (from && !overlap(self.zone, from.zone))) continue
      const where = target.inFile ? `${target.token.text} names ${target.address}` : target.address
      const advice = target.inFile
        ? '; name the file with the servers behind it, such as /run/systemd/resolve/resolv.conf'
        : ''
      const message = `a loop: ${where}, where the server block at ${placeText(self.token)} listens itself${advice}`
      problems.warning(target.token, message, { found: target.token.text })
    }
  }
}

/** An `acl` that sees one client only: this server's own forwarding, whose cache answers everybody. */
export const aclBehindCache: Lint = (block, all, problems) => {
  const [acl] = block.all('acl')
  if (acl === undefined) return
  for (const other of all) {
    if (other === block) continue
    for (const target of other.all('forward').flatMap(each => targets(each, other.directory))) {
      if (served(block, target) === undefined) continue
      const cached = other.has('cache') ? ', and its cache answers everybody alike' : ''
      const message = `the forward at ${placeText(target.token)} asks this server block: acl sees that address as the client${cached}`
      problems.warning(acl.word, message)
    }
  }
}

/** A private and a public upstream that are taken in turn. */
export const mixedUpstreams: Lint = (block, _all, problems) => {
  for (const directive of block.all('forward')) {
    if (option(directive, 'policy')?.args[0]?.text === 'sequential') continue
    const addresses = targets(directive, block.directory)
    const inside = addresses.find(({ address }) => isPrivate(address))
    const outside = addresses.find(({ address }) => !isPrivate(address))
    if (!inside || !outside) continue
    const message = `${inside.address} and ${outside.address} are asked at random: names that only one of them knows fail now and then; write policy sequential for a spare`
    problems.warning(directive.word, message)
  }
}

/** A name of the cluster, which this server would have to answer before it has started. */
export const clusterNameAsUpstream: Lint = (block, all, problems) => {
  const zones = all.flatMap(other => other.all('kubernetes').flatMap(each => other.zonesOf(each)))
  for (const { host, token } of block.all('forward').flatMap(each => hosts(each, block.directory))) {
    const name = host.toLowerCase().replace(/\.?$/, '.')
    const own = zones.find(({ zone }) => zone !== '.' && isUnder(name, zone))
    if (own === undefined) continue
    const message = `this server itself answers for ${own.zone} (${placeText(own.token)}), and must know its upstreams before: write the cluster IP of the Service`
    problems.warning(token, message, { found: token.text })
  }
}

/** A certificate's name where nothing is encrypted. */
export const serverNameInClear: Lint = (block, _all, problems) => {
  for (const directive of block.all('forward')) {
    const line = option(directive, 'tls_servername') ?? option(directive, 'tls')
    const encrypted = directive.args.slice(1).some(({ text }) => /^(?:tls|https):\/\//i.test(text))
    if (line === undefined || encrypted) continue
    const message = `${line.word.text} means nothing here: no upstream begins with tls:// or https://, and all are asked in clear text`
    problems.warning(line.word, message)
  }
}
