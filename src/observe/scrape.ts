// `prometheus`: /metrics gives everything counted so far (CoreDNS plugin/metrics).

import { EXPOSITION_TYPE, exposition } from './exposition.ts'
import type { HttpRoute } from './http-answers.ts'
import type { Registry } from './registry.ts'

/** What /metrics answers. */
export const metricsRoute =
  (registry: Registry): HttpRoute =>
  () => ({ status: 200, contentType: EXPOSITION_TYPE, body: exposition(registry.gather()) })
