// Corefiles that clusters have, moved to free loopback ports, with a folder of manifests for the cluster and a server of the
// test's own for the upstream; nothing else of them changes.

import { freePort } from './seamark.ts'

/** Where a moved Corefile's services are. */
export interface Ports {
  readonly dns: number
  readonly health: number
  readonly ready: number
  readonly metrics: number
}

/** Four free ports. */
export const freePorts = async (): Promise<Ports> => ({
  dns: await freePort(),
  health: await freePort(),
  ready: await freePort(),
  metrics: await freePort(),
})

/** The Corefile on loopback. */
export function movedCorefile(text: string, ports: Ports, manifests: string, upstreamPort: number): string {
  return text
    .replace('.:53 {', `.:${ports.dns} {\n    bind 127.0.0.1`)
    .replace(/^( *)health( \{)?$/m, `$1health 127.0.0.1:${ports.health}$2`)
    .replace(/^( *)ready$/m, `$1ready 127.0.0.1:${ports.ready}`)
    .replace(/prometheus \S+/, `prometheus 127.0.0.1:${ports.metrics}`)
    .replace('ip6.arpa {', `ip6.arpa {\n      manifests ${manifests}`)
    .replace('/etc/resolv.conf', `127.0.0.1:${upstreamPort}`)
}
