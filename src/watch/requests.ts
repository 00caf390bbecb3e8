// What is asked of the API server about one resource: a watch, a list in pages, the versions of its objects.

import type { Kind } from '../objects/objects.ts'
import type { ApiCall } from './client.ts'
import { MetadataList, type MetadataReceiver } from './metadata-list.ts'
import { type ListReceiver, PagedList } from './paged-list.ts'
import type { ReflectorOptions, ReflectorTiming } from './reflector-options.ts'
import { type WatchReceiver, WatchStream } from './stream.ts'

type Query = Readonly<Record<string, string>>

/** A watch that begins with all objects: without a version the server asks etcd for the newest state. */
export const WITH_INITIAL_EVENTS: Query = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }

/** Makes requests, each with the selectors of the resource. */
export class Requests<K extends Kind> {
  readonly #options: Pick<ReflectorOptions<K>, 'client' | 'clock' | 'resource'>
  readonly #timing: ReflectorTiming
  readonly #selectors: Query

  constructor(options: ReflectorOptions<K>, timing: ReflectorTiming) {
    const { labelSelector, fieldSelector } = options
    this.#options = options
    this.#timing = timing
    this.#selectors = { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) }
  }

  /** A watch that the server is asked to end after `timeoutMs`. */
  watch(timeoutMs: number, from: Query, receiver: WatchReceiver): ApiCall {
    const { client, clock, resource } = this.#options
    const query = new URLSearchParams({
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(timeoutMs / 1000),
      ...from,
      ...this.#selectors,
    })
    const { silenceMs } = this.#timing
    return new WatchStream({
      client,
      clock,
      path: `${resource.path}?${query}`,
      kind: resource.kind,
      silenceMs,
      receiver,
    })
  }

  /** All objects, in pages. */
  list(receiver: ListReceiver): PagedList {
    const { client, clock, resource } = this.#options
    const { pageSize, silenceMs } = this.#timing
    const query = this.#selectors
    return new PagedList({
      client,
      clock,
      path: resource.path,
      query,
      kind: resource.kind,
      pageSize,
      silenceMs,
      receiver,
    })
  }

  /** The versions of all objects, or with `limit` that of the whole. */
  versions(more: Query, receiver: MetadataReceiver): ApiCall {
    const { client, clock, resource } = this.#options
    const query = { ...this.#selectors, ...more }
    const { silenceMs } = this.#timing
    return new MetadataList({ client, clock, path: resource.path, query, silenceMs, receiver })
  }
}
