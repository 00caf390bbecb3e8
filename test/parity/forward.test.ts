// What CoreDNS answers, held against the server: cases/forward.yaml.

import { runCases } from './suite.ts'

runCases('forward', 215)
