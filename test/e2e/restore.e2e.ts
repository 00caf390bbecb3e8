// A backup of etcd is restored on a control plane of its own: versions run backwards. What a real API server does with those
// who go on from the old ones is what the fake one of the watch's tests does; and a server that follows it answers the backup.

import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { FakeApiServer } from '../support/fake-api-server.ts'
import { service as fakeService, namespace } from '../support/fake-objects.ts'
import { ControlPlane } from './control-plane.ts'
import { service } from './every-object.ts'
import { eventually } from './processes.ts'
import { type Context, holds, type Suite } from './suite.ts'

/** How long the backup may take to be served, from when the API server is ready again. */
const SERVED_DEADLINE_MS = 30_000
const WATCH_SECONDS = 4
/** Long enough for the API server's cache to hear that etcd has moved on, of which the bookmark at the end tells. */
const WELL_SECONDS = 15
const PATH = '/api/v1/services'
const METADATA = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'

/** Gives the status, and the body as values of JSON, one a line. */
type Ask = (path: string, accept?: string) => Promise<{ status: number; body: readonly Said[] }>

interface Said {
  readonly type?: string
  readonly kind?: string
  readonly metadata?: { readonly resourceVersion?: string }
  readonly object?: { readonly code?: number }
}

function asker(url: string, options: { readonly token?: string; readonly ca?: string } = {}): Ask {
  const { token, ca } = options
  return (path, accept = 'application/json') =>
    new Promise((resolve, reject) => {
      const headers = { accept, ...(token && { authorization: `Bearer ${token}` }) }
      const request = url.startsWith('https:') ? httpsRequest : httpRequest
      const call = request(`${url}${path}`, { headers, agent: false, ...(ca && { ca }) }, response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const lines = Buffer.concat(chunks).toString().split('\n').filter(Boolean)
          resolve({ status: response.statusCode ?? 0, body: lines.map((line): Said => JSON.parse(line)) })
        })
      })
      call.on('error', reject)
      call.end()
    })
}

const versionNow = async (ask: Ask): Promise<number> =>
  Number((await ask(`${PATH}?limit=1`)).body[0]?.metadata?.resourceVersion)

/** What a server whose history ran back does with those who go on from the version that it had. */
async function conduct(ask: Ask, before: number): Promise<object> {
  const now = await versionNow(ask)
  const metadata = await ask(`${PATH}?limit=1`, METADATA)
  const started = performance.now()
  const watch = await ask(
    `${PATH}?watch=true&allowWatchBookmarks=true&timeoutSeconds=${WATCH_SECONDS}&resourceVersion=${before}`,
  )
  const lived = performance.now() - started
  const list = await ask(`${PATH}?resourceVersion=${before}&resourceVersionMatch=NotOlderThan`)
  return {
    backwards: now < before,
    metadata: [
      metadata.status,
      metadata.body[0]?.kind,
      Number(metadata.body[0]?.metadata?.resourceVersion) < before,
    ],
    // Opened as if nothing were, and silent: no event, no bookmark, no error.
    watch: [watch.status, watch.body.length],
    livesItsTime: lived > (WATCH_SECONDS - 1) * 1000,
    list: [list.status, list.body[0]?.kind],
  }
}

/** The same of one whose history goes on, by something that the watch is not about: it ends with a bookmark. */
async function wellConduct(ask: Ask, goOn: () => Promise<unknown>): Promise<object> {
  const now = await versionNow(ask)
  await goOn()
  const watch = await ask(
    `${PATH}?watch=true&allowWatchBookmarks=true&timeoutSeconds=${WELL_SECONDS}&resourceVersion=${now}`,
  )
  return { watch: [watch.status, watch.body.at(-1)?.type] }
}

async function fakeConduct(): Promise<object> {
  const server = await new FakeApiServer().listen()
  try {
    const { cluster } = server
    cluster.apply('namespaces', namespace('default'))
    cluster.apply('services', fakeService('default', 'kept'))
    const backup = cluster.backUp()
    for (let n = 0; n < 50; n++) cluster.apply('services', fakeService('default', `since-${n}`))
    const before = cluster.version
    const ask = asker(server.url)
    const well = await wellConduct(ask, async () => cluster.touch())
    server.restore(backup)
    return { well, restored: await conduct(ask, before) }
  } finally {
    await server.close()
  }
}

const configMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'unrelated', namespace: 'default' },
}

async function restore(context: Context, plane: ControlPlane): Promise<void> {
  const make = (name: string): Promise<unknown> => plane.client.applyObject(service('default', name))
  const user: { users: { user: { token: string } }[] } = JSON.parse(
    readFileSync(plane.kubeconfigFile, 'utf8'),
  )
  const ask = asker(`https://127.0.0.1:${plane.port}`, {
    token: user.users[0]!.user.token,
    ca: readFileSync(plane.caFile, 'utf8'),
  })
  const backup = join(plane.folder, 'backup')
  await make('kept')
  await make('deleted-since')
  await plane.backUpEtcd(backup)
  await plane.client.delete({ apiVersion: 'v1', kind: 'Service', name: 'deleted-since' })
  for (let n = 0; n < 50; n++) await make(`since-${n}`)
  const before = await versionNow(ask)
  const well = await wellConduct(ask, () => plane.client.applyObject(configMap))

  const server = await context.serve(context.world.subject, {
    access: [`kubeconfig ${plane.kubeconfigFile}`],
  })
  const rcode = async (name: string): Promise<string> =>
    (await server.ask(`${name}.default.svc.cluster.local`)).rcode
  const served = (name: string, wanted: string): Promise<unknown> =>
    eventually(`${wanted} for ${name}`, async () => (await rcode(name)) === wanted, SERVED_DEADLINE_MS)
  await served('since-49', 'NOERROR')
  await served('deleted-since', 'NXDOMAIN')

  await plane.restoreEtcd(backup)
  await context.check('an older etcd behind the API server: its state is served, and followed', async () => {
    const started = performance.now()
    const elapsed = (): string => `${Math.round(performance.now() - started)} ms`
    await served('since-49', 'NXDOMAIN')
    await served('deleted-since', 'NOERROR')
    context.note(`the backup is served ${elapsed()} after the API server is ready`)
    holds((await rcode('kept')) === 'NOERROR', 'what was there all the time is gone')
    await make('after')
    const changed = performance.now()
    await served('after', 'NOERROR')
    context.note(`a Service of the new history is known after ${Math.round(performance.now() - changed)} ms`)
  })
  await context.check('the fake API server of the watch tests does what this one does', async () => {
    const real = { well, restored: await conduct(ask, before) }
    const fake = await fakeConduct()
    holds(isDeepStrictEqual(real, fake), `real: ${JSON.stringify(real)}\nfake: ${JSON.stringify(fake)}`)
    context.note(JSON.stringify(real))
  })
}

export const suite: Suite = {
  name: 'restored etcd',
  async run(context) {
    await restore(context, await ControlPlane.start(context.scope, { controllers: false }))
  },
}
