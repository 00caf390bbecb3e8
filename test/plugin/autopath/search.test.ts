import { join } from 'node:path'
import t from 'tap'
import { readSearch, SEARCH_MAX, searchOf } from '../../../src/plugin/autopath/search.ts'

t.test('the search path of a resolv.conf', async t => {
  const many = Array.from({ length: SEARCH_MAX + 4 }, (_, i) => `d${i}.test`)
  const cases: [what: string, text: string, domains: readonly string[]][] = [
    ['nothing', '', []],
    ['one line', 'search a.test b.test', ['a.test.', 'b.test.']],
    ['case and final dots', 'search A.Test. b', ['a.test.', 'b.']],
    ['the last line counts', 'search a.test\nnameserver 192.0.2.1\nsearch b.test', ['b.test.']],
    ['one domain', 'domain a.test b.test', ['a.test.']],
    ['domain behind search', 'search a.test b.test\ndomain c.test', ['c.test.']],
    ['comments and blanks', '# search x\n; search y\n  search\ta.test\r\noptions ndots:5', ['a.test.']],
    ['a line of nothing', 'search a.test\nsearch', []],
    ['what is no domain', 'search a..b ok.test', ['ok.test.']],
    ['too many', `search ${many.join(' ')}`, many.slice(0, SEARCH_MAX).map(domain => `${domain}.`)],
  ]
  for (const [what, text, domains] of cases) t.same(searchOf(text), domains, what)
})

t.test('of a file', async t => {
  const folder = t.testdir({ 'resolv.conf': 'search a.test\n' })
  t.same(readSearch(join(folder, 'resolv.conf')), ['a.test.'])
  t.match(readSearch(join(folder, 'gone')), { error: { code: 'ENOENT' } })
})
