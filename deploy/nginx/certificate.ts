import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runToEnd } from '../stack/child.ts'

const DAYS = 30

/** A certificate that nobody has to trust, for a machine's own use; by openssl, which Debian's Nginx stands on anyway. */
export async function makeCertificate(folder: string): Promise<{ certificate: string; certificateKey: string }> {
  await mkdir(folder, { recursive: true })
  const certificate = join(folder, 'tls.crt')
  const certificateKey = join(folder, 'tls.key')
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1'
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', certificateKey]
  const subject = ['-subj', '/CN=localhost', '-addext', names, '-days', String(DAYS)]
  await runToEnd('openssl', ['req', '-x509', ...key, ...subject, '-out', certificate])
  return { certificate, certificateKey }
}
