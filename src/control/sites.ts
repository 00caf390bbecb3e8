// What is shown over HTTP, and where: /metrics, /health, /ready, and the live page, of all server blocks.

import { healthRoute } from '../observe/health.ts'
import type { HttpSite } from '../observe/http.ts'
import type { HttpRoute } from '../observe/http-answers.ts'
import type { Readiness } from '../observe/ready.ts'
import type { Registry } from '../observe/registry.ts'
import { metricsRoute } from '../observe/scrape.ts'
import { statusRoutes, statusStreams } from '../observe/status/routes.ts'
import type { Setup } from '../setup/setup.ts'
import type { Status } from './status.ts'

/** Whose state is shown. */
export interface Shown {
  readonly registry: Registry
  readonly readiness: Readiness
  readonly status: Status
  /** Where the metrics are shown whatever the Corefile says. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined
}

const site = (address: { host: string; port: number }, path: string, route: HttpRoute): HttpSite => ({
  ...address,
  routes: new Map([[path, route]]),
})

/** Every address that a configuration asks for, with what is there. */
export function sitesOf(setup: Setup, { registry, readiness, status, metrics }: Shown): HttpSite[] {
  return [
    ...(metrics === undefined ? [] : [site(metrics, '/metrics', metricsRoute(registry))]),
    ...setup.health.map(({ address }) => site(address, '/health', healthRoute)),
    ...setup.ready.map(({ address }) => site(address, '/ready', readiness.route)),
    ...setup.prometheus.map(({ address, tls }) => ({
      ...site(address, '/metrics', metricsRoute(registry)),
      tls,
    })),
    ...setup.status.map(({ address }) => ({
      ...address,
      routes: statusRoutes(status),
      streams: statusStreams(status),
    })),
  ]
}
