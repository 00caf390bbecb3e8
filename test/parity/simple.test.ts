// What CoreDNS answers, held against the server: cases/simple.yaml.

import { runCases } from './suite.ts'

runCases('simple', 212)
