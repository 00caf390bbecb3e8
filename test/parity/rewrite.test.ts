// What CoreDNS answers, held against the server: cases/rewrite.yaml.

import { runCases } from './suite.ts'

runCases('rewrite', 154)
