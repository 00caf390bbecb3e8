// How soon a new Service is answered: one Service after the other is created on the real API server, and asked for without
// pause from before the request until its answer comes. The time counts from the reply to the POST; what is answered before
// the reply counts as at once.

import { setTimeout as delay } from 'node:timers/promises'
import type { ControlPlane } from '../../e2e/control-plane.ts'
import { DeadlineError } from '../../e2e/processes.ts'
import { service } from '../../support/fake-objects.ts'
import { Asker, answerCount } from '../common/asker.ts'
import { create } from '../common/etcd-store.ts'
import type { Subject } from '../common/servers.ts'

const NAMESPACE = 'ns-0'
const DEADLINE_MS = 30_000
/** So that one Service's events are over before the next one's. */
const PAUSE_MS = 15

/** A Service whose cluster IP the API server chooses. */
const created = (name: string) => service(NAMESPACE, name, { clusterIP: undefined, clusterIPs: undefined })

/** Creates a Service and gives the ms from the API server's reply to the first answer. Throws DeadlineError. */
export async function timeToAnswer(plane: ControlPlane, subject: Subject, name: string): Promise<number> {
  const answered = Promise.withResolvers<number>()
  const question = { name: `${name}.${NAMESPACE}.svc.cluster.local`, type: 'A' }
  const asker = await Asker.start(subject.port, question, ({ octets, answeredMs }) => {
    if (answerCount(octets) > 0) answered.resolve(answeredMs)
  })
  const timer = setTimeout(() => answered.reject(new DeadlineError(question.name, DEADLINE_MS)), DEADLINE_MS)
  try {
    await create(plane.client, 'services', created(name))
    const repliedMs = performance.now()
    return Math.max(0, (await answered.promise) - repliedMs)
  } finally {
    clearTimeout(timer)
    asker.stop()
  }
}

/** Deletes what was created. */
export const remove = (plane: ControlPlane, name: string): Promise<void> =>
  plane.client.delete({ apiVersion: 'v1', kind: 'Service', namespace: NAMESPACE, name })

/** The times of so many new Services, in ms. `prefix` makes their names. */
export async function freshServices(
  plane: ControlPlane,
  subject: Subject,
  prefix: string,
  count: number,
): Promise<number[]> {
  const names = Array.from({ length: count }, (_, n) => `${prefix}-${n}`)
  const times: number[] = []
  for (const name of names) {
    times.push(await timeToAnswer(plane, subject, name))
    await delay(PAUSE_MS)
  }
  for (const name of names) await remove(plane, name)
  return times
}
