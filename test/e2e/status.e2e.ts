// The live page in a real browser: its figures move, a name is explained, nothing is loaded from elsewhere, and it fits a phone.

import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { query } from '../support/dns-client.ts'
import { hasChromium, Page } from './browser.ts'
import { eventually, freePorts } from './processes.ts'
import type { Suite } from './suite.ts'

const MISSING = 'nowhere.default.svc.cluster.local'
/** Where screenshots are left for people to look at; nowhere unless it is set. */
const PICTURES = process.env.SEAMARK_PICTURES

export const suite: Suite = {
  name: 'status',
  async run(context) {
    if (context.world.subject !== 'seamark') return context.skip('status', 'it is Seamark’s')
    if (!hasChromium()) return context.skip('status', 'chromium is not installed')
    const [port] = (await freePorts(1)) as [number]
    const server = await context.serve('seamark', { server: [`status localhost:${port}`, 'cache'] })
    const page = await Page.open(context.scope)
    const site = `http://localhost:${port}`
    const text = async (id: string): Promise<string> =>
      String(await page.evaluate(`document.getElementById('${id}').innerText`))
    const load = setInterval(() => {
      for (let i = 0; i < 20; i++)
        void query(server.port, { name: i % 4 ? 'kubernetes.default.svc.cluster.local' : MISSING }).catch(
          () => undefined,
        )
    }, 100)
    context.scope.add('load', () => clearInterval(load))
    const picture = async (name: string): Promise<void> => {
      if (PICTURES === undefined) return
      mkdirSync(PICTURES, { recursive: true })
      writeFileSync(join(PICTURES, `${name}.png`), await page.picture())
    }

    await context.check('the figures move', async () => {
      await page.goTo(`${site}/status`)
      await eventually('events', async () => (await text('state')) === 'live')
      await eventually('queries', async () => /NXDOMAIN/.test(await text('codes')))
      await eventually('names', async () => (await text('failing')).includes(`${MISSING}. NXDOMAIN`))
      const before = await text('figures')
      await eventually('other figures', async () => (await text('figures')) !== before)
      match(await text('watches'), /endpointslices.*current/s)
      match(await text('threads'), /serving-0/)
      match(await text('clients'), /127\.0\.0\.1/)
      await page.becomes(1280, 'light')
      await picture('wide-light')
    })
    await context.check('a name is explained', async () => {
      await page.evaluate(
        "document.getElementById('name').value = 'nowhere.default'; document.querySelector('button').click()",
      )
      await eventually(
        'the answer',
        async () => (await page.evaluate("!!document.getElementById('explained')")) === true,
      )
      match(await text('explained'), /Cause: /)
      match(await text('explained'), /nowhere/)
    })
    await context.check('nothing is loaded from elsewhere, and nothing is refused', async () => {
      const elsewhere = page.requested.filter(url => !url.startsWith(site) && !url.startsWith('data:'))
      deepEqual(
        elsewhere.filter(url => url !== 'about:blank'),
        [],
      )
      ok(page.requested.some(url => url === `${site}/status/events`))
      deepEqual(page.complaints, [])
    })
    await context.check('dark and light, wide and on a phone', async () => {
      const paper = (): Promise<unknown> => page.evaluate('getComputedStyle(document.body).backgroundColor')
      await page.becomes(1280, 'light')
      // The page that explained a name may have no style yet.
      await eventually('the style', async () => (await paper()) !== 'rgba(0, 0, 0, 0)')
      const light = await paper()
      await page.becomes(390, 'dark')
      await eventually('the dark', async () => (await paper()) !== light)
      equal(await page.evaluate('document.documentElement.scrollWidth <= 390'), true, 'nothing sticks out')
      await picture('phone-dark')
    })
    await context.check('a server that is gone is told', async () => {
      await server.program.stop()
      await eventually('the state', async () => /does not answer/.test(await text('state')))
    })
  },
}
