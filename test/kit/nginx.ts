import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { makeCertificate } from '../../deploy/nginx/certificate.ts'
import { nginxConfig } from '../../deploy/nginx/config.ts'
import type { NginxOptions } from '../../deploy/nginx/options.ts'
import { findNginx, NGINX_MISSING, type Nginx, privateFiles, startNginx } from '../../deploy/nginx/run.ts'

/** A line of the access log. */
export interface AccessLine {
  readonly method: string
  readonly path: string
  readonly protocol: string
  readonly status: string
  readonly upstream: string
  readonly upstream_status: string
  /** Which connection of Nginx's, so that requests on one can be told. */
  readonly connection: string
  readonly request_id: string
}

export interface TestNginx extends Nginx {
  /** `https://127.0.0.1:PORT`. */
  readonly origin: string
  /** The URL of GraphQL. */
  readonly graphql: string
  readonly folder: string
  /** The options of the configuration that it runs. */
  readonly options: NginxOptions
  accessLog(): AccessLine[]
  /** All that is in its log files, as text. */
  logs(): string
}

export interface TestNginxOptions extends Partial<NginxOptions> {
  /** What gateways there are; `addressOf` makes an address of a gateway's URL. */
  readonly instances: NginxOptions['instances']
  /** A change to the text of the configuration, for what no option is to change. */
  readonly edit?: (config: string) => string
}

/** What is in it is known once the tests run. */
export interface NginxKit {
  /** A folder of this file's own, for configurations and unix sockets. */
  readonly home: string
  /** Paths of the certificate of this file's servers, and of its key. */
  readonly tls: { readonly certificate: string; readonly certificateKey: string }
  /** A path in the folder for a unix socket. */
  socket(name: string): string
  /** Starts one from the configuration that people run, with two workers, on a free port; it ends with the test. */
  start(options: TestNginxOptions): Promise<TestNginx>
}

/** A block of tests behind a real Nginx. Where there is none, it is skipped, and its name says why. */
export function describeNginx(name: string, tests: (nginx: NginxKit) => void): void {
  if (findNginx() === undefined) {
    const start = () => Promise.reject(new Error(NGINX_MISSING))
    const tls = { certificate: '', certificateKey: '' }
    describe.skip(`${name} (skipped: ${NGINX_MISSING})`, () => tests({ home: '', tls, socket: () => '', start }))
    return
  }
  describe(name, () => {
    let home = ''
    let tls = { certificate: '', certificateKey: '' }
    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), 'sluice-nginx-'))
      tls = await makeCertificate(home)
      // For fetch, which can be told in no other way.
      setDefaultCACertificates([...getCACertificates('default'), readFileSync(tls.certificate, 'utf8')])
    })
    afterAll(() => rm(home, { recursive: true, force: true, maxRetries: 5 }))
    tests({
      get home() {
        return home
      },
      get tls() {
        return tls
      },
      socket: (socket) => join(home, `${socket}-${++sockets}.sock`),
      start: (options) => start(home, tls, options),
    })
  })
}

let sockets = 0

async function start(
  home: string,
  tls: { certificate: string; certificateKey: string },
  { edit = (text) => text, ...more }: TestNginxOptions,
): Promise<TestNginx> {
  const folder = await mkdtemp(join(home, 'run-'))
  const [port] = (await freePorts(1)) as [number]
  const options = { listen: [`127.0.0.1:${port}`], ...tls, workers: 2, ...privateFiles(folder), ...more }
  const nginx = await startNginx({ folder, port, config: edit(nginxConfig(options)) })
  onTestFinished(() => nginx.stop())
  const read = (file: string) => readFileSync(join(folder, file), 'utf8')
  const origin = `https://127.0.0.1:${port}`
  return {
    ...nginx,
    origin,
    graphql: `${origin}/graphql`,
    folder,
    options,
    accessLog: () =>
      read('access.log')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    logs: () => read('access.log') + read('error.log'),
  }
}

/** The address, for Nginx, of a gateway that says where it listens: `http://host:port`, or the path of a unix socket. */
export function addressOf(url: string): string {
  return url.startsWith('/') ? `unix:${url}` : new URL(url).host
}
