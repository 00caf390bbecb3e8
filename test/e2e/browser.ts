// A real browser, headless Chromium, by its own protocol (chromedevtools.github.io/devtools-protocol) over Node's WebSocket: a page
// of it, what it loads, and what it shows.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually, Program, type Scope } from './processes.ts'

/** Where Debian has it. */
const CHROMIUM = 'chromium'

export function hasChromium(): boolean {
  try {
    execFileSync(CHROMIUM, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

interface Said {
  readonly id?: number
  readonly sessionId?: string
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly message: string }
}

/** One page. */
export class Page {
  /** Everything that it asked for, by URL. */
  readonly requested: string[] = []
  /** What the page complained of: errors, and what its policy refused. */
  readonly complaints: string[] = []
  readonly #socket: WebSocket
  #session: string | undefined
  readonly #waiting = new Map<number, (said: Said) => void>()
  #id = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', event => this.#hear(JSON.parse(String(event.data)) as Said))
  }

  /** Starts a browser in `scope`, with one empty page. */
  static async open(scope: Scope): Promise<Page> {
    const folder = scope.folder('browser')
    const flags = [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--remote-debugging-port=0',
      '--no-first-run',
    ]
    Program.start(
      scope,
      folder,
      'chromium',
      [CHROMIUM, ...flags, `--user-data-dir=${folder}`, 'about:blank'],
      {
        env: { ...process.env, HOME: folder },
      },
    )
    const [port, path] = await eventually('the browser', () =>
      readFileSync(join(folder, 'DevToolsActivePort'), 'utf8').split('\n'),
    )
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`)
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', () => reject(new Error('the browser does not answer')))
    })
    scope.add('the page', () => socket.close())
    const page = new Page(socket)
    const { targetId } = await page.#send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await page.#send('Target.attachToTarget', { targetId, flatten: true })
    page.#session = String(sessionId)
    for (const domain of ['Page', 'Network', 'Runtime', 'Log']) await page.#send(`${domain}.enable`)
    return page
  }

  async goTo(url: string): Promise<void> {
    await this.#send('Page.navigate', { url })
    await eventually('the page', async () => (await this.evaluate('document.readyState')) === 'complete')
  }

  /** What an expression gives in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.#send('Runtime.evaluate', { expression, returnByValue: true })
    return (result as { readonly value?: unknown } | undefined)?.value
  }

  /** Another screen: its width in pixels, and what its owner likes. */
  async becomes(width: number, scheme: 'light' | 'dark'): Promise<void> {
    const size = { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 }
    await this.#send('Emulation.setDeviceMetricsOverride', size)
    await this.#send('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-color-scheme', value: scheme }],
    })
  }

  /** All of the page as a PNG. */
  async picture(): Promise<Buffer> {
    const { data } = await this.#send('Page.captureScreenshot', { captureBeyondViewport: true })
    return Buffer.from(String(data), 'base64')
  }

  #send(method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#id
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) =>
        error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result ?? {}),
      )
      const sessionId = this.#session
      this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }))
    })
  }

  #hear(said: Said): void {
    if (said.id !== undefined) {
      this.#waiting.get(said.id)?.(said)
      this.#waiting.delete(said.id)
      return
    }
    const { method, params = {} } = said
    if (method === 'Network.requestWillBeSent')
      this.requested.push(String((params.request as { readonly url: string }).url))
    if (method === 'Runtime.exceptionThrown') this.complaints.push(JSON.stringify(params))
    if (method === 'Log.entryAdded')
      this.complaints.push(String((params.entry as { readonly text: string }).text))
  }
}
