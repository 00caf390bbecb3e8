// What CoreDNS answers, held against the server: cases/words.yaml.

import { runCases } from './suite.ts'

runCases('words', 65)
