// bin/kubectl-seamark in front of a kubectl that writes down how it is called, and how it comes to a machine.

import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { parse } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }
import { readTar } from '../../scripts/image/tar.ts'
import { krewArchive, krewManifest } from '../../scripts/krew.ts'
import { ROOT } from './bundle.ts'

const PLUGIN = join(ROOT, 'bin', 'kubectl-seamark')

t.test('what kubectl is asked to run', t => {
  const folder = t.testdir({ kubectl: '#!/bin/sh\nprintf "%s\\n" "$@"\nexit 7\n' })
  chmodSync(join(folder, 'kubectl'), 0o755)
  const call = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const { status, stdout, stderr } = spawnSync(PLUGIN, args, {
      encoding: 'utf8',
      env: { PATH: `${folder}:${process.env.PATH}`, ...env },
    })
    return { status, args: stdout.trimEnd().split('\n'), stderr }
  }
  const cases: [args: string[], env: Record<string, string>, called: string[]][] = [
    [
      ['explain', 'web.shop', '--from', 'shop/curl'],
      {},
      [
        '--namespace',
        'kube-system',
        'exec',
        'deploy/coredns',
        '--',
        'seamark',
        'explain',
        'web.shop',
        '--from',
        'shop/curl',
      ],
    ],
    [
      ['--context', 'my cluster', '--kubeconfig=/a b', 'tap', '--name', 'a b', '*'],
      { SEAMARK_NAMESPACE: 'dns', SEAMARK_TARGET: 'pod/dns-1' },
      [
        '--context',
        'my cluster',
        '--kubeconfig=/a b',
        '--namespace',
        'dns',
        'exec',
        'pod/dns-1',
        '--',
        'seamark',
        'tap',
        '--name',
        'a b',
        '*',
      ],
    ],
    [
      ['explain', '--context', 'x'],
      {},
      ['--namespace', 'kube-system', 'exec', 'deploy/coredns', '--', 'seamark', 'explain', '--context', 'x'],
    ],
  ]
  for (const [args, env, called] of cases) {
    const { status, args: seen } = call(args, env)
    t.same(seen, called, args.join(' '))
    t.equal(status, 7, "kubectl's status, which is that of the command")
  }
  for (const args of [[], ['--context'], ['--context', 'x']]) {
    const { status, stderr } = call(args)
    t.equal(status, 2, args.join(' '))
    t.match(stderr, /^(?:usage: )?kubectl seamark/)
  }
  t.end()
})

t.test('is among the commands of the npm package, and no shell finds fault with it', t => {
  t.equal(manifest.bin['kubectl-seamark'], 'bin/kubectl-seamark')
  t.match(readFileSync(PLUGIN, 'utf8'), /^#!\/bin\/sh\n/)
  for (const shell of ['sh', 'bash']) execFileSync(shell, ['-n', PLUGIN])
  t.end()
})

t.test('as a plugin of krew: the archive holds the script, and the manifest its checksum', t => {
  const archive = krewArchive()
  t.same(archive, krewArchive(), 'the same octets each time')
  const entries = readTar(gunzipSync(archive)).filter(({ kind }) => kind === 'file')
  t.same(
    entries.map(({ path, mode }) => [path, mode]),
    [
      ['LICENSE', 0o644],
      ['kubectl-seamark', 0o755],
    ],
  )
  t.same(entries[1]!.content, readFileSync(PLUGIN))
  const uri = 'https://example.org/seamark.tar.gz'
  const told = parse(krewManifest(archive, uri)) as {
    metadata: object
    spec: { version: string; shortDescription: string; platforms: object[] }
  }
  t.same(told.metadata, { name: 'seamark' })
  t.equal(told.spec.version, `v${manifest.version}`)
  t.match(told.spec.platforms, [
    { uri, bin: 'kubectl-seamark', sha256: createHash('sha256').update(archive).digest('hex') },
  ])
  // What krew's index asks of it.
  t.ok(told.spec.shortDescription.length <= 50 && !told.spec.shortDescription.endsWith('.'))
  t.end()
})
