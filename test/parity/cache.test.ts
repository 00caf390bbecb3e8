// What CoreDNS answers, held against the server: cases/cache.yaml.

import { runCases } from './suite.ts'

runCases('cache', 185)
