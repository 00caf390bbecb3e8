// Every link of every document leads somewhere: a file of the project, a heading in it, or an address that is written in full. What
// comments cite of the documents is there, too.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { anchorsOf, documentNamed, documents, linksOf, ROOT } from './document.ts'

t.ok(documents.length >= 10, `${documents.length} documents`)

for (const document of documents) {
  t.test(document.path, async t => {
    for (const { text, target, anchor } of linksOf(document)) {
      const what = `[${text}](${target}${anchor && `#${anchor}`})`
      if (/^[a-z]+:/.test(target)) {
        t.match(target, /^https:\/\/[a-z0-9.-]+\.[a-z]+\/\S*$/, what)
        continue
      }
      const path = target === '' ? document.path : normalize(join(dirname(document.path), target))
      t.notMatch(path, /^\.\.|^\//, `${what} stays in the project`)
      t.ok(existsSync(join(ROOT, path)), what)
      const linked = documents.find(other => other.path === path)
      if (anchor !== '' && linked) t.ok(anchorsOf(linked).has(anchor), `${what}: the heading`)
    }
  })
}

t.test('the files of the project that the prose names are there', async t => {
  const files = globSync(['src/**', 'test/**', 'scripts/**', 'config/**', 'charts/**'], { cwd: ROOT })
  for (const { path, text } of documents) {
    if (path.startsWith('test/') || path === 'CHANGELOG.md') continue
    for (const [, name = ''] of text.matchAll(/`((?:[\w.-]+\/)*[\w-]+(?:\.test)?\.(?:ts|mjs|yaml))`/g)) {
      if (/[A-Z]/.test(name)) continue
      t.ok(
        files.some(file => file === name || file.endsWith(`/${name}`)),
        `${path}: ${name}`,
      )
    }
  }
})

t.test('the steps of CONTRIBUTING.md name what is in their files', async t => {
  const { text } = documentNamed('CONTRIBUTING.md')
  const steps = text.split(/\n(?=\d+\. |#|\n)/).filter(step => /^\d+\. /.test(step))
  t.ok(steps.length > 30, `${steps.length} steps`)
  for (const step of steps) {
    const named = [...step.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
    const files = named.filter(name => existsSync(join(ROOT, name)) && name.endsWith('.ts'))
    const code = files.map(file => readFileSync(join(ROOT, file), 'utf8')).join('\n')
    for (const name of named.filter(name => /^(?=.*[a-z].*[A-Z]|[A-Z])\w{4,}$/.test(name)))
      if (files.length > 0 && name !== 'NAME' && name !== 'WORD')
        t.ok(code.includes(name), `${files.join(', ')}: ${name}`)
  }
})

t.test('every document of docs/ is one link away from the README', async t => {
  const readme = documents.find(({ path }) => path === 'README.md')!
  const linked = new Set(linksOf(readme).map(({ target }) => normalize(target)))
  for (const { path } of documents)
    if (/^docs\/|^[A-Z]+\.md$/.test(path) && path !== 'README.md') t.ok(linked.has(path), path)
})

t.test('the sections that comments cite are there', async t => {
  const files = globSync(['src/**/*.ts', 'test/**/*.ts'], { cwd: ROOT })
  const cited = new Map<string, string>()
  for (const file of files) {
    const text = readFileSync(join(ROOT, file), 'utf8').replace(/\n *(?:\/\/|\*) */g, ' ')
    for (const [, path = '', list = ''] of text.matchAll(
      /(docs\/[a-z-]+\.md) ((?:[L\d][\d.]*(?:, | to )?)+)/g,
    ))
      for (const number of list.match(/L?\d[\d.]*(?<!\.)/g) ?? []) cited.set(`${path} ${number}`, file)
  }
  t.ok(cited.size > 20, `${cited.size} sections`)
  for (const [section, file] of cited) {
    const [path = '', number = ''] = section.split(' ')
    const { text } = documentNamed(path)
    const heading = new RegExp(`^(?:#+|\\|) ${number.replace('.', '\\.')}\\.? `, 'm')
    t.match(text, heading, `${file}: ${section}`)
  }
})
