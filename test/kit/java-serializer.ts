import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { kafkaJars, runProgram } from '../../deploy/kafka/install.ts'

const FOLDER = join(import.meta.dirname, 'java')
const POM = join(FOLDER, 'serdes', 'pom.xml')
/** Some 20 MB over a slow line. */
const MAVEN_TIMEOUT_MS = 300_000
/** Compiling its source, and a cold Java on a busy machine. */
const RUN_TIMEOUT_MS = 90_000

/** Values of `java/payment.avsc` as a Java producer writes them, with Apicurio's serializer in Confluent's wire format. */
export async function javaPayments(registryUrl: string, topic: string): Promise<Buffer[]> {
  const jars = [join(await serdesJars(), '*'), join(await kafkaJars(), '*')].join(':')
  const native = registryUrl.replace('/apis/ccompat/v7', '/apis/registry/v2')
  const program = join(FOLDER, 'AvroSerializer.java')
  const args = ['-XX:TieredStopAtLevel=1', '-cp', jars, program, native, join(FOLDER, 'payment.avsc'), topic]
  const { code, stdout, stderr } = await runProgram('java', args, { timeoutMs: RUN_TIMEOUT_MS })
  if (code !== 0) throw new Error(`The Java serializer failed:\n${stderr}`)
  return stdout
    .trim()
    .split('\n')
    .map((line) => Buffer.from(line, 'base64'))
}

/** The serializer's jars, in the project's cache folder. */
async function serdesJars(): Promise<string> {
  const hash = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12)
  const project = join(import.meta.dirname, '..', '..')
  const folder = join(process.env.SLUICE_CACHE || join(project, '.cache'), `serdes-${hash}`)
  if (existsSync(folder)) return folder
  const partial = `${folder}.${process.pid}`
  await mkdir(partial, { recursive: true })
  const args = ['-q', '-B', '-f', POM, 'dependency:copy-dependencies', `-DoutputDirectory=${partial}`]
  const maven = await runProgram('mvn', args, { timeoutMs: MAVEN_TIMEOUT_MS })
  if (maven.code !== 0) throw new Error(`Maven could not get the serializer:\n${maven.stdout}${maven.stderr}`)
  await rename(partial, folder)
  return folder
}
