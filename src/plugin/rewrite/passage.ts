// What the rules make of one question on its way down: the name, type and class that stand behind them, the options that go
// along, and what is to be done to the reply on its way up.

import type { Packet } from '../../query/packet.ts'
import type { Name } from '../../wire/name.ts'
import type { ReplyStep } from './step.ts'
import { nameOf, textOf } from './text.ts'

export class Passage {
  /** The name as it is now (text.ts), and where it was changed its octets. */
  text = ''
  name: Name | undefined
  qtype = 0
  qclass = 0
  /** Whether another question is asked behind the rules. */
  changed = false
  /** A text that a rule made and that is no name. */
  illegal: string | undefined
  /** In the order of the rules; they run backwards, and so many are left. */
  readonly steps: ReplyStep[] = []
  left = 0
  /** Of a step that looks another target up: the target, and CNAME records before the one that has it. */
  target: Name | undefined
  linksBefore = 0
  /** Octets of the packet's options, and its added ones, before the rules. */
  optionsOctets = 0
  addedOptions: Uint8Array | undefined
  /** The client's own options that later rules see no more. */
  readonly hidden: number[] = []
  /** Options that the client may see in its reply, and what is shown where no upstream was asked (edns0.ts). */
  readonly shown: { readonly code: number; readonly data: Uint8Array | undefined }[] = []

  /** As it was made: for another question. */
  clear(): void {
    this.text = ''
    this.name = this.illegal = this.target = this.addedOptions = undefined
    this.changed = false
    this.steps.length = this.hidden.length = this.shown.length = this.left = 0
  }

  /** Begins with the question of a packet; nothing was done with the passage since it was made, cleared or begun. */
  begin(packet: Packet): void {
    this.text = textOf(packet.scan.folded)
    this.qtype = packet.scan.qtype
    this.qclass = packet.scan.qclass
    this.optionsOctets = packet.optionsOctets
    this.addedOptions = packet.addedOptions
  }

  /** Asks for another name; false where the text is none. */
  rename(text: string): boolean {
    const name = nameOf(text)
    if (name === undefined) {
      this.illegal = text
      return false
    }
    this.text = text.endsWith('.') ? text : `${text}.`
    this.name = name
    this.changed = true
    return true
  }
}
