// Pods and Services as the API server has them at this moment, for whoever asks why.

import t, { type Test } from 'tap'
import type { Evidence } from '../../src/objects/evidence.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { endpointAccess } from '../../src/watch/access.ts'
import { ApiClient } from '../../src/watch/client.ts'
import { apiEvidence } from '../../src/watch/evidence.ts'
import { FakeApiServer } from '../support/fake-api-server.ts'
import { pod, service, slice } from '../support/fake-objects.ts'

async function open(t: Test): Promise<{ readonly api: FakeApiServer; readonly evidence: Evidence }> {
  const api = await new FakeApiServer().listen()
  t.teardown(() => api.close())
  api.cluster.apply('services', service('shop', 'web', { selector: { app: 'web' } }))
  api.cluster.apply('services', service('other', 'web', { selector: { app: 'other' } }))
  api.cluster.apply('endpointslices', slice('shop', 'web-x', 'web', ['10.0.0.1', '10.0.0.4']))
  for (const [ns, name, ip, app] of [
    ['shop', 'web-1', '10.0.0.1', 'web'],
    ['shop', 'db-1', '10.0.0.2', 'db'],
    ['other', 'web-1', '10.0.0.3', 'web'],
  ] as const) {
    const object = pod(ns, name, ip)
    api.cluster.apply('pods', { ...object, metadata: { ...object.metadata, labels: { app } } })
  }
  const client = new ApiClient({
    access: endpointAccess({ from: 'endpoint', url: api.url }),
    clock: systemClock,
  })
  t.teardown(() => client.close())
  return { api, evidence: apiEvidence(client, systemClock) }
}

t.test('one Service, one Pod, the Pods of a selector, the Pod of an address', async t => {
  const { evidence } = await open(t)
  t.same((await evidence.service('shop', 'web'))?.selector, { app: 'web' })
  t.equal(await evidence.service('shop', 'nope'), undefined)
  t.same((await evidence.pod('other', 'web-1'))?.ips, ['10.0.0.3'])
  t.equal(await evidence.pod('shop', 'nope'), undefined)
  t.same(
    (await evidence.pods('shop', { app: 'web' })).map(({ name }) => name),
    ['web-1'],
  )
  t.same(await evidence.pods('shop', {}), [], 'nothing is selected by nothing')
  t.same(await evidence.slices('shop', 'web'), [
    { name: 'web-x', addressType: 'IPv4', endpoints: 2, ready: 2 },
  ])
  t.same(await evidence.slices('shop', 'nope'), [])
  t.equal((await evidence.podAt('10.0.0.2'))?.name, 'db-1')
  t.equal(await evidence.podAt('10.0.0.9'), undefined)
})

t.test('what is not permitted, or not to be had, is an error that says so', async t => {
  const { api, evidence } = await open(t)
  api.forbid('pods', ['list'])
  await t.rejects(evidence.pod('shop', 'web-1'), /403.*forbidden.*pods/)
  await api.kill()
  await t.rejects(evidence.service('shop', 'web'), /ECONNREFUSED/)
})
