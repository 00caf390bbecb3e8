// EndpointSlices that change at a steady rate on the fake API server: Service after Service, one endpoint at a time gets
// another address, as a rollout would do it to the whole cluster.

import type { FakeApiServer } from '../../support/fake-api-server.ts'
import { asStored, endpointSlice, type ServiceShape, SLICE_ENDPOINTS_MAX } from './cluster.ts'

const TICK_MS = 10
/** Changes after which their history is forgotten: all watches have seen them. */
const COMPACT_AFTER = 5000

/** Changes of endpoints, from `start` to `stop`. */
export class Churn {
  readonly #api: FakeApiServer
  readonly #services: readonly ServiceShape[]
  readonly #timer: NodeJS.Timeout
  readonly #startedMs = performance.now()
  #changes = 0

  private constructor(api: FakeApiServer, services: readonly ServiceShape[], perSecond: number) {
    this.#api = api
    this.#services = services
    this.#timer = setInterval(() => {
      const due = ((performance.now() - this.#startedMs) / 1000) * perSecond
      while (this.#changes < due) this.#change()
    }, TICK_MS)
  }

  /** Begins to change the slices of these Services, so many a second. */
  static start(api: FakeApiServer, services: readonly ServiceShape[], perSecond: number): Churn {
    return new Churn(api, services, perSecond)
  }

  #change(): void {
    const number = this.#changes++
    const { namespace, name, endpoints } = this.#services[number % this.#services.length]!
    const fresh = `10.31.${(number >> 8) & 255}.${number & 255}`
    const others = endpoints.slice(1, SLICE_ENDPOINTS_MAX)
    const slice = endpointSlice(namespace, `${name}-0`, name, [fresh, ...others])
    this.#api.cluster.apply('endpointslices', asStored(slice))
    if (number % COMPACT_AFTER === COMPACT_AFTER - 1) this.#api.cluster.compact()
  }

  /** Ends the changes, puts everything back as it was, and gives how many changes there were a second. */
  stop(): number {
    clearInterval(this.#timer)
    const perSecond = this.#changes / ((performance.now() - this.#startedMs) / 1000)
    for (const { namespace, name, endpoints } of this.#services.slice(0, this.#changes)) {
      const slice = endpointSlice(namespace, `${name}-0`, name, endpoints.slice(0, SLICE_ENDPOINTS_MAX))
      this.#api.cluster.apply('endpointslices', asStored(slice))
    }
    return perSecond
  }
}
