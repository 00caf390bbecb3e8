// A fake API server and a kubeconfig file that leads to it: what the tests of kubeconfigs share.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { stringify } from 'yaml'
import type { ApiAccess } from '../../src/watch/access.ts'
import { ApiClient } from '../../src/watch/client.ts'
import type { RunProgram } from '../../src/watch/exec-plugin.ts'
import { kubeconfigAccess } from '../../src/watch/kubeconfig.ts'
import type { Env } from '../../src/watch/proxy-env.ts'
import { makeAuthority } from '../support/certificates.ts'
import { FakeApiServer } from '../support/fake-api-server.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

export const authority = makeAuthority()
export const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** What a test may want different. */
export interface KubeconfigWorldOptions {
  /** False for plain HTTP. */
  readonly secure?: boolean
  /** The host that the server's certificate is for beside 127.0.0.1, and that the kubeconfig names if it is given. */
  readonly host?: string
  readonly env?: Env
  readonly run?: RunProgram
}

/** Asks for something and gives `ok`, or the error's code and message. */
export type Ask = () => Promise<string>

export async function kubeconfigWorld(t: Test, options: KubeconfigWorldOptions = {}) {
  const { secure = true, host, env = {}, run } = options
  const folder = await mkdtemp(join(tmpdir(), 'seamark-test-'))
  const tls = { ...authority.issue('kube-apiserver', host), ca: authority.cert, requestCert: true }
  const server = await new FakeApiServer(secure ? { tls } : {}).listen()
  const clock = new VirtualClock()
  const clients: ApiClient[] = []
  t.teardown(async () => {
    for (const client of clients) client.close()
    await server.close()
    await rm(folder, { recursive: true })
  })
  const file = join(folder, 'config')
  const url = host === undefined ? server.url : server.url.replace('127.0.0.1', host)
  const ca = secure ? { 'certificate-authority-data': base64(authority.cert) } : {}
  /** Writes the kubeconfig with this user, and this cluster beside its server. */
  const write = (user: unknown, cluster: object = ca): Promise<void> =>
    writeFile(
      file,
      stringify({
        'current-context': 'main',
        contexts: [
          { name: 'main', context: { cluster: 'c', user: 'u' } },
          { name: 'lost', context: { cluster: 'nowhere', user: 'u' } },
        ],
        clusters: [{ name: 'c', cluster: { server: url, ...cluster } }],
        users: user === undefined ? [] : [{ name: 'u', user }],
      }),
    )
  const asker = (access: ApiAccess): Ask => {
    const client = new ApiClient({ access, clock })
    clients.push(client)
    return () =>
      new Promise<string>(resolve => {
        client.get('/api/v1/services?limit=1', 'application/json', {
          onOpen() {},
          onData() {},
          onEnd: error => resolve(error ? `${error.code}: ${error.message}` : 'ok'),
        })
      })
  }
  const connect = async (context?: string): Promise<Ask> =>
    asker(await kubeconfigAccess(file, context, { clock, env, ...(run && { run }) }))
  return { folder, server, url, file, ca, clock, write, asker, connect }
}
