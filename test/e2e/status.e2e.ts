// The live page in a real browser (Debian's Chromium): its figures move, a name is explained, nothing is loaded from elsewhere, it
// fits a phone, a screen reader finds its way, and without a script it says the same.

import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { join } from 'node:path'
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { query } from '../support/dns-client.ts'
import { programPath } from '../support/system-program.ts'
import { eventually, freePorts } from './processes.ts'
import type { Suite } from './suite.ts'

const MISSING = 'nowhere.default.svc.cluster.local'
/** Where screenshots are left for people to look at; nowhere unless it is set. */
const PICTURES = process.env.SEAMARK_PICTURES
const PHONE = { width: 390, height: 844 }
const WIDE = { width: 1280, height: 900 }

export const suite: Suite = {
  name: 'status',
  async run(context) {
    if (context.world.subject !== 'seamark') return context.skip('status', 'it is Seamark’s')
    const executablePath = programPath('chromium')
    if (executablePath === undefined) return context.skip('status', 'chromium is not installed')
    const [port] = (await freePorts(1)) as [number]
    const server = await context.serve('seamark', { server: [`status localhost:${port}`, 'cache'] })
    const site = `http://localhost:${port}`
    const browser = await chromium.launch({ executablePath })
    context.scope.add('the browser', () => browser.close())
    const requested: string[] = []
    const complaints: string[] = []
    const open = async (options: BrowserContextOptions): Promise<Page> => {
      const page = await (await browser.newContext(options)).newPage()
      page.on('request', request => requested.push(request.url()))
      page.on('pageerror', error => complaints.push(String(error)))
      page.on('console', message => {
        if (message.type() === 'error') complaints.push(message.text())
      })
      await page.goto(`${site}/status`)
      return page
    }
    const load = setInterval(() => {
      for (let i = 0; i < 20; i++)
        void query(server.port, { name: i % 4 ? 'kubernetes.default.svc.cluster.local' : MISSING }).catch(
          () => undefined,
        )
    }, 100)
    context.scope.add('load', () => clearInterval(load))
    const page = await open({ viewport: WIDE, colorScheme: 'light' })
    const text = async (id: string, of = page): Promise<string> =>
      (await of.locator(`#${id}`).textContent()) ?? ''
    const picture = async (of: Page, name: string): Promise<void> => {
      if (PICTURES !== undefined) await of.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true })
    }
    const paper = (of: Page): Promise<string> =>
      of.evaluate('getComputedStyle(document.body).backgroundColor')

    await context.check('the figures move', async () => {
      await eventually('events', async () => (await text('state')) === 'live')
      await eventually('queries', async () => /NXDOMAIN/.test(await text('codes')))
      await eventually('names', async () => (await text('failing')).includes(`${MISSING}. NXDOMAIN`))
      const before = await text('figures')
      await eventually('other figures', async () => (await text('figures')) !== before)
      match(await text('watches'), /endpointslices.*current/s)
      match(await text('threads'), /serving-0/)
      match(await text('clients'), /127\.0\.0\.1/)
      await picture(page, 'wide-light')
    })
    await context.check('a name is explained', async () => {
      await page.getByRole('textbox', { name: 'Name' }).fill('nowhere.default')
      await page.getByRole('button', { name: 'Explain' }).click()
      const answer = page.getByRole('region', { name: 'Explanation' })
      match((await answer.textContent()) ?? '', /Cause: There is no Service nowhere.*nowhere\.default\. A: /s)
      await picture(page, 'explained')
    })
    await context.check('nothing is loaded from elsewhere, and nothing is refused', () => {
      const elsewhere = requested.filter(url => !url.startsWith(site) && !url.startsWith('data:'))
      deepEqual(elsewhere, [])
      ok(requested.includes(`${site}/status/events`))
      deepEqual(complaints, [])
    })
    await context.check('dark and light, wide and on a phone', async () => {
      const light = await paper(page)
      const phone = await open({ viewport: PHONE, colorScheme: 'dark' })
      await eventually('the dark', async () => (await paper(phone)) !== light)
      equal(
        await phone.evaluate('document.documentElement.scrollWidth <= innerWidth'),
        true,
        'nothing sticks out',
      )
      await picture(phone, 'phone-dark')
      await phone.close()
    })
    await context.check(
      'a screen reader finds parts, headings and the heads of rows and columns',
      async () => {
        const tree = await page.locator('body').ariaSnapshot()
        for (const part of [
          /- banner:/,
          /- main:/,
          /- heading "Seamark" \[level=1\]/,
          /- region "Watches":\s+- heading "Watches" \[level=2\]/,
          /- columnheader "resource"/,
          /- rowheader "endpointslices"/,
          /- textbox "Name"/,
          /- status: live/,
        ])
          match(tree, part)
        equal(await page.locator('html').getAttribute('lang'), 'en')
      },
    )
    await context.check('without a script it says the same, once', async () => {
      const plain = await open({ javaScriptEnabled: false })
      match(await text('state', plain), /as it was when the page was loaded/)
      match(await text('watches', plain), /endpointslices.*current/s)
      await plain.getByRole('textbox', { name: 'Name' }).fill('nowhere.default')
      await plain.getByRole('button', { name: 'Explain' }).click()
      match(await text('explained', plain), /Cause: /)
      await plain.close()
    })
    await context.check('a server that is gone is told', async () => {
      await server.program.stop()
      await eventually('the state', async () => /does not answer/.test(await text('state')))
    })
  },
}
