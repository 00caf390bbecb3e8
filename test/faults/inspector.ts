// Node's inspector over its WebSocket, as far as the tests need it: runs an expression on a process's control thread.

/** A connection to a process that was started with --inspect. */
export class Inspector {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (result: unknown) => void>()
  #id = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as { id: number; result: unknown }
      this.#waiting.get(id)?.(result)
      this.#waiting.delete(id)
    })
  }

  static async open(url: string): Promise<Inspector> {
    const socket = new WebSocket(url)
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', reject)
    })
    return new Inspector(socket)
  }

  /** Resolves to what the inspector says of the evaluation, when it is done. */
  evaluate(expression: string): Promise<unknown> {
    const id = ++this.#id
    const done = new Promise(resolve => this.#waiting.set(id, resolve))
    this.#socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params: { expression } }))
    return done
  }

  close(): void {
    this.#socket.close()
  }
}
