// What the connections of one serving thread keep, in octets: what was read and is no whole query yet, queries that wait,
// answers that the peer has not taken, and what a connection costs by itself, here and in the kernel. Beyond the bound the
// client that keeps most loses a connection: the one that has taken nothing for longest, else an idle one, else the
// largest. So a client that keeps little has its place, whatever others do.

import type { CountListen } from './events.ts'

/** What a connection costs by itself: its objects here, and OpenSSL's where it is encrypted (measured: 9 to 20, 61 to 67 KiB). */
export const CONNECTION_OCTETS = { plain: 12 * 1024, encrypted: 64 * 1024 } as const
/** What the kernel may keep of each direction of a connection that does not flow (socket-buffers.ts). */
export const KERNEL_OCTETS = { sent: 128 * 1024, received: 64 * 1024 } as const

/** Whose octets an account counts. */
export interface Keeper {
  /** Since when the peer has not taken what is written; -1 where nothing waits for it. */
  readonly stalledSinceMs: number
  /** Nobody loses by its end but the peer's next query. */
  readonly idle: boolean
  /** Closes at once. */
  abort(): void
}

/** All accounts of one client. */
interface Client {
  octets: number
  /** Oldest first. */
  readonly accounts: Set<Account>
}

/** What one connection keeps. */
export class Account {
  /** The connection, or what stands in for it during its handshake. */
  keeper: Keeper
  readonly client: string
  readonly #memory: StreamMemory
  #octets = 0

  constructor(memory: StreamMemory, client: string, keeper: Keeper) {
    this.#memory = memory
    this.client = client
    this.keeper = keeper
  }

  get octets(): number {
    return this.#octets
  }

  /** It keeps so much now. The last thing that its keeper does: beyond the bound it may be closed by this. */
  set(octets: number): void {
    const change = octets - this.#octets
    if (change === 0) return
    this.#octets = octets
    this.#memory.changed(this, change)
  }

  /** It is gone; may be called again. */
  close(): void {
    this.#memory.close(this)
  }
}

export class StreamMemory {
  readonly maxOctets: number
  readonly #count: CountListen
  readonly #clients = new Map<string, Client>()
  #octets = 0

  constructor(maxOctets: number, count: CountListen) {
    this.maxOctets = maxOctets
    this.#count = count
  }

  /** What all connections keep now. */
  get octets(): number {
    return this.#octets
  }

  /** Opens the account of a client's new connection. */
  open(address: string, keeper: Keeper): Account {
    const client = this.#clients.get(address) ?? { octets: 0, accounts: new Set() }
    this.#clients.set(address, client)
    const account = new Account(this, address, keeper)
    client.accounts.add(account)
    return account
  }

  /** For Account alone. */
  changed(account: Account, change: number): void {
    const client = this.#clients.get(account.client)
    if (!client?.accounts.has(account)) return
    client.octets += change
    this.#octets += change
    while (this.#octets > this.maxOctets) {
      const victim = this.#victim()
      if (victim === undefined) return
      this.#count('stream-memory-closed')
      this.close(victim)
      victim.keeper.abort()
    }
  }

  /** For Account alone. */
  close(account: Account): void {
    const client = this.#clients.get(account.client)
    if (!client?.accounts.delete(account)) return
    client.octets -= account.octets
    this.#octets -= account.octets
    if (client.accounts.size === 0) this.#clients.delete(account.client)
  }

  #victim(): Account | undefined {
    let most: Client | undefined
    for (const client of this.#clients.values()) if (!most || client.octets > most.octets) most = client
    let victim: Account | undefined
    for (const account of most?.accounts ?? []) if (!victim || goesBefore(account, victim)) victim = account
    return victim
  }
}

/** Whether `a` is to be closed rather than `b`, which is older. */
function goesBefore(a: Account, b: Account): boolean {
  const [stalledA, stalledB] = [a.keeper.stalledSinceMs, b.keeper.stalledSinceMs]
  if (stalledA >= 0 || stalledB >= 0) return stalledA >= 0 && (stalledB < 0 || stalledA < stalledB)
  if (a.keeper.idle !== b.keeper.idle) return a.keeper.idle
  return a.octets > b.octets
}
