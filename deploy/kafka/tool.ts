import { join } from 'node:path'
import { type Finished, kafkaJars, runProgram } from './install.ts'

const TOOL_TIMEOUT_MS = 60_000
/** Short runs: no optimizing compiler. */
export const TOOL_JVM = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
export const QUIET = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Dorg.slf4j.simpleLogger.showDateTime=true']

/** Runs one of Kafka's own command line tools, by its main class, with the broker's jars. */
export type RunTool = (
  mainClass: string,
  args: readonly string[],
  options?: { stdin?: string | AsyncIterable<string>; timeoutMs?: number },
) => Promise<Finished>

/** Such as `org.apache.kafka.tools.TopicCommand`; it needs no broker of ours. */
export const runTool: RunTool = async (mainClass, args, { stdin = '', timeoutMs = TOOL_TIMEOUT_MS } = {}) => {
  const jars = join(await kafkaJars(), '*')
  return runProgram('java', [...TOOL_JVM, ...QUIET, '-cp', jars, mainClass, ...args], { stdin, timeoutMs })
}
