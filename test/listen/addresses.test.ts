import type { NetworkInterfaceInfo } from 'node:os'
import t from 'tap'
import { bindAddresses, type Interfaces, interfaceAddresses, isWildcard } from '../../src/listen/addresses.ts'

const info = (address: string, scopeid = 0): NetworkInterfaceInfo => {
  const rest = { address, netmask: '', mac: '', internal: false, cidr: null }
  return address.includes(':') ? { ...rest, family: 'IPv6', scopeid } : { ...rest, family: 'IPv4' }
}
const machine: Interfaces = {
  lo: [info('127.0.0.1'), info('::1')],
  eth0: [info('10.0.0.5'), info('fd00::5'), info('fe80::1', 2)],
  nodelocaldns: [info('169.254.20.10')],
}

t.test('bind', async t => {
  const everything = ['127.0.0.1', '::1', '10.0.0.5', 'fd00::5', 'fe80::1%eth0', '169.254.20.10']
  const cases: { words: string[]; except?: string[]; addresses: string[]; unknown?: string[] }[] = [
    { words: [], addresses: [''] },
    { words: ['0.0.0.0'], addresses: [''] },
    { words: ['::'], addresses: [''] },
    { words: [''], addresses: [''] },
    { words: ['127.0.0.1', '0.0.0.0'], addresses: [''] },
    { words: ['192.0.2.7'], addresses: ['192.0.2.7'] },
    { words: ['FD00:0::5', '[::1]'], addresses: ['fd00::5', '::1'] },
    { words: ['fe80::1%eth0'], addresses: ['fe80::1%eth0'] },
    { words: ['eth0'], addresses: ['10.0.0.5', 'fd00::5', 'fe80::1%eth0'] },
    { words: ['lo', '127.0.0.1'], addresses: ['127.0.0.1', '::1'] },
    { words: ['eth9', 'lo'], addresses: ['127.0.0.1', '::1'], unknown: ['eth9'] },
    { words: ['256.0.0.1'], addresses: [], unknown: ['256.0.0.1'] },
    { words: [], except: ['lo'], addresses: everything.slice(2) },
    { words: ['0.0.0.0'], except: ['eth0', '::1'], addresses: ['127.0.0.1', '169.254.20.10'] },
    { words: ['eth0'], except: ['fd00::5'], addresses: ['10.0.0.5', 'fe80::1%eth0'] },
    { words: ['lo'], except: ['eth9'], addresses: ['127.0.0.1', '::1'], unknown: ['eth9'] },
  ]
  for (const { words, except = [], addresses, unknown = [] } of cases) {
    const what = `bind ${words.join(' ')}${except.length ? ` except ${except.join(' ')}` : ''}`
    t.same(bindAddresses(words, except, machine), { addresses, unknown }, what)
  }
})

t.test('this machine', async t => {
  t.match(interfaceAddresses(), [{ address: '127.0.0.1', family: 4 }])
  t.same(['', '0.0.0.0', '::', '::1', '127.0.0.1'].map(isWildcard), [true, true, true, false, false])
})
