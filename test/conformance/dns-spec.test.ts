import { runSuite } from './run.ts'

runSuite('dns-spec', 64)
