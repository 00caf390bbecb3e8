// `seamark check`: Corefiles in manifests and on standard input, what is here and what only the serving machine has.

import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { check } from '../../src/setup/check.ts'

/** What is printed of a file in a folder with these files, line by line, and the exit status. */
async function checked(
  t: Test,
  files: Record<string, string>,
  options: { file?: string; json?: boolean; offline?: boolean } = {},
): Promise<{ status: number; lines: string[] }> {
  const folder = t.testdir({})
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const { file = Object.keys(files)[0]!, json = false, offline = false } = options
  let output = ''
  const status = await check({ file: join(folder, file), json, offline, port: 53 }, text => {
    output += text
  })
  const lines = output
    .replaceAll(`${folder}/`, '')
    .split('\n')
    .filter(line => line !== '')
  return { status, lines }
}

const CONFIG_MAP = `apiVersion: v1
kind: ConfigMap
metadata:
  name: coredns
  namespace: kube-system
data:
  NodeHosts: |
    192.0.2.1 node-1
  Corefile: |
    .:53 {
        errors
        kubernetes cluster.local {
            pods maybe
        }
        import custom/*.override
        chache 30
    }
    import /etc/coredns/custom/*.server
`
const CUSTOM = `apiVersion: v1
kind: ConfigMap
metadata:
  name: coredns-custom
data:
  a.server: |
    a.test:53 {
        wohami
    }
  log.override: |
    log stdout stdout
`

t.test('a ConfigMap: what is wrong is told where it stands in the manifest', async t => {
  const { status, lines } = await checked(t, { 'coredns.yaml': CONFIG_MAP })
  t.equal(status, 1)
  t.match(lines, [
    /^coredns\.yaml:15:16: warning: no file matches this pattern \(found "custom\/\*\.override"\)/,
    /^coredns\.yaml:18:12: warning: no file matches this pattern/,
    /^coredns\.yaml:16:9: error: unknown directive \(found "chache"; allowed: cache/,
    /^coredns\.yaml:13:18: error: this is not the mode \(found "maybe"/,
    /^coredns\.yaml: ConfigMap coredns, Corefile: 1 server block, 2 errors, 2 warnings$/,
  ])
})

t.test('what a Corefile imports from another ConfigMap is read with it, and not by itself', async t => {
  const { status, lines } = await checked(t, {
    'all.yaml': `${CONFIG_MAP.replace('maybe', 'insecure')}---\n${CUSTOM}`,
  })
  t.equal(status, 1)
  t.match(lines, [
    /^all\.yaml:16:9: error: unknown directive \(found "chache"/,
    /^\/etc\/coredns\/custom\/a\.server:2:5: error: unknown directive \(found "wohami"; allowed: whoami/,
    /^all\.yaml: ConfigMap coredns, Corefile: 2 server blocks, 2 errors, 0 warnings$/,
  ])
})

t.test('keys that are imported elsewhere are judged one by one', async t => {
  const { status, lines } = await checked(t, { 'custom.yaml': CUSTOM })
  t.equal(status, 1)
  t.match(lines, [
    /^custom\.yaml:8:9: error: unknown directive \(found "wohami"/,
    'custom.yaml: ConfigMap coredns-custom, a.server: 1 server block, 1 error, 0 warnings',
    /^custom\/log\.override:1:5: warning: queries for names below this one are logged/,
    'custom.yaml: ConfigMap coredns-custom, log.override: 1 server block, 0 errors, 1 warning',
  ])
})

t.test('as kubectl writes it: lists, JSON, a Corefile in quotes', async t => {
  const map = (Corefile: string): object => ({
    kind: 'ConfigMap',
    metadata: { name: 'c' },
    data: { Corefile },
  })
  const list = JSON.stringify({ kind: 'List', items: [map('. {\n whoami\n}\n'), { kind: 'Pod' }, map('.{')] })
  t.match(await checked(t, { 'list.json': list }), {
    status: 1,
    lines: [
      'list.json: ConfigMap c, Corefile: 1 server block, 0 errors, 0 warnings',
      /^list\.json: ConfigMap c, Corefile:1:1: error: a blank is needed before the opening brace/,
      /^list\.json: ConfigMap c, Corefile:1:2: error: this brace is never closed/,
      /^list\.json: ConfigMap c, Corefile: 1 server block, 2 errors/,
    ],
  })
  const quoted = 'kind: ConfigMap\ndata:\n  Corefile: ". {\\n\\twhoami x\\n}\\n"\n'
  t.match((await checked(t, { 'q.yaml': quoted })).lines, [
    /^q\.yaml: Corefile:2:9: error: whoami takes no arguments/,
    /1 error/,
  ])
})

t.test('manifests without a Corefile, and broken ones', async t => {
  const cases: [text: string, line: RegExp][] = [
    ['kind: Deployment\nmetadata:\n  name: x\n', /^m\.yaml:1:1: error: no ConfigMap with a key Corefile/],
    ['kind: ConfigMap\ndata:\n  other: x\n', /^m\.yaml:1:1: error: no ConfigMap with a key Corefile/],
    ['kind: ConfigMap\ndata: [\n', /^m\.yaml:3:1: error: broken YAML: /],
  ]
  for (const [text, line] of cases) {
    const { status, lines } = await checked(t, { 'm.yaml': text })
    t.equal(status, 1)
    t.match(lines, [line, 'm.yaml: 0 server blocks, 1 error, 0 warnings'], text)
  }
})

t.test('files that must be there, unless another machine serves', async t => {
  const absent: [lines: string, line: RegExp][] = [
    [
      'kubernetes cluster.local {\n kubeconfig gone\n}',
      /^c:3:13: (\w+): cannot read the kubeconfig file: ENOENT/,
    ],
    [
      'kubernetes a.test {\n endpoint https://127.0.0.1:1\n tls gone c c\n}',
      /^c:4:6: (\w+): cannot read the certificate: ENOENT/,
    ],
    ['kubernetes cluster.local {\n manifests gone\n}', /^c:3:12: (\w+): this folder does not exist/],
    [
      'root sub\nkubernetes cluster.local {\n manifests gone\n}',
      /^c:4:12: (\w+): this folder does not exist/,
    ],
    ['forward . tls://192.0.2.1 {\n tls gone\n}', /^c:3:6: (\w+): cannot read this file: ENOENT/],
    ['forward . /gone/resolv.conf', /^c:2:11: (\w+): cannot read this file: ENOENT/],
    ['autopath gone', /^c:2:10: (\w+): no search path: ENOENT/],
    ['file gone a.test {\n reload 0\n}', /^c:2:6: (\w+): ENOENT/],
    ['prometheus {\n tls gone\n}', /^c:3:6: (\w+): reading the web configuration: ENOENT/],
    ['import gone/more', /^c:2:8: (\w+): cannot import .*ENOENT/],
  ]
  for (const [lines, line] of absent) {
    const files = { c: `. {\n${lines}\n}\n`, 'sub/x': '' }
    const severity = async (offline: boolean): Promise<string[]> =>
      (await checked(t, files, { offline })).lines.flatMap(each => line.exec(each)?.[1] ?? [])
    t.same(await severity(false), ['error'], lines)
    t.same(await severity(true), ['warning'], `${lines}, elsewhere`)
    t.equal((await checked(t, files)).status, 1)
    t.equal((await checked(t, files, { offline: true })).status, 0)
  }
  const present = { c: '. {\nautopath sub\nforward . 192.0.2.1\n}', 'sub/x': '' }
  t.equal((await checked(t, present, { offline: true })).status, 1, 'a folder is no file on any machine')
  const { status, lines } = await checked(t, { other: '' }, { file: 'gone', offline: true })
  t.equal(status, 1, 'the Corefile itself must be there')
  t.match(lines, [/^gone:1:1: error: cannot read gone: ENOENT/, 'gone: 0 server blocks, 1 error, 0 warnings'])
})

t.test('hosts that have no address here', async t => {
  const files = { c: '. {\nerrors\nforward . no.such.invalid\n}\n' }
  const { status, lines } = await checked(t, files)
  t.equal(status, 1)
  t.match(lines, [
    /^c:3:11: error: this host cannot be resolved: .* \(found "no\.such\.invalid"\)$/,
    'c: 1 server block, 1 error, 0 warnings',
  ])
  const offline = await checked(t, files, { offline: true })
  t.strictSame(offline, { status: 0, lines: ['c: 1 server block, 0 errors, 0 warnings'] }, 'not looked up')
})

t.test('json has everything of all Corefiles', async t => {
  const { status, lines } = await checked(t, { 'custom.yaml': CUSTOM }, { json: true })
  t.equal(status, 1)
  const { file, errors, problems } = JSON.parse(lines.join('\n'))
  t.strictSame([file, errors, problems.length], ['custom.yaml', 1, 2])
})

t.test('standard input', async t => {
  const script = `
    import { check } from ${JSON.stringify(join(import.meta.dirname, '../../src/setup/check.ts'))}
    process.exitCode = await check({ file: '-', json: false, offline: false, port: 53 }, text => process.stdout.write(text))`
  const run = (input: string): [number | null, string] => {
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      input,
      encoding: 'utf8',
    })
    return [status, stdout]
  }
  t.same(run('. {\n whoami\n}\n'), [0, 'stdin: 1 server block, 0 errors, 0 warnings\n'])
  t.match(run('. {\n whoami x\n}\n'), [1, /^stdin:2:9: error: whoami takes no arguments/])
  t.match(run(CUSTOM), [1, /^stdin:8:9: error: unknown directive \(found "wohami"/])
})
