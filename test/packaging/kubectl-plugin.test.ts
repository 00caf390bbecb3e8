// bin/kubectl-seamark in front of a kubectl that writes down how it is called.

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import manifest from '../../package.json' with { type: 'json' }
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
