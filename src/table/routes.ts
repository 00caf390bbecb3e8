// What HTTPRoutes ask for, kept up with their Gateways: whichever of both changes, the route's records are taken back and claimed
// anew (records.ts).

import type { Kinds } from '../objects/objects.ts'
import type { SlimRecords } from '../objects/records.ts'
import { recordsOfRoute, type SlimRoute } from '../objects/routes.ts'
import type { Records } from './records.ts'

interface Objects {
  readonly HTTPRoute: ReadonlyMap<string, Kinds['HTTPRoute']>
  readonly Gateway: ReadonlyMap<string, Kinds['Gateway']>
}

export class Routes {
  readonly #objects: Objects
  readonly #records: Records
  readonly #touch: (route: string) => void
  /** Keys of the routes of a Gateway. */
  readonly #byGateway = new Map<string, Set<string>>()
  readonly #claimed = new Map<string, SlimRecords>()

  /** `touch` notes that a route's records are to be claimed anew. */
  constructor(objects: Objects, records: Records, touch: (route: string) => void) {
    this.#objects = objects
    this.#records = records
    this.#touch = touch
  }

  link(key: string, { parents }: SlimRoute): void {
    for (const { gateway } of parents) {
      const routes = this.#byGateway.get(gateway)
      if (routes) routes.add(key)
      else this.#byGateway.set(gateway, new Set([key]))
    }
    this.#touch(key)
  }

  unlink(key: string, { parents }: SlimRoute): void {
    for (const { gateway } of parents) {
      const routes = this.#byGateway.get(gateway)
      routes?.delete(key)
      if (routes?.size === 0) this.#byGateway.delete(gateway)
    }
    this.#touch(key)
  }

  gatewayChanged(key: string): void {
    for (const route of this.#byGateway.get(key) ?? []) this.#touch(route)
  }

  /** Claims what the route asks for now. */
  claim(key: string): void {
    const before = this.#claimed.get(key)
    if (before) this.#records.remove('HTTPRoute', before)
    this.#claimed.delete(key)
    const route = this.#objects.HTTPRoute.get(key)
    if (route === undefined) return
    const records = recordsOfRoute(route, this.#objects.Gateway)
    this.#claimed.set(key, records)
    this.#records.add('HTTPRoute', records)
  }
}
