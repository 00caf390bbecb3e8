import t from 'tap'
import { Readiness, type ReadySource } from '../../src/observe/ready.ts'
import { testThread } from '../support/words.ts'

interface Switch extends ReadySource {
  on: boolean
}
const source = (name: string, on = false): Switch => {
  const made: Switch = {
    name,
    on,
    ready: () => made.on,
    explain: () => (made.on ? 'ready' : `waiting for ${name}`),
  }
  return made
}

const ask = async (readiness: Readiness, query = ''): Promise<[number, string]> => {
  const { status, body } = await readiness.route(new URLSearchParams(query), '')
  return [status, body]
}

t.test('what is missing, in the order of the alphabet', async t => {
  const { context, lines } = testThread()
  const readiness = new Readiness(context.log)
  const [kubernetes, erratic] = [source('kubernetes'), source('erratic')]
  t.same(await ask(readiness), [200, 'OK'], 'nothing to wait for')
  readiness.watch([kubernetes, erratic, source('kubernetes', false)], 'until-ready')
  t.same(await ask(readiness), [503, 'erratic,kubernetes'])
  t.same(lines, ['[INFO] plugin/ready: Plugins not ready: "erratic,kubernetes"'])
  erratic.on = true
  t.same(await ask(readiness), [503, 'kubernetes'])
})

t.test('monitor', async t => {
  const cases: [mode: 'until-ready' | 'continuously', after: [number, string]][] = [
    ['until-ready', [200, 'OK']],
    ['continuously', [503, 'kubernetes']],
  ]
  for (const [mode, after] of cases) {
    const readiness = new Readiness(testThread().context.log)
    const kubernetes = source('kubernetes', true)
    readiness.watch([kubernetes], mode)
    t.same(await ask(readiness), [200, 'OK'], mode)
    kubernetes.on = false
    t.same(await ask(readiness), after, mode)
    readiness.watch([kubernetes], mode)
    t.same(await ask(readiness), after, `${mode}: a reload keeps what was seen of a source that stays`)
    readiness.watch([source('kubernetes')], mode)
    t.same(await ask(readiness), [503, 'kubernetes'], `${mode}: a new source begins anew`)
  }
})

t.test('verbose explains', async t => {
  const notes: string[] = []
  const readiness = new Readiness(testThread().context.log, () => notes)
  const kubernetes = source('kubernetes')
  readiness.watch([kubernetes, source('loop', true)], 'until-ready')
  t.same(await ask(readiness, 'verbose'), [
    503,
    'kubernetes\nkubernetes: waiting for kubernetes\nloop: ready\n',
  ])
  kubernetes.on = true
  notes.push('reload: Corefile:7:9: unknown property')
  t.same(await ask(readiness, 'verbose'), [
    200,
    'OK\nkubernetes: ready\nloop: ready\nreload: Corefile:7:9: unknown property\n',
  ])
})

t.test('the end', async t => {
  const { context, lines } = testThread()
  const readiness = new Readiness(context.log)
  readiness.watch([source('kubernetes', true)], 'until-ready')
  readiness.end()
  t.same(await ask(readiness), [503, 'Shutting down'])
  readiness.watch([source('kubernetes')], 'until-ready')
  t.same(await ask(readiness), [503, 'Shutting down'])
  t.same(lines, [])
})
