import { writeFileSync } from 'node:fs'
import t from 'tap'
import { readChanged, readConfiguration } from '../../src/setup/configuration.ts'

t.test('a Corefile is judged again when its words change', async t => {
  const directory = t.testdir({ Corefile: '. {\n whoami\n}\n', db: '' })
  const file = `${directory}/Corefile`
  const source = { file, port: 53 }
  const { hash } = readConfiguration(source)
  t.equal(readChanged(source, hash), undefined)
  t.equal(readChanged(source, '')?.hash, hash)
  writeFileSync(file, '# a comment\n. {\n  whoami\n}\n')
  t.equal(readChanged(source, hash), undefined, 'neither comments nor blanks change it')
  writeFileSync(file, '. {\n file db\n}\n')
  const changed = readChanged(source, hash)
  t.match(changed?.problems, [{ message: 'no SOA record for the zone .' }])
  t.equal(readChanged(source, changed?.hash ?? ''), undefined, 'a zone file is not read for nothing')
})
