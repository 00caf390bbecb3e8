// BIND on loopback with what the probed cluster holds, as zones: a probe that BIND fails is probably a wrong probe.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { outputOf, runs, spawnChild } from './child-process.ts'
import { isAnswered } from './dns-client.ts'
import { freePort } from './free-port.ts'
import { programPath } from './system-program.ts'
import type { Target } from './target.ts'
import { ADDRESS, BIG_RECORDS, bigAddress, CHAIN_LINKS, FORWARDED, NAME, ZONE } from './target-cluster.ts'
import { until } from './until.ts'

/** Starts named; throws where it is not installed. */
export async function startBind(folder: string, upstreamPort: number): Promise<Omit<Target, 'upstream'>> {
  const program = programPath('named')
  if (program === undefined) throw new Error('named is not installed')
  const port = await freePort()
  writeFileSync(join(folder, 'cluster.zone'), clusterZone())
  writeFileSync(join(folder, 'reverse.zone'), `${head('96.10.in-addr.arpa')}10.1 PTR ${NAME}.\n`)
  writeFileSync(join(folder, 'named.conf'), configuration(folder, port, upstreamPort))
  const child = spawnChild(program, ['-g', '-c', join(folder, 'named.conf')])
  const output = outputOf(child)
  await until('an answer of named', () => {
    if (!runs(child)) throw new Error(`named ended:\n${output()}`)
    return isAnswered(port, { name: NAME, timeoutMs: 500 })
  })
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM')
    await until('the end of named', () => !runs(child))
    return child.exitCode
  }
  return { kind: 'bind', port, pid: child.pid!, output, alive: () => runs(child), stop }
}

const configuration = (folder: string, port: number, upstreamPort: number): string => `
options {
  directory "${folder}";
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  recursion yes;
  allow-query { any; };
  allow-recursion { any; };
  allow-transfer { none; };
  forwarders { 127.0.0.1 port ${upstreamPort}; };
  forward only;
  dnssec-validation no;
  max-records-per-type 0;
  max-udp-size 1232;
  minimal-any yes;
  empty-zones-enable no;
  notify no;
};
controls { };
zone "${ZONE}" { type primary; file "cluster.zone"; };
zone "96.10.in-addr.arpa" { type primary; file "reverse.zone"; };
`

const head = (origin: string): string => `$ORIGIN ${origin}.
$TTL 5
@ SOA ns.dns.${ZONE}. hostmaster.${ZONE}. 1 7200 1800 86400 5
@ NS ns.dns.${ZONE}.
`

function clusterZone(): string {
  const external = (name: string, target: string): string => `${name}.demo.svc CNAME ${target}.\n`
  const links = Array.from({ length: CHAIN_LINKS }, (_, i) =>
    external(`link-${i}`, `link-${i + 1}.demo.svc.${ZONE}`),
  )
  return [
    head(ZONE),
    'ns.dns A 10.96.0.10\n',
    `web.demo.svc A ${ADDRESS}\n`,
    '_http._tcp.web.demo.svc SRV 0 100 80 web.demo.svc\n',
    ...Array.from({ length: BIG_RECORDS }, (_, i) => `big.demo.svc A ${bigAddress(i)}\n`),
    external('ext', FORWARDED),
    external('inside', NAME),
    external('loop-a', `loop-b.demo.svc.${ZONE}`),
    external('loop-b', `loop-a.demo.svc.${ZONE}`),
    ...links,
    external(`link-${CHAIN_LINKS}`, FORWARDED),
  ].join('')
}
