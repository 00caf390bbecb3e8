// Frame Streams (farsightsec.github.io/fstrm): messages of any kind, one behind the other, over a connection that both sides
// first agree about.
//
//   we                         the receiver          a frame          u32 octets, the message
//   READY {content type}  ──▶                        a control frame  u32 0, u32 octets, u32 type, fields
//                         ◀──  ACCEPT {content type} a field          u32 type (1: content type), u32 octets, its value
//   START {content type}  ──▶
//   frames …              ──▶
//   STOP                  ──▶
//                         ◀──  FINISH

export const CONTROL = { ACCEPT: 1, START: 2, STOP: 3, READY: 4, FINISH: 5 } as const

export const CONTENT_TYPE = 'protobuf:dnstap.Dnstap'
const FIELD_CONTENT_TYPE = 1
/** The specification's bound of a control frame. */
const CONTROL_MAX_OCTETS = 512

/** A control frame, with the content type where it has one. */
export function controlFrame(type: number): Uint8Array {
  const value = type === CONTROL.READY || type === CONTROL.START ? Buffer.from(CONTENT_TYPE) : undefined
  const octets = value === undefined ? 4 : 12 + value.length
  const frame = Buffer.alloc(8 + octets)
  frame.writeUInt32BE(octets, 4)
  frame.writeUInt32BE(type, 8)
  if (value === undefined) return frame
  frame.writeUInt32BE(FIELD_CONTENT_TYPE, 12)
  frame.writeUInt32BE(value.length, 16)
  value.copy(frame, 20)
  return frame
}

/** What a receiver says, control frames alone, out of octets as they come. */
export class ControlReader {
  #octets: Buffer = Buffer.alloc(0)

  /** The types of the frames that are whole with these octets; undefined where they are none. */
  push(octets: Uint8Array): readonly number[] | undefined {
    this.#octets = Buffer.concat([this.#octets, octets])
    const types: number[] = []
    while (this.#octets.length >= 12) {
      const length = this.#octets.readUInt32BE(4)
      if (this.#octets.readUInt32BE(0) !== 0 || length < 4 || length > CONTROL_MAX_OCTETS) return undefined
      if (this.#octets.length < 8 + length) break
      const frame = this.#octets.subarray(8, 8 + length)
      const type = frame.readUInt32BE(0)
      if (type === CONTROL.ACCEPT && !frame.includes(CONTENT_TYPE, 4)) return undefined
      types.push(type)
      this.#octets = this.#octets.subarray(8 + length)
    }
    return types
  }
}
