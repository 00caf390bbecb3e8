// What is wrong with a server as its operator finds it: Events on its Pod, on a real API server, as `kubectl describe pod` prints
// them, with the rights of config/events and no more.

import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import type { KubeObject } from './api-client.ts'
import { DnsServer, serverCommand } from './dns-server.ts'
import { withServiceAccount } from './namespaces.ts'
import { eventually, freePorts } from './processes.ts'
import { isBuilt, programPath } from './programs.ts'
import { ServiceAccount } from './service-account.ts'
import { type Context, holds, type Suite } from './suite.ts'

const run = promisify(execFile)
const ROLE = join(import.meta.dirname, '..', '..', 'config', 'events', 'role.yaml')
const NAMESPACE = 'kube-system'
const ACCOUNT = 'e2e-events'
const POD = 'coredns-e2e-events'

/** The Role and its binding of config/events, for the account of this suite. */
function rights(): KubeObject[] {
  const text = readFileSync(ROLE, 'utf8')
    .replaceAll('coredns-events', ACCOUNT)
    .replace('name: coredns\n', `name: ${ACCOUNT}\n`)
  return parseAllDocuments(text).map(document => document.toJS() as KubeObject)
}

/** The lines of Events, of one each, that `kubectl describe pod` prints, each in words that one space is between. */
async function described(context: Context): Promise<readonly string[]> {
  const { stdout } = await run(programPath('kubectl'), ['-n', NAMESPACE, 'describe', 'pod', POD], {
    env: { ...process.env, KUBECONFIG: context.world.plane.kubeconfigFile },
  })
  const [, events = ''] = stdout.split(/^Events:.*$/m)
  return events
    .split('\n')
    .map(line => line.trim().split(/\s+/).join(' '))
    .filter(line => /^(?:Normal|Warning) /.test(line))
}

/** A forwarding loop, and Nodes, which the account may not list. */
const corefile = (dns: number, more = ''): string => `. {
  bind 127.0.0.1
  kubernetes cluster.local {
    topology zone
    startup_timeout 1ms
  }
  loop
  ${more}
  forward . 127.0.0.1:${dns}
}
`

export const suite: Suite = {
  name: 'events',
  async run(context) {
    const { plane, subject, inNamespaces } = context.world
    if (subject !== 'seamark') return context.skip('Events on the Pod', 'only Seamark writes them')
    if (!inNamespaces)
      return context.skip('Events on the Pod', 'mount namespaces cannot be made on this machine')
    if (!isBuilt('kubectl')) return context.skip('Events on the Pod', 'kubectl is not built')
    const account = await ServiceAccount.create(plane, ACCOUNT, context.scope.folder('account'))
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: POD, namespace: NAMESPACE },
      spec: { nodeName: 'nowhere', containers: [{ name: 'coredns', image: 'e2e' }] },
    }
    await plane.client.apply([...rights(), pod])
    const { metadata } = await plane.client.get({ ...pod, namespace: NAMESPACE, name: POD })
    const folder = context.scope.folder('events')
    const [port, ready, health, metrics] = (await freePorts(4)) as [number, number, number, number]
    const options = {
      folder,
      port,
      sidePorts: { ready, health, metrics },
      command: [...withServiceAccount(account.folder), ...serverCommand('seamark'), '-events'],
      env: {
        ...process.env,
        KUBERNETES_SERVICE_HOST: '127.0.0.1',
        KUBERNETES_SERVICE_PORT: String(plane.port),
        POD_NAME: POD,
        POD_NAMESPACE: NAMESPACE,
        POD_UID: String((metadata as { uid?: string }).uid),
      },
    }
    const start = (more?: string): Promise<DnsServer> =>
      DnsServer.startText(context.scope, 'seamark', { ...options, text: corefile(port, more) })
    const shown = async (pattern: RegExp): Promise<void> => {
      await eventually(String(pattern), async () =>
        (await described(context)).some(line => pattern.test(line)),
      )
    }

    await context.check('kubectl describe pod shows why a server does not start', async () => {
      // As a kubelet starts it again.
      await eventually('an Event', async () => {
        const refused = await start('startless')
        await eventually('the end', () => !refused.program.running)
        const lines = await described(context)
        return lines.some(line => /^Warning CorefileRefused .*Corefile:8:3: error: .*startless/.test(line))
      })
    })
    const server = await start()
    await context.check('a right that is missing, and what to add', () =>
      shown(/^Warning WatchForbidden \S+ seamark nodes: 403 forbidden: .*add to the ClusterRole: .*"nodes"/),
    )
    await context.check('a forwarding loop', async () => {
      await eventually('an answer', async () => (await server.ask('example.org')).flags.qr)
      await shown(/^Warning ForwardingLoop .*seamark a query of zone \. came back from an upstream/)
    })
    await context.check('a Corefile that is refused, told twice: one Event, counted', async () => {
      writeFileSync(join(folder, 'Corefile'), corefile(port, 'nonsense'))
      server.program.signal('SIGUSR1')
      await shown(/^Warning CorefileRefused \S+ seamark .*Corefile:8:3: error: .*nonsense/)
      server.program.signal('SIGUSR1')
      await shown(/^Warning CorefileRefused \S+ \(x2 over \S+\) seamark /)
      const events = await described(context)
      holds(events.length === 4, `other Events than of four faults:\n${events.join('\n')}`)
    })
  },
}
