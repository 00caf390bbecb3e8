// The serial of a zone that is made of a cluster: the time of its last change in unix seconds, as CoreDNS has it. Where the time of
// day was set back, each change counts one up instead: to a secondary a lower serial is an older zone (RFC 1982).

export class Serial {
  #value = 0
  #atSeconds = 0

  /** The serial of a change at that time. */
  changed(nowSeconds: number): number {
    if (nowSeconds > this.#value) this.#value = nowSeconds
    else if (nowSeconds < this.#value || nowSeconds !== this.#atSeconds) this.#value++
    this.#atSeconds = nowSeconds
    return this.#value
  }
}

/** Whether a change to come gets another serial than this one: not in the very second that it names. */
export const isSettled = (serial: number, nowSeconds: number): boolean => serial !== nowSeconds
