import t from 'tap'
import { type BusyThread, watchBusy } from '../../src/observe/busy.ts'
import { Registry } from '../../src/observe/registry.ts'

t.test('busy since the last scrape', async t => {
  const registry = new Registry()
  let account = { active: 30, idle: 70, utilization: 0.3 }
  let threads: BusyThread[] = [{ name: '0', utilization: () => account }]
  const end = watchBusy(registry, () => threads)
  const ratios = (): string[] =>
    registry
      .gather()
      .filter(({ family }) => family.name === 'seamark_thread_busy_ratio')
      .flatMap(({ samples }) => samples.map(({ values, numbers }) => `${values[0]} ${numbers[0]}`))
  t.same(ratios(), ['0 0.3'])
  account = { active: 120, idle: 80, utilization: 0.6 }
  t.same(ratios(), ['0 0.9'], '90 of 100')
  account = { active: 1, idle: 3, utilization: 0.25 }
  t.same(ratios(), ['0 0.25'], 'a thread that was replaced')
  threads = []
  t.same(ratios(), [], 'a thread that is gone')
  end()
})
