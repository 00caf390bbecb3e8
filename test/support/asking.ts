// Packets for a road or any responder without a socket: what a listener does, in one call.

import { PARKED, type Responder } from '../../src/listen/responder.ts'
import {
  AGAIN,
  BACK,
  LOOKUP,
  type Messages,
  NEXT,
  type Origin,
  Packet,
  type Trace,
} from '../../src/query/packet.ts'
import { type Endpoint, sockaddr, type Transport } from '../../src/query/sockaddr.ts'
import { FastAnswers } from '../../src/serving/fast-answers.ts'
import type { ServedZone } from '../../src/serving/served-zone.ts'

const CLIENT: Endpoint = { address: '10.0.0.7', port: 40212, family: 4 }
const LOCAL: Endpoint = { address: '10.96.0.10', port: 53, family: 4 }

/** How a packet comes: over UDP from 10.0.0.7 to 10.96.0.10, unless it says otherwise. */
export interface Coming {
  readonly transport?: Transport
  readonly client?: Endpoint
  readonly local?: Endpoint
  /** Room that the listener has for the reply. */
  readonly slotOctets?: number
}

/** What came back: a reply, the messages of a transfer, or nothing. */
export type Came = Uint8Array | Messages | undefined

/** Asks, and gives what comes back and whether it had to be waited for. */
export function askNow(
  responder: Responder,
  octets: Uint8Array,
  { transport = 'udp', client = CLIENT, local = LOCAL, slotOctets }: Coming = {},
  now: (came: Came) => void = () => undefined,
  trace?: Trace,
): { readonly parked: boolean; readonly came: Promise<Came> } {
  const room = slotOctets ?? (transport === 'udp' ? 4096 : 65535)
  const { promise, resolve } = Promise.withResolvers<Came>()
  const result = ({ slot, slotAt, messages }: Packet, length: number): Came =>
    messages ?? (length > 0 ? slot.slice(slotAt, slotAt + length) : undefined)
  const origin: Origin = {
    transport,
    localOf: () => local,
    parked: () => undefined,
    reply: (packet, length) => resolve(result(packet, length)),
  }
  const packet = new Packet()
  const from = sockaddr(client.address, client.port)!
  Object.assign(packet, { octets, start: 0, end: octets.length, from, fromOctets: from.length })
  Object.assign(packet, {
    family: client.family,
    origin,
    trace,
    slot: new Uint8Array(room),
    slotOctets: room,
  })
  responder.enter()
  const length = responder.answer(packet)
  responder.leave()
  if (length !== PARKED) {
    const came = result(packet, length)
    now(came)
    resolve(came)
  }
  return { parked: length === PARKED, came: promise }
}

/** The one message that comes back; undefined for silence. Throws for a transfer. */
export async function ask(
  responder: Responder,
  octets: Uint8Array,
  how?: Coming,
): Promise<Uint8Array | undefined> {
  const came = await askNow(responder, octets, how).came
  if (came === undefined || came instanceof Uint8Array) return came
  throw new TypeError('a transfer came')
}

/** What comes back at once; throws where it does not. */
export function answerNow(
  responder: Responder,
  octets: Uint8Array,
  how: Coming = {},
): Uint8Array | undefined {
  let came: Came
  const { parked } = askNow(responder, octets, how, now => {
    came = now
  })
  if (parked || (came !== undefined && !(came instanceof Uint8Array)))
    throw new TypeError('no reply comes now')
  return came
}

/** Whether the packet is answered, or taken, by any other handler of its block than the fast path, or asked once more. */
export function isChained(responder: Responder, octets: Uint8Array, how: Coming = {}): boolean {
  let chained: boolean | undefined
  const trace: Trace = {
    said: ({ served, at }, step) => {
      // A name that is looked up, or another one that is tried, is answered by whoever wanted it.
      if (step === LOOKUP || step === AGAIN) chained = true
      if (step !== NEXT && step !== BACK)
        chained ??= !((served as ServedZone).handlers[at] instanceof FastAnswers)
    },
    note: () => undefined,
  }
  askNow(responder, octets, how, undefined, trace)
  return chained ?? false
}
