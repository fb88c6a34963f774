export interface RegistryAccess {
  /**
   * The base address of Confluent's interface, such as `https://registry.example:8081`, or Apicurio's
   * `http://registry.example/apis/ccompat/v7`. Credentials in it are taken as `username` and `password`.
   */
  readonly url: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Sent with every request, such as `authorization` with a bearer token. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** Where a registry is, and what it is sent. */
export interface RegistryAddress {
  /** Without credentials, query and final slashes. */
  readonly base: string
  /** Host and port: what sentences call it. */
  readonly name: string
  readonly headers: Readonly<Record<string, string>>
}

const ACCEPT = 'application/vnd.schemaregistry.v1+json, application/json'

/** @throws TypeError for what is no address over HTTP. */
export function registryAddress({ url, username, password, headers }: RegistryAccess): RegistryAddress {
  if (!URL.canParse(url)) throw new TypeError("The schema registry's url is not a URL")
  const parsed = new URL(url)
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new TypeError("The schema registry's url is not one of http: or https:")
  }
  const user = username ?? decodeURIComponent(parsed.username)
  const secret = password ?? decodeURIComponent(parsed.password)
  return {
    base: `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`,
    name: parsed.host,
    headers: {
      accept: ACCEPT,
      'user-agent': 'sluice',
      ...((user !== '' || secret !== '') && {
        authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`,
      }),
      ...headers,
    },
  }
}
