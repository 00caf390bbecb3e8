// A zone on its way to a client (RFC 5936): plugins give its records one after another, here they become messages, each made
// only when the client is ready for it.

import type { Messages } from '../query/packet.ts'
import type { RecordStream } from '../query/zone-copy.ts'
import { MESSAGE_MAX, PAYLOAD_DEFAULT } from '../wire/header.ts'
import { decodeMessage, type Edns, type Head, MessageWriter } from '../wire/message.ts'
import type { Rr } from '../wire/record.ts'

/**
 * Octets of one message before names are compressed: pointers reach the first 16 KiB (RFC 1035 4.1.4), and no other
 * query waits long while so much is written.
 */
export const TRANSFER_MESSAGE_OCTETS = 16 * 1024
/** Octets of a record beside its owner and its data. */
const RECORD_OCTETS = 10

const writer = new MessageWriter()

/** The messages of a transfer that a plugin's reply began. */
export class TransferMessages implements Messages {
  readonly #head: Head
  readonly #edns: Edns | undefined
  readonly #records: RecordStream
  readonly #failed: (error: unknown) => void
  #held: Rr | undefined
  #ended = false

  /**
   * Every message is `reply`, a finished reply without records, with some of the records. `failed` is told of a plugin's
   * bug, which cuts the transfer off.
   */
  constructor(reply: Uint8Array, records: RecordStream, failed: (error: unknown) => void) {
    const { questions, edns, ...flags } = decodeMessage(reply)!
    this.#head = { ...flags, question: questions[0] }
    this.#edns = edns && { ...edns, payloadSize: PAYLOAD_DEFAULT }
    this.#records = records
    this.#failed = failed
  }

  next(): Uint8Array | 'complete' | 'cut' {
    if (this.#ended) return 'cut'
    try {
      const answer = this.#draw()
      if (answer.length > 0) {
        const sections = { answer, authority: [], additional: [] }
        return writer.write(this.#head, sections, this.#edns, MESSAGE_MAX).slice()
      }
      return this.#records.complete ? 'complete' : 'cut'
    } catch (error) {
      this.#failed(error)
      return 'cut'
    }
  }

  /** As many records as make a message, at least one where one is left. */
  #draw(): Rr[] {
    const answer: Rr[] = []
    let octets = 0
    for (;;) {
      const record = this.#held ?? this.#records.next()
      this.#held = undefined
      if (!record) return answer
      octets += record.owner.length + RECORD_OCTETS + record.rdata.length
      if (octets > TRANSFER_MESSAGE_OCTETS && answer.length > 0) {
        this.#held = record
        return answer
      }
      answer.push(record)
    }
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#records.end()
  }
}
