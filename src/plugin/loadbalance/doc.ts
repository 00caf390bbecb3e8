// How `loadbalance` is written.

import type { WordDoc } from '../../corefile/doc.ts'
import { PREFER_MAX, RELOAD_MIN_MS, RELOAD_MS } from './config.ts'

export const loadbalanceDoc: WordDoc = {
  usage: 'loadbalance [round_robin | weighted FILE]',
  meaning: 'orders the addresses of every answer anew: at random, or by the weights in FILE',
  default: 'round_robin',
  options: [
    {
      usage: 'reload DURATION',
      meaning: 'how often the weight file is looked at; 0s is never',
      default: `${RELOAD_MS / 1000}s`,
      range: `from ${RELOAD_MIN_MS}ms`,
    },
    {
      usage: 'prefer CIDR…',
      meaning: 'puts addresses in these networks first',
      range: `${PREFER_MAX} networks`,
    },
  ],
  example: `
    . {
        loadbalance round_robin {
            prefer 10.0.0.0/8
        }
        forward . /etc/resolv.conf
    }`,
}
