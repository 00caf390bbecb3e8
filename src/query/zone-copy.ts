// A zone as a whole, as plugins that have one give it to a transfer (RFC 5936).

import type { Rr } from '../wire/record.ts'

/** A zone that a plugin has as a whole, at one moment. */
export interface ZoneCopy {
  readonly soa: Rr
  readonly serial: number
  /** The SOA that opens and closes a transfer: the same, or one before it where the zone may yet change under this serial. */
  readonly opening: Rr
  /** Every other record, drawn as the client takes them. */
  records(): Iterator<Rr>
}

/** The records of a transfer, both SOAs included. */
export interface RecordStream {
  /** The next record; undefined after the last, and once the transfer must not go on. */
  next(): Rr | undefined
  /** Whether all records came. */
  readonly complete: boolean
  /** Nothing more is drawn; called however it ends. */
  end(): void
}
